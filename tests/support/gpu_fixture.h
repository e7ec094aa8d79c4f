// The one device of a test executable: validated, chosen by the environment (see tests/CMakeLists.txt).
#pragma once

#include "runtime/gpu/pipeline.h"
#include "runtime/gpu/timeline.h"
#include "runtime/gpu/upload.h"

namespace ff::test {

// Made at the first call and destroyed after the last test, when no validation message may have come. Where there is
// no device, the executable ends with the reason and status 2.
const std::shared_ptr<gpu::Device> &device();
gpu::PipelineSet &pipelines();
gpu::Timeline &timeline();
gpu::Uploader &uploader();

// The value, or a failed test with the error's message: for calls that must succeed.
[[noreturn]] void fail(const Error &error);
template <class T>
T must(Result<T> result) {
    if (!result.ok()) fail(result.error());
    return std::move(result).value();
}
inline void must(const Result<void> &result) {
    if (!result.ok()) fail(result.error());
}

} // namespace ff::test
