// One conversation: a control entry, and a state that has a slot on the device while it is worked with.
#pragma once

#include "runtime/engine/generate_options.h"
#include "runtime/engine/model.h"
#include "runtime/engine/profile.h"
#include "runtime/engine/snapshot.h"

#include <deque>
#include <optional>

namespace ff::engine {

enum class RunState : int { idle = 0, reading = 1, generating = 2, ending = 3 };

// What a call to advance a run made, and what has happened since the last one.
struct SliceProgress {
    RunState state = RunState::idle;
    std::uint64_t slice = 0, value = 0; // its number, and its place on the model's timeline; 0: nothing was submitted
    std::uint32_t launches = 0, next_launch = 0, step_launches = 0;
    double expected_us = 0;
    std::uint32_t finished = 0;
    double finished_us = 0, longest_us = 0;
    std::uint64_t prompt_read = 0, produced = 0;
    StopReason reason = StopReason::limit;
};

class Session {
  public:
    // Enough steps that the device never waits for the host, few enough that a stop wastes little.
    static constexpr std::uint32_t kDefaultInFlight = 8, kMaxInFlight = 64;

    static Result<std::unique_ptr<Session>> create(std::shared_ptr<Model> model);
    ~Session();

    // How many tokens of a prompt a step may read; 1: one after the other, as in generation. 0: the library's choice.
    void set_chunk(std::uint32_t tokens) { chunk_ = tokens; }
    Result<void> reset();
    Result<std::unique_ptr<Session>> fork();
    // See ff_session_prefill, _evaluate, _generate, _save and _load: these are what they do.
    Result<void> prefill(std::span<const std::uint32_t> tokens, float *logits);
    Result<void> evaluate(std::span<const std::uint32_t> tokens, float *logits);
    Result<GenerateResult> generate(const GenerateOptions &options);
    Result<Snapshot> snapshot();
    Result<void> restore(const Snapshot &snapshot); // fails with argument if it is of another model's shape
    Result<void> save(const std::string &path);
    Result<void> load(const std::string &path);
    // See ff_session_prefetch, _evict and _resident.
    Result<void> prefetch();
    Result<void> evict();
    bool resident() const { return model_->pager().resident(number_); }

    // What a decode step's kernels cost; the session is afterwards as before. Fails with unsupported where the compute
    // queue has no timestamps.
    Result<std::vector<KernelCost>> profile(std::uint32_t steps);

    // For each of `steps` greedy steps the device's times before its first launch and after each, in microseconds; likewise.
    Result<std::vector<std::vector<double>>> launch_times(std::uint32_t steps);

    // In slices: see ff_session_start, _advance, _record, _retire, _wait and _cancel.
    static constexpr std::uint64_t kUnlimited = ~0ULL; // a budget
    Result<void> start(std::vector<std::uint32_t> prompt, std::optional<GenerateOptions> options);
    Result<SliceProgress> advance(std::uint64_t budget_us, const gpu::SubmitOrder &order = {});
    Result<SliceProgress> record(VkCommandBuffer commands, std::uint64_t budget_us);
    void retire(std::uint64_t slice);
    Result<void> wait();
    void cancel();
    bool running() const { return lane() != nullptr; }
    // Tokens produced and not taken yet; null where there was no run. What is taken is to be removed.
    Result<std::deque<std::uint32_t> *> produced();
    Result<void> keep_hidden(bool keep);
    // What the run works in; null between runs.
    const Lane *lane() const;
    gpu::BufferView logits() const { return model_->loaded().logits(slot()); } // [V]
    std::uint64_t last_submission() const;                                     // of slices, on the model's timeline

    Model &model() const { return *model_; }

  private:
    friend class Batch;
    class Generation; // the loop of one generate call
    class Run;        // what start() began (sliced_run.h)

    explicit Session(std::shared_ptr<Model> model, std::uint32_t number);
    volatile shader::ControlEntry &entry() { return model_->control().entry(number_); }
    std::uint32_t slot() const {
        return model_->control().entry(number_).slot;
    } // while resident; under the model's mutex
    Result<void> be_resident() { return model_->pager().bring_in(number_); }
    // Fails with argument while a batch has the session, or it runs in slices; waits for the end of a cancelled run.
    Result<void> check_free();
    void begin_from(std::uint32_t parity, bool has_logits); // the control entry, to go with what the slot holds
    Result<void> check_tokens(std::span<const std::uint32_t> tokens) const;
    // Through the prompt ring; the model's mutex is held.
    Result<void> read(std::span<const std::uint32_t> tokens);
    Result<void> reread(std::span<const std::uint32_t> produced); // to the same bits as when they were produced
    void begin_reading();
    Result<void> read_singly(std::span<const std::uint32_t> tokens);
    Result<void> read_wide(std::span<const std::uint32_t> tokens);
    Result<void> evaluate_singly(std::span<const std::uint32_t> tokens, float *logits);
    Result<void> evaluate_wide(std::span<const std::uint32_t> tokens, float *logits);
    void put_prompt(std::span<const std::uint32_t> tokens);
    // Of `tokens`, which go through wide steps; the others are read singly.
    std::size_t wide_share(std::size_t tokens) const;
    std::size_t wide_rows() const; // that a step may read
    Result<void> fetch_logits(float *logits);
    // For each step of a greedy generation its timestamps; the state goes on.
    Result<std::vector<std::vector<double>>> timed_steps(gpu::Timestamps &timestamps, std::uint32_t steps);

    std::shared_ptr<Model> model_;
    std::uint32_t number_; // of its control entry
    bool has_logits_ = false, in_batch_ = false, keeps_hidden_ = false;
    std::uint32_t chunk_ = 0;
    std::unique_ptr<Run> run_;
};

} // namespace ff::engine
