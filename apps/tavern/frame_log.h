// How long frames took, and the inference in them: for the graph on screen, and as a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tavern {

enum class Phase : std::uint8_t { loading, quiet, talking }; // of the program; only the last has inference

struct FrameTime {
    Phase phase = Phase::loading;
    double frame_us = 0;     // from this frame's begin to the next one's
    double inference_us = 0; // that finished slices took, by the device's clock
    std::uint64_t budget_us = 0;
    std::uint32_t tokens = 0; // produced
};

class FrameLog {
  public:
    void add(const FrameTime &frame) { frames_.push_back(frame); }
    const std::vector<FrameTime> &frames() const { return frames_; }
    std::size_t count(Phase phase) const;
    // The frame time that half of the phase's frames stay below; 0 if there are none.
    double median_us(Phase phase) const;
    // The share of frames with inference whose inference took at most `factor` budgets; 1 if there are none.
    double within_budget(double factor) const;
    void write_csv(const std::string &path) const; // throws std::runtime_error
    std::string summary() const;                   // a few lines for people

  private:
    std::vector<FrameTime> frames_;
};

} // namespace tavern
