// A session that reads a prompt and generates in slices: each call submits some launches of the steps that are next,
// and returns. A step that has begun is always read to its end, so the state never holds a part of a token when the run
// is over; how far a run may be ahead of the host says GenerateOptions::in_flight.
#pragma once

#include "runtime/engine/session.h"

#include <chrono>
#include <deque>

namespace ff::engine {

class Session::Run {
  public:
    // Without options the prompt is read, and nothing generated.
    static Result<std::unique_ptr<Run>> start(Session &session, std::vector<std::uint32_t> prompt,
                                              std::optional<GenerateOptions> options);
    ~Run(); // waits for what was submitted

    // See ff_session_advance, _record, _retire, _wait, _cancel: these are what they do.
    Result<SliceProgress> advance(std::uint64_t budget_us, const gpu::SubmitOrder &order);
    Result<SliceProgress> record(VkCommandBuffer commands, std::uint64_t budget_us);
    void retire(std::uint64_t slice);
    Result<void> wait();
    void cancel();
    Result<void> finish(); // blocks until a cancelled run is over
    bool over() const { return lane_ == nullptr; }
    bool cancelled() const { return cancelled_; }
    // Tokens that nobody has taken yet.
    std::deque<std::uint32_t> &tokens() { return tokens_; }
    Result<void> collect(); // what finished slices have produced
    const Lane *lane() const { return lane_.get(); }
    std::uint64_t last_submission() const { return last_submission_; } // on the timeline; 0: there was none

  private:
    struct Piece { // launches of one step that belong to a slice
        SlicedStep *step;
        std::uint32_t begin, end;
    };
    struct Slice {
        std::uint64_t number = 0; // 0: there is none
        std::uint64_t value = 0;  // on the timeline; 0: in a command buffer of the host's
        bool retired = false;     // of such a one: the host says that it has finished
        std::vector<Piece> pieces;
        std::uint32_t rows = 0, samples = 0, wide_steps = 0; // of steps that end in it
        std::vector<LaunchCosts::Class> classes;             // of its launches
        double expected_us = 0;
        bool learns = true;  // its steps have work
        bool singly = false; // its launches are measured one by one
        SliceClock::Mark *mark = nullptr;
        std::unique_ptr<gpu::Timestamps> each; // where they are
        std::unique_ptr<gpu::CommandBuffer> once;
        double waited_us = 0; // where the device has no timestamps
    };
    struct Step {                   // that has begun
        SlicedStep *step = nullptr; // null: none has
        std::uint32_t at = 0;       // its next launch
        std::uint32_t rows = 0;     // of the prompt that it reads
        bool samples = false, learns = true;
        const std::vector<LaunchCosts::Class> *classes = nullptr; // of its launches
    };

    Run(Session &session, std::vector<std::uint32_t> prompt, std::optional<GenerateOptions> options);
    bool begin_step(); // false: there is none to begin now
    bool has_more() const;
    bool begin_prompt_step();
    void begin(SlicedStep &step, std::uint32_t rows, bool samples, bool answers);
    bool put_prompt(std::size_t until); // false: the ring has no room yet
    // The launches of the next slice, which then count as submitted.
    Slice choose(std::uint64_t budget_us);
    void take_launches(Slice &slice, double budget_us);
    Result<void> submit(Slice &slice, const gpu::SubmitOrder &order);
    Result<void> submit_singly(Slice &slice, const gpu::SubmitOrder &order);
    Result<void> submit_blocks(Slice &slice, const gpu::SubmitOrder &order);
    Result<void> wait_and_measure(Slice &slice, std::chrono::steady_clock::time_point start);
    Result<void> record_into(VkCommandBuffer commands, Slice &slice);
    Result<SliceProgress> keep(Slice slice, Result<void> submitted);
    Result<bool> has_finished(const Slice &slice);
    Result<void> learn(Slice &slice);
    void deliver(std::uint64_t produced); // those up to that number
    void settle();                        // when nothing is in flight: the run may be over
    void end(bool has_logits);
    Result<void> pin(); // the session's state keeps its place on the device until the run is over
    void give_back();   // that, and the lane
    SliceProgress progress(const Slice &slice);

    Session &session_;
    Model &model_;
    std::unique_ptr<Lane> lane_; // null when the run is over
    std::vector<std::uint32_t> prompt_;
    std::optional<GenerateOptions> options_;
    std::uint64_t in_flight_ = 1;
    std::size_t wide_ = 0; // tokens of the prompt that wide steps read
    // Tokens of the prompt: put into the ring, read by steps that have begun, by finished ones.
    std::size_t put_ = 0, begun_ = 0, read_ = 0;
    std::uint64_t wide_begun_ = 0, wide_finished_ = 0;
    // Tokens sampled by steps that have begun, by finished ones, and those of them that were delivered.
    std::uint64_t asked_ = 0, sampled_ = 0, delivered_ = 0;
    bool pinned_ = false;
    bool closed_ = false;    // a step that reads the last token has begun
    bool halted_ = false;    // by a stop token: steps that were submitted later have no work
    bool cancelled_ = false; // by the caller or its callback
    Step step_;
    // Of each step, by the rows that it reads and whether it computes logits.
    std::map<std::tuple<const SlicedStep *, std::uint32_t, bool>, std::vector<LaunchCosts::Class>> classes_;
    std::deque<Slice> slices_; // in flight
    std::uint64_t slice_number_ = 0, last_submission_ = 0;
    std::deque<std::uint32_t> tokens_;
    std::uint32_t finished_slices_ = 0; // since the last progress, with what they took
    double finished_us_ = 0, longest_us_ = 0;
    StopReason reason_ = StopReason::limit;
};

} // namespace ff::engine
