// A session's calls about its run.
#include "runtime/engine/sliced_run.h"

namespace ff::engine {

Result<void> Session::check_free() {
    if (in_batch_) return Error{Status::argument, "the session is in a batch: it can be used when it has ended there"};
    if (!run_ || run_->over()) return {};
    if (run_->cancelled()) return run_->finish();
    return Error{Status::argument, "the session runs in slices: advance it until it is idle, or cancel it"};
}

Result<void> Session::start(std::vector<std::uint32_t> prompt, std::optional<GenerateOptions> options) {
    FF_TRY(check_free());
    if (!prompt.empty()) FF_TRY(check_tokens(prompt));
    if (options) FF_TRY(check(*options, model_->description()));
    if (prompt.empty() && !options) return Error{Status::argument, "neither a prompt to read nor anything to generate"};
    if (prompt.empty() && !has_logits_)
        return Error{Status::argument, "nothing was read yet, so there is nothing to go on from: give it a prompt"};
    FF_TRY_ASSIGN(run_, Run::start(*this, std::move(prompt), std::move(options)));
    return {};
}

Result<SliceProgress> Session::advance(std::uint64_t budget_us, const gpu::SubmitOrder &order) {
    if (run_) return run_->advance(budget_us, order);
    if (!order.wait.empty() || !order.signal.empty()) FF_TRY(model_->timeline().submit_together({}, order));
    return SliceProgress{};
}

Result<SliceProgress> Session::record(VkCommandBuffer commands, std::uint64_t budget_us) {
    return run_ ? run_->record(commands, budget_us) : SliceProgress{};
}

void Session::retire(std::uint64_t slice) {
    if (run_) run_->retire(slice);
}

Result<void> Session::wait() {
    return run_ ? run_->wait() : Result<void>{};
}

void Session::cancel() {
    if (run_) run_->cancel();
}

Result<std::deque<std::uint32_t> *> Session::produced() {
    if (!run_) return nullptr;
    FF_TRY(run_->collect());
    return &run_->tokens();
}

const Lane *Session::lane() const {
    return run_ ? run_->lane() : nullptr;
}

std::uint64_t Session::last_submission() const {
    return run_ ? run_->last_submission() : 0;
}

Result<void> Session::keep_hidden(bool keep) {
    FF_TRY(check_free());
    keeps_hidden_ = keep;
    return {};
}

} // namespace ff::engine
