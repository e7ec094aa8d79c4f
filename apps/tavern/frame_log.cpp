#include "frame_log.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>

namespace tavern {
namespace {

const char *name_of(Phase phase) {
    constexpr const char *kNames[] = {"loading", "quiet", "talking"};
    return kNames[static_cast<std::size_t>(phase)];
}

} // namespace

std::size_t FrameLog::count(Phase phase) const {
    return static_cast<std::size_t>(std::ranges::count(frames_, phase, &FrameTime::phase));
}

double FrameLog::median_us(Phase phase) const {
    std::vector<double> times;
    for (const FrameTime &frame : frames_)
        if (frame.phase == phase) times.push_back(frame.frame_us);
    if (times.empty()) return 0;
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::ranges::nth_element(times, middle);
    return *middle;
}

double FrameLog::within_budget(double factor) const {
    std::size_t with = 0, within = 0;
    for (const FrameTime &frame : frames_) {
        if (frame.inference_us <= 0) continue;
        ++with;
        if (frame.inference_us <= factor * static_cast<double>(frame.budget_us)) ++within;
    }
    return with == 0 ? 1 : static_cast<double>(within) / static_cast<double>(with);
}

void FrameLog::write_csv(const std::string &path) const {
    std::ofstream file(path);
    file << "frame,phase,frame_us,inference_us,budget_us,tokens\n";
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        const FrameTime &frame = frames_[i];
        file << fmt::format("{},{},{:.1f},{:.1f},{},{}\n", i, name_of(frame.phase), frame.frame_us, frame.inference_us,
                            frame.budget_us, frame.tokens);
    }
    file.close();
    if (!file) throw std::runtime_error(path + " cannot be written");
}

std::string FrameLog::summary() const {
    std::uint64_t tokens = 0;
    for (const FrameTime &frame : frames_) tokens += frame.tokens;
    return fmt::format("frames:      {} without inference, median {:.2f} ms; {} with it, median {:.2f} ms\n"
                       "inference:   {:.0f} % of its frames within the budget, {:.0f} % within 1.5 of it; {} tokens\n",
                       count(Phase::quiet), median_us(Phase::quiet) * 1e-3, count(Phase::talking),
                       median_us(Phase::talking) * 1e-3, 100 * within_budget(1), 100 * within_budget(1.5), tokens);
}

} // namespace tavern
