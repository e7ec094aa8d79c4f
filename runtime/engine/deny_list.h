// Kernel variants that computed wrongly on a device with a driver (`firefinch doctor` finds them), in a file beside the
// pipeline cache (device_file.h). An entry names a variant and the shader it was seen with, so that another
// build's shader gets another chance.
#pragma once

#include "runtime/base/log.h"
#include "runtime/gpu/pipeline_cache.h"
#include "runtime/kernels/kernel.h"

#include <functional>

namespace ff::engine {

struct DeniedVariant {
    const kernels::Variant *variant = nullptr;
    std::uint64_t shader = 0; // shader_hash of its SPIR-V
    std::string why;
};

struct DenyList {
    bool tested = false; // a file of this device and driver is there: a self-test has run, if only for a second
    std::vector<DeniedVariant> denied;
};

std::uint64_t shader_hash(std::span<const std::uint32_t> spirv);

// Without a directory or a file: an empty list. What is damaged, foreign or unknown is left out with a warning.
DenyList read_deny_list(const std::string &directory, const gpu::CacheIdentity &identity, const LogFunction &log);
Result<void> write_deny_list(const std::string &directory, const gpu::CacheIdentity &identity,
                             std::span<const DeniedVariant> denied);

} // namespace ff::engine
