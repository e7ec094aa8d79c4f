#include "runtime/engine/batch.h"

#include "runtime/engine/thread_time.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace ff::engine {
namespace {

// With one step in flight beside the one whose tokens are being delivered, the device does not wait for the host; and a
// caller who stops after a token was overtaken by one step at most, which read just that token.
constexpr std::size_t kInFlight = 2;
static_assert(kInFlight <= shader::kWideQueueLength && kInFlight * shader::kMostRows <= shader::kPromptLength);

} // namespace

Result<std::unique_ptr<Batch>> Batch::create(std::shared_ptr<Model> model, std::uint32_t max_sessions) {
    const std::uint32_t prompt_rows = model->loaded().prompt_plan().rows;
    const std::uint32_t most = std::min(prompt_rows, shader::kMostRuns);
    if (max_sessions == 0 || max_sessions > most)
        return Error{Status::argument,
                     fmt::format("a batch of {} sessions: on this device it can have 1 to {}", max_sessions, most)};
    std::unique_ptr<Batch> batch(new Batch(model, max_sessions));
    const std::lock_guard lock(model->mutex());
    for (const std::uint32_t rows : model::kBatchRows) {
        const std::uint32_t size = std::min(rows, prompt_rows);
        FF_TRY_ASSIGN(WideStep *const step, model->wide_step(size, size));
        batch->decode_steps_.push_back(step);
        if (size >= max_sessions) break;
    }
    FF_TRY_ASSIGN(batch->prompt_step_, model->wide_step(prompt_rows, batch->decode_steps_.back()->runs()));
    return batch;
}

Batch::~Batch() {
    const std::lock_guard lock(model_->mutex());
    for (Member &member : members_) (void)stop(member);
}

Result<void> Batch::add(std::shared_ptr<Session> session, BatchRequest request) {
    if (session->model_ != model_) return Error{Status::argument, "the session is of another model than the batch"};
    FF_TRY(session->check_free());
    FF_TRY(check(request.options, model_->description()));
    if (!request.prompt.empty()) {
        FF_TRY(session->check_tokens(request.prompt));
    } else if (!session->has_logits_) {
        return Error{Status::argument, "nothing was read yet, so there is nothing to go on from: give it a prompt"};
    }
    const std::lock_guard lock(model_->mutex());
    if (members_.size() == max_sessions_)
        return Error{Status::argument, fmt::format("the batch has its {} sessions: wait until one has ended, or make "
                                                   "a larger batch",
                                                   max_sessions_)};
    FF_TRY(session->be_resident());
    model_->pager().pin(session->number_);
    session->in_batch_ = true;
    begin_generating(session->entry(), request.options);
    Member &member = members_.emplace_back();
    member.session = std::move(session);
    member.request = std::move(request);
    return {};
}

Result<GenerateResult> Batch::remove(const Session &session) {
    const std::lock_guard lock(model_->mutex());
    const auto member = std::ranges::find_if(members_, [&](const Member &m) { return m.session.get() == &session; });
    if (member == members_.end()) return Error{Status::argument, "the session is not in this batch"};
    FF_TRY(stop(*member));
    GenerateResult result = member->result;
    members_.erase(member);
    return result;
}

Result<void> Batch::stop(Member &member) {
    for (; !steps_.empty(); steps_.pop_front()) FF_TRY(deliver(steps_.front())); // left by a run that failed
    if (!member.stopped) member.stopped = StopReason::callback;
    if (wants_step(member)) {
        const ControlBlock::Run run{member.session->number_, 0};
        entry(member).generating = 0;
        FF_TRY_ASSIGN(const std::uint64_t value,
                      model_->submit_wide(std::span(&run, 1), decode_steps_.front()->read()));
        FF_TRY(model_->timeline().wait(value));
    }
    leave(member);
    return {};
}

// A member that stopped wants one more step if its last delivered token is still unread, which is known when none of
// its steps is in flight.
bool Batch::wants_step(const Member &member) const {
    if (!member.stopped) return reads_prompt(member) || member.asked < member.request.options.count || !member.closed;
    return !member.closed && member.in_flight == 0 && entry(member).pending != 0 &&
           entry(member).produced == member.delivered;
}

std::vector<Batch::Member *> Batch::waiting() {
    std::vector<Member *> members;
    for (Member &member : members_)
        if (wants_step(member)) members.push_back(&member);
    return members;
}

Result<WideStep *> Batch::step_for(std::span<Member *const> members) {
    std::size_t rows = 0;
    for (const Member *member : members)
        rows += std::max<std::size_t>(1, member->request.prompt.size() - member->put);
    for (WideStep *const step : decode_steps_)
        if (step->runs() >= members.size()) return step->rows() >= rows ? step : prompt_step_;
    return prompt_step_;
}

