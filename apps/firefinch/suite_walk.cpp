#include "suite_walk.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace program {
namespace {

using Kind = SuiteOutcome::Kind;

constexpr SuiteSize kSizes[] = {{512, 128, 4, true}, {256, 64, 4, true}, {128, 32, 4, true}, {64, 16, 4, false}};

class Walk {
  public:
    Walk(double seconds, const std::function<double()> &now) : seconds_(seconds), now_(now) {}

    SuiteWalk through(const std::vector<SuitePart> &parts) {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (walk_.device_lost.empty()) take(parts[i], parts.size() - i);
            else cut(parts[i], "not run, as the device was lost before");
        }
        return std::move(walk_);
    }

  private:
    // `parts`: that are still to be run, this one included.
    void take(const SuitePart &part, std::size_t parts) {
        std::optional<SuiteSize> size = size_of(part, parts, batches_);
        if (!size) return cut(part, "would take too long on this device");
        SuiteOutcome outcome = run(part, *size);
        if (outcome.kind == Kind::unsupported && size->batch) {
            const std::string why = outcome.why;
            size = size_of(part, parts, false);
            if (!size) return cut(part, why);
            outcome = run(part, *size);
            if (outcome.kind == Kind::done) {
                batches_ = false; // the kernels that one model's batches lack, those of the models behind lack as well
                cut(part, "no batch: " + why);
            }
        }
        if (outcome.kind == Kind::device_lost) walk_.device_lost = outcome.why;
        if (outcome.kind != Kind::done) return cut(part, outcome.why);
        if (*size != kSizes[0])
            cut(part, fmt::format("a prompt of {} tokens, {} decoded, {} repeats{}", size->prefill, size->decode, size->repeats,
                                  size->batch ? "" : ", no batch"));
    }

    // Each part has an equal share of the time that is left; what one does not need the next ones have. A part that is too
    // large for its share has what its smallest run takes, while there is so much: rather some models than time that nobody used.
    std::optional<SuiteSize> size_of(const SuitePart &part, std::size_t parts, bool batches) const {
        const double left = seconds_ - now_();
        const auto fits = [&](const SuiteSize &size, double allowed) { return more_ + slower_ * part.estimate(size) <= allowed; };
        SuiteSize size{};
        for (const SuiteSize &each : kSizes) {
            size = {each.prefill, each.decode, each.repeats, each.batch && batches};
            if (fits(size, left / static_cast<double>(parts))) return size;
        }
        if (part.small || fits(size, left)) return size; // the smallest
        return std::nullopt;
    }

    SuiteOutcome run(const SuitePart &part, const SuiteSize &size) {
        const double begin = now_();
        SuiteOutcome outcome = part.run(size);
        if (outcome.kind != Kind::done) return outcome;
        const double taken = now_() - begin, estimated = part.estimate(size);
        if (part.small) more_ = std::max(more_, taken - estimated);
        else slower_ = std::max(slower_, (taken - more_) / estimated);
        return outcome;
    }

    void cut(const SuitePart &part, const std::string &what) { walk_.cut.push_back(fmt::format("{}: {}", part.name, what)); }

    double seconds_;
    const std::function<double()> &now_;
    // Than estimated, so far. A small model shows what every run costs beside its tests (measuring the roofline takes a processor
    // several seconds); as a factor it would be as much again for each second of a large model's.
    double more_ = 0, slower_ = 1;
    bool batches_ = true;
    SuiteWalk walk_;
};

} // namespace

SuiteWalk walk_suite(const std::vector<SuitePart> &parts, double seconds, const std::function<double()> &now) {
    return Walk(seconds, now).through(parts);
}

} // namespace program
