// GPU clocks between launches.
#pragma once

#include "runtime/gpu/device.h"

namespace ff::gpu {

class Timestamps {
  public:
    // Fails with unsupported where the compute queue has no timestamps.
    static Result<std::unique_ptr<Timestamps>> create(std::shared_ptr<Device> device, std::uint32_t count);
    ~Timestamps();
    VkQueryPool pool() const;
    std::uint32_t count() const;
    Result<std::vector<double>>
    read_microseconds() const; // of all, relative to the first; waits until they are written
    // The same of `count` from `first` on.
    Result<std::vector<double>> read_microseconds(std::uint32_t first, std::uint32_t count) const;

  private:
    Timestamps();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ff::gpu
