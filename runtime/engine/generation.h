// The loop of one generate call. Decode steps are submitted in batches, two of them ahead of the token being delivered;
// the device samples and feeds itself. A token that the caller stops after may have been overtaken by steps already
// submitted: then the state goes back to a copy taken at the start of its batch and reads the accepted tokens again, so
// that it holds exactly what was delivered.
#pragma once

#include "runtime/engine/session.h"

#include <deque>

namespace ff::engine {

class Session::Generation {
  public:
    Generation(Session &session, const GenerateOptions &options);
    Result<GenerateResult> run();
    void begin(); // the control entry, as the first step of run() finds it

  private:
    struct Batch {
        std::uint64_t first_step, steps;
        std::uint64_t last_value; // on the timeline; earlier steps count down from it
        std::uint32_t spare;      // where the state before first_step is kept
    };

    Result<void> submit_batch();
    Result<void> deliver(const Batch &batch); // waits for its steps, hands their tokens out
    Result<void> go_back();                   // after a stop by the caller
    std::uint64_t fed_before(std::uint64_t step) const { return step == 0 ? 0 : step - 1; } // step 0 only samples

    Session &session_;
    Model &model_;
    const GenerateOptions &options_;
    volatile shader::ControlEntry &entry_;
    std::uint64_t batch_steps_ = 1, batches_ahead_ = 1;
    std::uint64_t next_step_ = 0;
    std::uint32_t first_parity_ = 0;
    std::deque<Batch> outstanding_;
    std::vector<std::uint32_t> delivered_;
    bool stopped_ = false; // by the caller
    double callback_seconds_ = 0;
};

} // namespace ff::engine
