// What launches take on this device, learnt while slices run: each launch by itself at first and now and then, whole
// slices always. All sessions of a model share it.
#pragma once

#include "runtime/gpu/device.h"
#include "runtime/kernels/kernel.h"

#include <map>
#include <mutex>
#include <tuple>

namespace ff::engine {

// Any thread may call any function.
class LaunchCosts {
  public:
    explicit LaunchCosts(gpu::DeviceType device);

    // Launches of one variant with as many workgroups and bytes cost the same in every layer. `rows`: tokens that the
    // step reads; `answers`: it computes logits, which launches outside the layers do, or have no work.
    using Class = std::uint32_t;
    Class class_of(const kernels::Launch &launch, std::uint32_t rows, bool answers);

    // Estimates; those of classes that were never measured are guesses on the safe side.
    double microseconds(Class of) const;
    bool wants_measuring(Class of) const; // by itself
    void measured(Class of, double microseconds);
    // Of launches that were measured together.
    void measured(std::span<const Class> launches, double microseconds);
    // What nine of ten slices take at most, as a multiple of what was expected; 1 at least.
    double margin() const;

  private:
    struct Cost {
        double microseconds;
        std::uint32_t measurements = 0; // of a launch by itself
    };
    using Key = std::tuple<const kernels::Variant *, std::array<std::uint32_t, 3>, std::uint64_t, std::uint32_t>;

    double bytes_per_microsecond_; // of a guess
    mutable std::mutex mutex_;
    std::map<Key, Class> classes_;
    std::vector<Cost> costs_;
    double margin_ = 1;
};

} // namespace ff::engine
