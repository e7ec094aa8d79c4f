// Shaders from a folder instead of the embedded ones, compiled at start: for whoever is writing a kernel.
#pragma once

#include "runtime/base/result.h"
#include "runtime/kernels/kernel.h"

namespace ff::kernels {

// `directory` holds kernel.comp and lib/. Fails with io, with unsupported in a build without libshaderc, or with
// argument and the compiler's own words.
Result<std::vector<std::uint32_t>> compile_shader(const std::string &directory, const Variant &variant);

} // namespace ff::kernels