// Every session has a row; what is left goes to prompts, in the order in which they came.
std::vector<std::uint32_t> Batch::shares(std::span<Member *const> members, std::uint32_t rows) {
    std::size_t left = rows - members.size();
    std::vector<std::uint32_t> shares;
    for (const Member *member : members) {
        const std::size_t unread = member->request.prompt.size() - member->put;
        const std::size_t more = unread == 0 ? 0 : std::min(unread - 1, left);
        shares.push_back(static_cast<std::uint32_t>(unread == 0 ? 0 : 1 + more));
        left -= more;
    }
    return shares;
}

Result<bool> Batch::submit() {
    const std::vector<Member *> members = waiting();
    if (members.empty()) return false;
    FF_TRY_ASSIGN(WideStep *const wide, step_for(members));
    const std::vector<std::uint32_t> rows = shares(members, wide->rows());
    Step step{};
    std::vector<ControlBlock::Run> runs;
    for (std::size_t i = 0; i < members.size(); ++i) {
        Member &member = *members[i];
        member.session->put_prompt(std::span(member.request.prompt).subspan(member.put, rows[i]));
        member.put += rows[i];
        progress_.prompt_tokens += rows[i];
        const bool samples =
            !member.stopped && !reads_prompt(member) && member.asked < member.request.options.count;
        if (member.stopped) { // it reads what was delivered last, and nothing is sampled after it
            entry(member).stop_request = 0;
            entry(member).generating = 0;
        }
        if (samples) ++member.asked;
        else if (!reads_prompt(member)) member.closed = true;
        ++member.in_flight;
        ++member.result.steps;
        runs.push_back({member.session->number_, rows[i], reads_prompt(member)});
        step.served.push_back({&member, samples});
    }
    FF_TRY_ASSIGN(step.value, model_->submit_wide(runs, wide->read()));
    steps_.push_back(std::move(step));
    ++progress_.steps;
    progress_.launches += wide->launches();
    return true;
}

Result<void> Batch::deliver(const Step &step) {
    FF_TRY(model_->timeline().wait(step.value));
    for (const Served &served : step.served) {
        Member &member = *served.member;
        --member.in_flight;
        if (!served.samples || member.stopped) continue;
        // The step sampled one token, unless it was one to stop at. A later step can only have added to it.
        if (entry(member).produced == member.delivered) {
            member.stopped = StopReason::stop_token;
            member.closed = true;
            continue;
        }
        const std::uint32_t token = entry(member).tokens[member.delivered++ % shader::kProducedLength];
        ++progress_.produced;
        if (!member.request.options.on_token) continue;
        const double start = thread_seconds();
        const bool goes_on = member.request.options.on_token(token);
        callback_seconds_ += thread_seconds() - start;
        if (goes_on) continue;
        member.stopped = StopReason::callback;
        entry(member).stop_request = 1; // steps that have not begun do nothing for it
    }
    return {};
}

void Batch::settle() {
    for (auto member = members_.begin(); member != members_.end();) {
        if (member->in_flight != 0 || wants_step(*member)) {
            ++member;
            continue;
        }
        leave(*member);
        if (member->request.on_end) {
            const double start = thread_seconds();
            member->request.on_end(member->result);
            callback_seconds_ += thread_seconds() - start;
        }
        member = members_.erase(member);
    }
}

void Batch::leave(Member &member) {
    Session &session = *member.session;
    volatile shader::ControlEntry &control = session.entry();
    control.generating = 0;
    control.stop_request = 0;
    control.pending = 0; // at most a token that was sampled and not delivered
    if (member.put > 0) session.has_logits_ = !reads_prompt(member);
    session.in_batch_ = false;
    model_->pager().unpin(session.number_);
    member.result.produced = member.delivered;
    member.result.reason = member.stopped.value_or(StopReason::limit);
}

Result<BatchProgress> Batch::loop(std::uint64_t steps) {
    while (true) {
        settle();
        while (steps_.size() < kInFlight && (steps == 0 || progress_.steps < steps)) {
            FF_TRY_ASSIGN(const bool submitted, submit());
            if (!submitted) break;
        }
        if (steps_.empty()) break;
        const Step step = std::move(steps_.front());
        steps_.pop_front();
        FF_TRY(deliver(step));
    }
    return progress_;
}

Result<BatchProgress> Batch::run(std::uint64_t steps) {
    const std::lock_guard lock(model_->mutex());
    const auto start = std::chrono::steady_clock::now();
    const double start_thread = thread_seconds();
    const std::uint64_t start_submits = model_->timeline().queue_submits();
    progress_ = {};
    callback_seconds_ = 0;
    FF_TRY_ASSIGN(BatchProgress progress, loop(steps));
    progress.active = static_cast<std::uint32_t>(members_.size());
    progress.submissions = model_->timeline().queue_submits() - start_submits;
    progress.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.host_seconds = thread_seconds() - start_thread - callback_seconds_;
    return progress;
}

} // namespace ff::engine
