#include "runtime/engine/roofline.h"

#include "runtime/engine/recording.h"
#include "runtime/gpu/timeline.h"
#include "runtime/gpu/upload.h"
#include "runtime/kernels/roofline.h"
#include "shaders/lib/interface.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace ff::engine {
namespace {

using kernels::kRooflineReadGrain;

constexpr std::uint64_t kMostBytes = 1ULL << 30; // several times the largest cache there is
constexpr std::uint64_t kSoftwareBytes = 256ULL << 20;
constexpr int kRuns = 8;             // the best counts: whatever disturbs a run makes it slower
constexpr double kLongEnough = 0.01; // seconds of multiplying beside which starting and ending are little
constexpr std::uint32_t kMostTurns = 1U << 16;

std::uint64_t buffer_bytes(const gpu::Device &device) {
    const std::uint64_t most = device.info().type == gpu::DeviceType::software ? kSoftwareBytes : kMostBytes;
    const std::uint64_t bytes = std::min({most, device.free_memory_bytes() / 4, device.traits().max_allocation_bytes});
    return std::max(bytes / kRooflineReadGrain, std::uint64_t{1}) * kRooflineReadGrain;
}

class Bench {
  public:
    explicit Bench(std::shared_ptr<gpu::Device> device) : device_(std::move(device)) {}

    Result<void> prepare() {
        FF_TRY_ASSIGN(timeline_, gpu::Timeline::create(device_));
        FF_TRY_ASSIGN(pipelines_, gpu::PipelineSet::create(device_, {})); // apart from the models', which are counted
        if (device_->traits().timestamp_valid_bits == 0) return {};
        FF_TRY_ASSIGN(timestamps_, gpu::Timestamps::create(device_, 2));
        return {};
    }

    // Seconds of the best run, by the device's clock where it has one.
    Result<double> best_of(std::span<const kernels::Launch> launches, int runs) {
        std::vector<gpu::PipelineDescription> descriptions;
        for (const kernels::Launch &launch : launches) descriptions.push_back(kernels::pipeline_of(launch));
        FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines, pipelines_->compile(descriptions, {}));
        FF_TRY_ASSIGN(const std::unique_ptr<gpu::CommandBuffer> commands,
                      record(device_, "roofline", launches, pipelines,
                             timestamps_ ? Timing{timestamps_.get(), Timing::Every::step} : Timing{}));
        double best = 0;
        for (int run = 0; run < runs + 1; ++run) { // the first only warms up
            FF_TRY_ASSIGN(const double seconds, seconds_of(commands->handle()));
            if (run == 1 || (run > 1 && seconds < best)) best = seconds;
        }
        return best;
    }

    const std::shared_ptr<gpu::Device> &device() const { return device_; }
    gpu::Timeline &timeline() { return *timeline_; }

  private:
    Result<double> seconds_of(VkCommandBuffer commands) {
        const auto start = std::chrono::steady_clock::now();
        FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(std::span(&commands, 1)));
        FF_TRY(timeline_->wait(value));
        const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
        if (!timestamps_) return waited.count();
        FF_TRY_ASSIGN(const std::vector<double> microseconds, timestamps_->read_microseconds());
        return microseconds.back() * 1e-6;
    }

    std::shared_ptr<gpu::Device> device_;
    std::unique_ptr<gpu::Timeline> timeline_;
    std::unique_ptr<gpu::PipelineSet> pipelines_;
    std::unique_ptr<gpu::Timestamps> timestamps_;
};

Error wrong(const gpu::Device &device, std::string_view what) {
    return {Status::device, fmt::format("{}: {} gave a wrong result; is the driver sound?", device.info().name, what)};
}

// Random words, the same in every grain of the buffer: what is all zero may not be stored at all. Returns a grain's
// sum.
Result<std::uint32_t> fill(Bench &bench, const gpu::BufferView &data) {
    std::vector<std::uint32_t> words(kRooflineReadGrain / 4);
    std::uint32_t state = 1;
    for (std::uint32_t &word : words) word = state = state * 1664525U + 1013904223U; // Numerical Recipes
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(bench.device(), kRooflineReadGrain));
    FF_TRY(uploader.write(data.slice(0, kRooflineReadGrain), std::as_bytes(std::span(words))));
    FF_TRY(uploader.finish());
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(bench.device(), "roofline fill", false));
    for (std::uint64_t filled = kRooflineReadGrain; filled < data.bytes; filled *= 2)
        FF_TRY(recorder.copy(data.slice(0, filled), data.slice(filled, std::min(filled, data.bytes - filled)), "fill"));
    FF_TRY_ASSIGN(const gpu::CommandBuffer commands, recorder.finish());
    const VkCommandBuffer handle = commands.handle();
    FF_TRY_ASSIGN(const std::uint64_t value, bench.timeline().submit(std::span(&handle, 1)));
    FF_TRY(bench.timeline().wait(value));
    return std::accumulate(words.begin(), words.end(), 0U);
}

