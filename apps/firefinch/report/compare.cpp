#include "report/compare.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace program::report {
namespace {

// Enough that the ends of the interval move by a few parts in a thousand of its width with the seed; fewer where there
// are thousands of samples, whose medians scatter little.
constexpr std::size_t kResamples = 10'000, kFewestResamples = 1'000, kDraws = 5'000'000;
constexpr double kOutside = 0.025; // on each side of a 95 % interval
constexpr std::uint64_t kSeed = 1;

class Resampler {
  public:
    double median_of(std::span<const double> samples) {
        drawn_.resize(samples.size());
        for (double &sample : drawn_) sample = samples[below(samples.size())];
        const auto middle = drawn_.begin() + static_cast<std::ptrdiff_t>(drawn_.size() / 2);
        std::nth_element(drawn_.begin(), middle, drawn_.end());
        if (drawn_.size() % 2 == 1) return *middle;
        return (*std::max_element(drawn_.begin(), middle) + *middle) / 2;
    }

  private:
    // std::uniform_int_distribution draws other numbers with other standard libraries.
    std::size_t below(std::size_t count) { return static_cast<std::size_t>((random_() >> 32U) * count >> 32U); }

    std::mt19937_64 random_{kSeed};
    std::vector<double> drawn_;
};

Verdict verdict_of(const Interval &interval, Better better, double tolerance) {
    // Inverses of each other, so that files in the other order get the other verdict.
    const double less = 1 - tolerance, more = 1 / (1 - tolerance);
    if (interval.high < less) return better == Better::larger ? Verdict::slower : Verdict::faster;
    if (interval.low > more) return better == Better::larger ? Verdict::faster : Verdict::slower;
    return Verdict::no_clear_difference;
}

std::optional<Change> compare_host(const BenchTest &base, const BenchTest &test, double tolerance) {
    const auto positive = [](double sample) { return sample > 0; };
    for (const BenchTest *side : {&base, &test}) {
        if (side->host_samples.empty()) return {};
        if (!std::all_of(side->host_samples.begin(), side->host_samples.end(), positive)) return {};
    }
    return compare_samples(base.host_samples, test.host_samples, Better::smaller, tolerance);
}

Change compare_speed(const BenchTest &base, const BenchTest &test, double tolerance) {
    if (base.speed_samples.empty() || test.speed_samples.empty()) // the medians are all there is
        return {test.tokens_per_second.median / base.tokens_per_second.median, {}, Verdict::too_few_samples};
    return compare_samples(base.speed_samples, test.speed_samples, Better::larger, tolerance);
}

} // namespace

const char *verdict_name(Verdict verdict) {
    switch (verdict) {
    case Verdict::too_few_samples:
        return "too few samples";
    case Verdict::no_clear_difference:
        return "no clear difference";
    case Verdict::slower:
        return "slower";
    case Verdict::faster:
        return "faster";
    }
    return "";
}

Interval bootstrap_ratio(std::span<const double> base, std::span<const double> samples) {
    const std::size_t resamples = std::clamp(kDraws / (base.size() + samples.size()), kFewestResamples, kResamples);
    Resampler resampler;
    std::vector<double> ratios(resamples);
    for (double &ratio : ratios) {
        const double below = resampler.median_of(base); // in this order, whatever order a compiler prefers
        ratio = resampler.median_of(samples) / below;
    }
    std::sort(ratios.begin(), ratios.end());
    const auto last = static_cast<double>(resamples - 1);
    return {ratios[static_cast<std::size_t>(kOutside * last)], ratios[static_cast<std::size_t>((1 - kOutside) * last)]};
}

Change compare_samples(std::span<const double> base, std::span<const double> samples, Better better, double tolerance) {
    Change change;
    change.ratio = spread_of({samples.begin(), samples.end()}).median / spread_of({base.begin(), base.end()}).median;
    if (std::min(base.size(), samples.size()) < kLeastSamples) return change;
    change.interval = bootstrap_ratio(base, samples);
    change.verdict = verdict_of(*change.interval, better, tolerance);
    return change;
}

bool other_conditions(const BenchFile &base, const BenchFile &file) {
    constexpr double kUnlike = 0.1;
    const bool same_device = file.device.name == base.device.name && file.device.profile == base.device.profile;
    return same_device &&
           std::abs(std::log(file.read_bytes_per_second / base.read_bytes_per_second)) > std::log1p(kUnlike);
}

std::vector<Difference> differences(const BenchFile &base, const BenchFile &file, double tolerance) {
    std::vector<Difference> all;
    for (const BenchTest &test : base.results)
        if (const BenchTest *other = file.find(test); other != nullptr && base.find(test) == &test)
            all.push_back(
                {&test, other, compare_speed(test, *other, tolerance), compare_host(test, *other, tolerance)});
    return all;
}

} // namespace program::report
