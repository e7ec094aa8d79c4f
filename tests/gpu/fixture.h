// A validated device for a test, and what every test checks when it is done.
#pragma once

#include "runtime/gpu/device.h"
#include "runtime/gpu/pipeline.h"
#include "runtime/gpu/recorder.h"
#include "runtime/gpu/timeline.h"
#include "runtime/gpu/upload.h"
#include "tests/gpu/shaders.h"

#include <doctest/doctest.h>

#include <cstring>
#include <numeric>

namespace ff::gpu::testing {

// Value of a Result that must be there; the message is shown where it is not.
template <class T>
T must(Result<T> result) {
    if (!result.ok()) FAIL(result.error().message);
    return std::move(result).value();
}
inline void must(const Result<void> &result) {
    if (!result.ok()) FAIL(result.error().message);
}

// One instance for all tests: validation is told to be quiet at the end of each.
const std::shared_ptr<Instance> &instance();
// Some drivers of the rig take every call and compute nothing: then results are not compared.
bool computes();

// Devices of a test. At the end of its scope nothing may be allocated any more, and validation has said nothing.
class Scope {
  public:
    Scope();
    ~Scope();
    std::shared_ptr<Device> device(const DeviceOptions &options = {});

  private:
    std::uint64_t messages_before_;
    std::vector<std::shared_ptr<Device>> devices_;
};

// The device as it is, without unified memory and timeline semaphores, and at Vulkan's floor.
inline constexpr const char *kProfiles[] = {"native", "staged", "fences", "floor"};

inline std::vector<std::uint32_t> counting(std::size_t count, std::uint32_t first = 0) {
    std::vector<std::uint32_t> out(count);
    std::iota(out.begin(), out.end(), first);
    return out;
}
inline std::vector<std::uint32_t> words_of(const std::vector<std::byte> &bytes) {
    std::vector<std::uint32_t> out(bytes.size() / 4);
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * 4);
    return out;
}
inline std::span<const std::byte> bytes_of(const std::vector<std::uint32_t> &words) {
    return std::as_bytes(std::span(words));
}

struct AddParams {
    std::uint32_t count, bias;
};
PipelineDescription add_description(std::uint32_t local_size = 64, std::uint32_t factor = 1);
PipelineDescription scale_description();

} // namespace ff::gpu::testing
