// One session's sampler on the device: logits, history and a control block with a single entry, for sample.comp alone.
#pragma once

#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

namespace ff::test {

class Sampler {
  public:
    Sampler(std::uint32_t vocabulary, std::uint32_t slot);

    shader::ControlEntry entry{}; // as the host writes it before a run
    StepHeader header{.run = 0, .sample = 1, .entry = 1};
    std::vector<float> logits; // of the slot [V]

    // Records `count` launches one after the other and replays them twice.
    void run(const kernels::Variant *variant, std::uint32_t count);
    shader::ControlEntry entry_after() const;
    std::uint32_t steps_after() const;
    std::vector<std::uint32_t> produced() const; // the ring's first entry.produced tokens
    reference::Sampling sampling() const;        // entry's settings

  private:
    std::uint32_t vocabulary_, slot_;
    Scene scene_;
    GuardedMemory logits_memory_, history_memory_, control_memory_;
    gpu::BufferView logits_view_, history_view_, control_view_;
    kernels::Activation work_;
};

} // namespace ff::test
