// Many sessions in one replay: a wide step reads a token of each that generates and a piece of the prompt of each that
// is still reading. Sessions join and leave between steps; what a step does for whom is data, so nothing is recorded
// again. Steps come in a few sizes, made when the batch is, and the smallest that fits is taken.
#pragma once

#include "runtime/engine/session.h"

#include <deque>
#include <list>

namespace ff::engine {

struct BatchRequest {
    std::vector<std::uint32_t> prompt; // may be empty where the session has something to go on from
    GenerateOptions options;           // in_flight is not used
    std::function<void(const GenerateResult &)> on_end;
};

struct BatchProgress {
    std::uint32_t active = 0; // sessions that have not ended
    std::uint64_t steps = 0, prompt_tokens = 0, produced = 0, submissions = 0, launches = 0;
    double seconds = 0, host_seconds = 0;
};

class Batch {
  public:
    static Result<std::unique_ptr<Batch>> create(std::shared_ptr<Model> model, std::uint32_t max_sessions);
    ~Batch(); // removes the sessions that have not ended

    // See ff_batch_add, _remove and _run: these are what they do.
    Result<void> add(std::shared_ptr<Session> session, BatchRequest request);
    Result<GenerateResult> remove(const Session &session);
    Result<BatchProgress> run(std::uint64_t steps);

  private:
    struct Member {
        std::shared_ptr<Session> session;
        BatchRequest request;
        std::size_t put = 0;                   // tokens of the prompt that submitted steps read
        std::uint64_t asked = 0, delivered = 0; // tokens that submitted steps sample; that were handed out
        std::uint32_t in_flight = 0;           // unfinished steps that serve it
        bool closed = false;                   // a step that reads its last token was submitted
        std::optional<StopReason> stopped;
        GenerateResult result;
    };
    struct Served {
        Member *member;
        bool samples;
    };
    struct Step {
        std::uint64_t value; // on the timeline
        std::vector<Served> served;
    };

    Batch(std::shared_ptr<Model> model, std::uint32_t max_sessions)
        : model_(std::move(model)), max_sessions_(max_sessions) {}
    volatile shader::ControlEntry &entry(const Member &member) const { return member.session->entry(); }
    bool reads_prompt(const Member &member) const { return member.put < member.request.prompt.size(); }
    bool wants_step(const Member &member) const;
    std::vector<Member *> waiting();
    Result<WideStep *> step_for(std::span<Member *const> members);
    // How many tokens of its prompt each of them reads in a step of `rows`.
    static std::vector<std::uint32_t> shares(std::span<Member *const> members, std::uint32_t rows);
    Result<bool> submit();                  // false: nobody wants a step
    Result<void> deliver(const Step &step); // waits for it, hands its tokens out
    void settle();                          // members whose last step is over leave
    Result<void> stop(Member &member);      // between runs: it has read what was delivered, and leaves
    void leave(Member &member);
    Result<BatchProgress> loop(std::uint64_t steps);

    std::shared_ptr<Model> model_;
    std::uint32_t max_sessions_;
    std::vector<WideStep *> decode_steps_; // by size, ascending
    WideStep *prompt_step_ = nullptr;
    std::list<Member> members_;
    std::deque<Step> steps_; // in flight, at most two
    BatchProgress progress_;
    double callback_seconds_ = 0;
};

} // namespace ff::engine