Result<double> read_bytes_per_second(Bench &bench) {
    const std::shared_ptr<gpu::Device> &device = bench.device();
    const std::uint64_t bytes = buffer_bytes(*device);
    FF_TRY(device->check_memory("measuring how fast memory is read", bytes));
    FF_TRY_ASSIGN(const gpu::Buffer data, gpu::Buffer::create(device, gpu::MemoryKind::device, bytes, "roofline data"));
    FF_TRY_ASSIGN(const std::uint32_t grain_sum, fill(bench, data.view()));

    const std::uint64_t most = device->traits().max_storage_buffer_range / kRooflineReadGrain * kRooflineReadGrain;
    const std::uint64_t sums_bytes = bytes / 256; // of 1 KiB read an invocation writes a word
    FF_TRY_ASSIGN(const gpu::Buffer sums,
                  gpu::Buffer::create(device, gpu::MemoryKind::device, sums_bytes, "roofline sums"));
    std::vector<kernels::Launch> launches;
    std::uint64_t written = 0;
    for (std::uint64_t at = 0; at < bytes; at += most) {
        launches.push_back(kernels::roofline_read(device->traits(), data.view().slice(at, std::min(most, bytes - at)),
                                                  sums.view(), static_cast<std::uint32_t>(written)));
        written += kernels::invocations_of(launches.back());
    }
    FF_TRY_ASSIGN(const double seconds, bench.best_of(launches, kRuns));
    FF_TRY_ASSIGN(const std::vector<std::byte> found, gpu::download(device, sums.view().slice(0, 4 * written)));
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < found.size(); i += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, &found[i], 4);
        sum += word;
    }
    if (sum != static_cast<std::uint32_t>(grain_sum * (bytes / kRooflineReadGrain)))
        return wrong(*device, "adding up a buffer");
    return static_cast<double>(bytes) / seconds;
}

// Seconds of the launch that launch_of(turns) makes, with as many turns as make it long enough: a factor of a million lies between
// the devices.
template <class LaunchOf>
Result<std::pair<std::uint32_t, double>> time_enough_turns(Bench &bench, std::uint32_t turns, const LaunchOf &launch_of) {
    for (;; turns *= 4) {
        const kernels::Launch launch = launch_of(turns);
        FF_TRY_ASSIGN(const double seconds, bench.best_of(std::span(&launch, 1), 1));
        if (seconds >= kLongEnough || turns * 4 > kMostTurns) break;
    }
    const kernels::Launch launch = launch_of(turns);
    FF_TRY_ASSIGN(const double seconds, bench.best_of(std::span(&launch, 1), kRuns));
    return std::pair(turns, seconds);
}

Result<void> check_all(const gpu::Device &device, std::span<const std::byte> found, float end, std::string_view what) {
    for (std::size_t i = 0; i < found.size(); i += 4) {
        float sum = 0;
        std::memcpy(&sum, &found[i], 4);
        if (!(std::abs(sum - end) < 1e-3F)) return wrong(device, what);
    }
    return {};
}

Result<double> multiply_adds_per_second(Bench &bench) {
    const std::shared_ptr<gpu::Device> &device = bench.device();
    constexpr std::uint64_t kSumsBytes = std::uint64_t{4} * kernels::kRooflineFmaGroups * kernels::kRooflineLocalSize;
    FF_TRY_ASSIGN(const gpu::Buffer sums,
                  gpu::Buffer::create(device, gpu::MemoryKind::device, kSumsBytes, "roofline sums"));
    const auto launch_of = [&](std::uint32_t turns) {
        return kernels::roofline_fma(device->traits(), sums.view(), turns);
    };
    constexpr std::uint32_t kFewest = 16; // each halves a chain's distance from its end four times
    FF_TRY_ASSIGN(const auto timed, time_enough_turns(bench, kFewest, launch_of));
    FF_TRY_ASSIGN(const std::vector<std::byte> found, gpu::download(device, sums.view()));
    constexpr float kEnd = kernels::kRooflineFmaAddend / (1.0F - kernels::kRooflineFmaFactor) *
                           static_cast<float>(shader::kRooflineFmaChains);
    FF_TRY(check_all(*device, found, kEnd, "multiplying and adding"));
    return static_cast<double>(kernels::multiply_adds_of(launch_of(timed.first))) / timed.second;
}

// 0 where there are no matrices to measure.
Result<double> matrix_multiply_adds_per_second(Bench &bench) {
    const std::shared_ptr<gpu::Device> &device = bench.device();
    if (!kernels::roofline_matrix(device->traits(), {}, 1)) return 0.0;
    FF_TRY_ASSIGN(const gpu::Buffer sums, gpu::Buffer::create(device, gpu::MemoryKind::device, 4 * kernels::kMostMatrixSums,
                                                              "roofline sums"));
    const auto of = [&](std::uint32_t turns) { return *kernels::roofline_matrix(device->traits(), sums.view(), turns); };
    FF_TRY_ASSIGN(const auto timed, time_enough_turns(bench, 1, [&](std::uint32_t turns) { return of(turns).launch; }));
    const kernels::MatrixRoofline last = of(timed.first);
    FF_TRY_ASSIGN(const std::vector<std::byte> found, gpu::download(device, sums.view().slice(0, 4 * last.sums)));
    FF_TRY(check_all(*device, found, last.end, "multiplying and adding matrices"));
    return static_cast<double>(last.multiply_adds) / timed.second;
}

} // namespace

Result<Roofline> measure_roofline(const std::shared_ptr<gpu::Device> &device) {
    Bench bench(device);
    FF_TRY(bench.prepare());
    Roofline found;
    FF_TRY_ASSIGN(found.read_bytes_per_second, read_bytes_per_second(bench));
    FF_TRY_ASSIGN(found.multiply_adds_per_second, multiply_adds_per_second(bench));
    FF_TRY_ASSIGN(found.matrix_multiply_adds_per_second, matrix_multiply_adds_per_second(bench));
    return found;
}

} // namespace ff::engine
