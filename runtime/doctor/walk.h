// The launches of a step, one by one on the device and in float64 from the same inputs: the first element that differs is
// found, the expected values take the place of the wrong ones, and the walk goes on.
#pragma once

#include "runtime/doctor/launch_reference.h"
#include "runtime/gpu/timeline.h"
#include "runtime/gpu/upload.h"

#include <functional>

namespace ff::doctor {

// float32 sums of a few hundred terms of order one that may cancel, in any order, relative to the larger of 1 and the expected
// value: 2.2e-5 was met, and what a driver gets wrong is wrong by far more. Where inputs are counted in 16 bits 2e-4 was met.
constexpr double kTolerance = 1e-4, kCountedTolerance = 1e-3;

struct Finding {
    std::string output;        // the name of what is wrong: "blocks.0 h"
    std::uint64_t element = 0; // the first that differs
    double expected = 0, found = 0;
    std::string trouble; // instead of an element: the pipeline could not be made, something else was overwritten
    std::string text() const;
};

class Walk {
  public:
    static Result<Walk> create(std::shared_ptr<gpu::Device> device);

    // Of launch `index`: what is wrong with it, or nothing; false ends the walk.
    using Seen = std::function<bool(std::size_t index, const std::optional<Finding> &finding)>;
    // Told of each launch before the device is.
    using Begin = std::function<void(std::size_t index)>;
    // A launch without a pipeline (nullptr) is not run: its expected values are written. Fails with device_lost, or where
    // memory runs out, after that launch was seen with the error as its trouble.
    Result<void> run(std::span<const kernels::Launch> launches, std::span<const gpu::Pipeline *const> pipelines,
                     const Seen &seen, const Begin &begin = {});
    gpu::Uploader &uploader() { return uploader_.front(); }

  private:
    struct Image { // of a bound range, on the host
        gpu::BufferView view;
        std::vector<std::byte> bytes;
    };
    Walk() = default;
    Result<void> make_room(std::uint64_t bytes);
    // Submits `launch`, if there is one, and reads the views afterwards.
    Result<void> submit(const kernels::Launch *launch, const gpu::Pipeline *pipeline,
                        std::span<const gpu::BufferView> views);
    Image *image_of(const gpu::BufferView &view);
    Result<std::optional<Finding>> step(const kernels::Launch &launch, const gpu::Pipeline *pipeline);
    Result<void> repair(std::span<const Expectation> expected, std::span<const gpu::BufferView> written,
                        std::span<const std::vector<std::byte>> before);

    std::shared_ptr<gpu::Device> device_;
    std::unique_ptr<gpu::Timeline> timeline_;
    std::vector<gpu::Uploader> uploader_; // one; a vector because it has no default
    gpu::Buffer readback_;
    std::vector<Image> images_;
};

} // namespace ff::doctor
