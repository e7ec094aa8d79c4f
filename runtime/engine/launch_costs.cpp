#include "runtime/engine/launch_costs.h"

#include <algorithm>
#include <set>

namespace ff::engine {
namespace {

constexpr std::uint32_t kMeasurements = 4; // of a class, before slices as a whole are measured
constexpr double kNewest = 0.15;           // weight of a new measurement of one launch
constexpr double kNewestSlice = 0.1;       // of a whole slice
constexpr std::uint32_t kRowsAlike = 32;   // steps whose rows differ by less cost the same
constexpr double kKept = 0.9;              // of the slices shall take no longer than was expected, times the margin
constexpr double kMarginStep = 0.02;
constexpr double kMostMargin = 1.5;
constexpr double kGuessedOverhead = 10; // us

// A tenth of what such devices do: the first slices should be too short rather than too long.
double guessed_bytes_per_microsecond(gpu::DeviceType device) {
    switch (device) {
    case gpu::DeviceType::discrete:
        return 30'000;
    case gpu::DeviceType::software:
        return 500;
    default:
        return 3'000;
    }
}

} // namespace

LaunchCosts::LaunchCosts(gpu::DeviceType device) : bytes_per_microsecond_(guessed_bytes_per_microsecond(device)) {}

LaunchCosts::Class LaunchCosts::class_of(const kernels::Launch &launch, std::uint32_t rows, bool answers) {
    const std::uint32_t alike = (rows + kRowsAlike - 1) / kRowsAlike;
    const std::uint32_t kind = 2 * alike + (launch.layer < 0 && answers ? 1 : 0);
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] =
        classes_.try_emplace({launch.variant, launch.groups, launch.bytes, kind}, static_cast<Class>(costs_.size()));
    if (is_new)
        costs_.push_back({kGuessedOverhead + static_cast<double>(launch.bytes * alike) / bytes_per_microsecond_});
    return found->second;
}

double LaunchCosts::microseconds(Class of) const {
    const std::lock_guard lock(mutex_);
    return costs_[of].microseconds;
}

bool LaunchCosts::wants_measuring(Class of) const {
    const std::lock_guard lock(mutex_);
    return costs_[of].measurements < kMeasurements;
}

void LaunchCosts::measured(Class of, double microseconds) {
    const std::lock_guard lock(mutex_);
    Cost &cost = costs_[of];
    if (cost.measurements++ == 0) {
        cost.microseconds = microseconds;
        return;
    }
    // One that other work on the machine drew out should not count for more than it is worth.
    const double believed = std::clamp(microseconds, cost.microseconds / 4, cost.microseconds * 4);
    cost.microseconds += std::max(kNewest, 1.0 / cost.measurements) * (believed - cost.microseconds);
}

void LaunchCosts::measured(std::span<const Class> launches, double microseconds) {
    const std::lock_guard lock(mutex_);
    double expected = 0;
    for (const Class of : launches) expected += costs_[of].microseconds;
    if (expected <= 0) return;
    const double ratio = microseconds / expected;
    // Steps up and down that balance where that share lies below: the quantile, without keeping the samples.
    margin_ += kMarginStep * (ratio > margin_ ? kKept : kKept - 1);
    margin_ = std::clamp(margin_, 1.0, kMostMargin);
    const double factor = 1 + kNewestSlice * (std::clamp(ratio, 0.5, 2.0) - 1);
    for (const Class of : std::set(launches.begin(), launches.end())) costs_[of].microseconds *= factor;
}

double LaunchCosts::margin() const {
    const std::lock_guard lock(mutex_);
    return margin_;
}

} // namespace ff::engine
