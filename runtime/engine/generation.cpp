#include "runtime/engine/generation.h"

#include "runtime/engine/thread_time.h"

#include <algorithm>
#include <chrono>

namespace ff::engine {
Session::Generation::Generation(Session &session, const GenerateOptions &options)
    : session_(session), model_(*session.model_), options_(options), entry_(session.entry()) {
    const std::uint32_t in_flight =
        std::clamp(options.in_flight ? options.in_flight : kDefaultInFlight, 1U, kMaxInFlight);
    batches_ahead_ = in_flight > 1 ? 2 : 1;
    batch_steps_ = std::max<std::uint64_t>(1, in_flight / 2);
}

void Session::Generation::begin() {
    first_parity_ = entry_.parity;
    begin_generating(entry_, options_);
}

// Step 0 samples from the logits that are there; step i reads token i - 1 and samples token i; the last only reads.
Result<void> Session::Generation::submit_batch() {
    Batch batch{};
    batch.first_step = next_step_;
    batch.steps = std::min(batch_steps_, options_.count + 1 - next_step_);
    std::vector<VkCommandBuffer> commands;
    if (options_.on_token) { // only a caller who is asked can stop in between
        batch.spare = model_.spare_slot(static_cast<std::uint32_t>(next_step_ / batch_steps_ % 2));
        FF_TRY_ASSIGN(const VkCommandBuffer copy, model_.copy_of_slot(session_.slot(), batch.spare));
        commands.push_back(copy);
    }
    commands.insert(commands.end(), batch.steps, model_.step());
    FF_TRY_ASSIGN(batch.last_value, model_.submit(session_.number_, commands, static_cast<std::uint32_t>(batch.steps)));
    next_step_ += batch.steps;
    outstanding_.push_back(batch);
    return {};
}

Result<void> Session::Generation::deliver(const Batch &batch) {
    for (std::uint64_t i = 0; i < batch.steps && !stopped_; ++i) {
        FF_TRY(model_.timeline().wait(batch.last_value - (batch.steps - 1 - i)));
        for (const std::uint64_t produced = entry_.produced; delivered_.size() < produced && !stopped_;) {
            const std::uint32_t token = entry_.tokens[delivered_.size() % shader::kProducedLength];
            delivered_.push_back(token);
            if (!options_.on_token) continue;
            const double start = thread_seconds();
            stopped_ = !options_.on_token(token);
            callback_seconds_ += thread_seconds() - start;
        }
    }
    return {};
}

Result<void> Session::Generation::go_back() {
    const std::uint64_t last = delivered_.size() - 1; // the token to stop after was sampled in step `last`
    if (entry_.produced > delivered_.size()) {
        const auto batch = std::find_if(outstanding_.begin(), outstanding_.end(), [&](const Batch &candidate) {
            return last >= candidate.first_step && last < candidate.first_step + candidate.steps;
        });
        const std::uint64_t fed = fed_before(batch->first_step);
        FF_TRY_ASSIGN(const VkCommandBuffer copy, model_.copy_of_slot(batch->spare, session_.slot()));
        FF_TRY(model_.submit(session_.number_, std::span(&copy, 1), 0));
        entry_.parity = first_parity_ ^ static_cast<std::uint32_t>(fed & 1U);
        entry_.pending = 0;
        return session_.reread(std::span(delivered_).subspan(fed));
    }
    if (entry_.pending == 0) return {};
    entry_.pending = 0; // read it as a prompt of one token: nothing is sampled after it
    return session_.reread(std::span(delivered_).subspan(last));
}

Result<GenerateResult> Session::Generation::run() {
    const auto start = std::chrono::steady_clock::now();
    const double start_thread = thread_seconds();
    const std::uint64_t start_submits = model_.timeline().queue_submits();
    begin();
    while (true) {
        const bool over = stopped_ || entry_.halt == shader::kHaltStopToken;
        while (!over && outstanding_.size() < batches_ahead_ && next_step_ <= options_.count) FF_TRY(submit_batch());
        if (outstanding_.empty()) break;
        FF_TRY(deliver(outstanding_.front()));
        if (stopped_) {
            entry_.stop_request = 1; // steps that have not begun do nothing
            FF_TRY(model_.timeline().wait(outstanding_.back().last_value));
            break;
        }
        outstanding_.pop_front();
    }
    GenerateResult result;
    result.produced = delivered_.size();
    result.reason = stopped_                                ? StopReason::callback
                    : entry_.halt == shader::kHaltStopToken ? StopReason::stop_token
                                                            : StopReason::limit;
    if (stopped_) FF_TRY(go_back());
    entry_.generating = 0;
    entry_.stop_request = 0;
    result.steps = next_step_;
    result.submissions = model_.timeline().queue_submits() - start_submits;
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result.host_seconds = thread_seconds() - start_thread - callback_seconds_;
    return result;
}

Result<GenerateResult> Session::generate(const GenerateOptions &options) {
    FF_TRY(check_free());
    FF_TRY(check(options, model_->description()));
    if (!has_logits_)
        return Error{Status::argument, "nothing was read yet, so there is nothing to go on from: read a prompt first"};
    const std::lock_guard lock(model_->mutex());
    FF_TRY(be_resident());
    return Generation(*this, options).run();
}

} // namespace ff::engine
