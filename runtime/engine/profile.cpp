#include "runtime/engine/profile.h"

#include "runtime/engine/generation.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::engine {
namespace {

constexpr std::uint32_t kMostSteps = 65536;
constexpr std::uint32_t kWarmUp = 3; // steps: the first only samples, and a device that was idle clocks low

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

} // namespace

std::vector<KernelCost> costs_of(std::span<const kernels::Launch> launches,
                                 std::span<const std::vector<double>> steps) {
    std::vector<KernelCost> costs;
    for (const kernels::Launch &launch : launches) {
        auto cost = std::ranges::find(costs, launch.variant, &KernelCost::variant);
        if (cost == costs.end()) cost = costs.insert(cost, {.variant = launch.variant});
        ++cost->calls;
        cost->bytes += launch.bytes;
    }
    for (KernelCost &cost : costs) {
        std::vector<double> sums;
        for (const std::vector<double> &at : steps) {
            double sum = 0;
            for (std::size_t i = 0; i < launches.size(); ++i)
                if (launches[i].variant == cost.variant) sum += at[i + 1] - at[i];
            sums.push_back(sum);
        }
        cost.microseconds = median(std::move(sums));
    }
    return costs;
}

Result<std::vector<KernelCost>> Session::profile(std::uint32_t steps) {
    FF_TRY_ASSIGN(const std::vector<std::vector<double>> times, launch_times(steps));
    return costs_of(model_->loaded().plan().launches, times);
}

Result<std::vector<std::vector<double>>> Session::launch_times(std::uint32_t steps) {
    if (steps == 0 || steps > kMostSteps)
        return Error{Status::argument, fmt::format("profiling {} steps: it must be 1 to {}", steps, kMostSteps)};
    const std::span<const kernels::Launch> launches(model_->loaded().plan().launches);
    FF_TRY_ASSIGN(const std::unique_ptr<gpu::Timestamps> timestamps,
                  gpu::Timestamps::create(model_->engine().device(), static_cast<std::uint32_t>(launches.size() + 1)));
    FF_TRY_ASSIGN(const Snapshot before, snapshot());
    if (!has_logits_) {
        const std::uint32_t any = 0;
        FF_TRY(prefill(std::span(&any, 1), nullptr));
    }
    Result<std::vector<std::vector<double>>> times = timed_steps(*timestamps, steps);
    FF_TRY(restore(before)); // also when it failed
    return times;
}

Result<std::vector<std::vector<double>>> Session::timed_steps(gpu::Timestamps &timestamps, std::uint32_t steps) {
    const std::lock_guard lock(model_->mutex());
    FF_TRY(be_resident());
    FF_TRY_ASSIGN(const std::unique_ptr<gpu::CommandBuffer> commands, model_->timed_step(timestamps));
    GenerateOptions options;
    options.count = std::uint64_t{steps} + kWarmUp + 1; // the limit is not reached: its step would not sample
    options.sampling.temperature = 0;
    Generation(*this, options).begin();
    std::vector<std::vector<double>> times;
    for (std::uint32_t step = 0; step < kWarmUp + steps; ++step) {
        const VkCommandBuffer handle = commands->handle();
        FF_TRY_ASSIGN(const std::uint64_t value, model_->submit(number_, std::span(&handle, 1), 1));
        FF_TRY(model_->timeline().wait(value));
        FF_TRY_ASSIGN(std::vector<double> microseconds, timestamps.read_microseconds());
        if (step >= kWarmUp) times.push_back(std::move(microseconds));
    }
    return times;
}

} // namespace ff::engine
