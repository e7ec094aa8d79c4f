#include "runtime/engine/session.h"

#include "runtime/engine/sliced_run.h"
#include "runtime/engine/state_file.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::engine {
namespace {

// Prompt tokens submitted at once; two such pieces are in flight, so the ring holds both with room to spare.
constexpr std::size_t kPromptPiece = 64;
static_assert(3 * kPromptPiece <= shader::kPromptLength && 2 * kPromptPiece <= shader::kQueueLength);

// Tokens from which on a wide step is quicker than as many decode steps.
constexpr std::size_t kWideFrom = 16;

} // namespace

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<Model> model) {
    FF_TRY_ASSIGN(const std::uint32_t number, model->pager().take());
    std::unique_ptr<Session> session(new Session(std::move(model), number));
    session->begin_from(0, false);
    return session;
}

Session::Session(std::shared_ptr<Model> model, std::uint32_t number) : model_(std::move(model)), number_(number) {}

Session::~Session() {
    run_.reset(); // nothing of it may be in flight when the slot gets another owner
    model_->pager().give(number_);
}

Result<void> Session::reset() {
    FF_TRY(check_free());
    const std::lock_guard lock(model_->mutex());
    FF_TRY(model_->pager().reset(number_));
    begin_from(0, false);
    return {};
}

Result<std::unique_ptr<Session>> Session::fork() {
    FF_TRY(check_free());
    FF_TRY_ASSIGN(std::unique_ptr<Session> other, create(model_));
    const std::lock_guard lock(model_->mutex());
    FF_TRY(model_->pager().copy(number_, other->number_));
    other->begin_from(entry().parity, has_logits_);
    return other;
}

Result<void> Session::prefetch() {
    FF_TRY(check_free());
    const std::lock_guard lock(model_->mutex());
    return be_resident();
}

Result<void> Session::evict() {
    FF_TRY(check_free());
    const std::lock_guard lock(model_->mutex());
    return model_->pager().send_out(number_);
}

void Session::begin_from(std::uint32_t parity, bool has_logits) {
    entry().parity = parity;
    entry().pending = 0;
    entry().generating = 0;
    entry().prompt_end = entry().prompt_read;
    has_logits_ = has_logits;
}

Result<void> Session::check_tokens(std::span<const std::uint32_t> tokens) const {
    if (tokens.empty()) return Error{Status::argument, "no tokens to read: the prompt is empty"};
    const std::uint32_t vocabulary = model_->description().vocabulary;
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i] >= vocabulary)
            return Error{Status::argument,
                         fmt::format("token {} (the {}. of {}) is beyond the vocabulary: this model has ids 0 to {}",
                                     tokens[i], i + 1, tokens.size(), vocabulary - 1)};
    return {};
}

std::size_t Session::wide_rows() const {
    const std::size_t most = model_->loaded().long_prompt_rows();
    return chunk_ == 0 ? most : std::min<std::size_t>(chunk_, most);
}

// A wide step costs nearly the same however few rows it has, so a short rest is read singly.
std::size_t Session::wide_share(std::size_t tokens) const {
    if (chunk_ == 1 || !model_->loaded().reads_wide()) return 0;
    if (chunk_ > 1) return tokens;
    const std::size_t rest = tokens % wide_rows();
    return rest < kWideFrom ? tokens - rest : tokens;
}

void Session::put_prompt(std::span<const std::uint32_t> tokens) {
    const std::uint32_t end = entry().prompt_end;
    for (std::size_t i = 0; i < tokens.size(); ++i) entry().prompt[(end + i) % shader::kPromptLength] = tokens[i];
    entry().prompt_end = end + static_cast<std::uint32_t>(tokens.size());
}

void Session::begin_reading() {
    entry().generating = 0;
    entry().stop_request = 0;
    entry().logits_every = 0;
}

Result<void> Session::reread(std::span<const std::uint32_t> produced) {
    begin_reading();
    return read_singly(produced);
}

Result<void> Session::read(std::span<const std::uint32_t> tokens) {
    begin_reading();
    const std::size_t wide = wide_share(tokens.size());
    if (wide > 0) FF_TRY(read_wide(tokens.first(wide)));
    if (wide < tokens.size()) FF_TRY(read_singly(tokens.subspan(wide)));
    has_logits_ = true;
    return {};
}

Result<void> Session::read_singly(std::span<const std::uint32_t> tokens) {
    const std::vector<VkCommandBuffer> steps(kPromptPiece, model_->step());
    std::uint64_t before = 0, last = 0; // timeline values of the two latest pieces
    for (std::size_t at = 0; at < tokens.size(); at += kPromptPiece) {
        const std::size_t count = std::min(kPromptPiece, tokens.size() - at);
        if (before) FF_TRY(model_->timeline().wait(before));
        put_prompt(tokens.subspan(at, count));
        before = last;
        FF_TRY_ASSIGN(last, model_->submit(number_, std::span(steps).first(count), static_cast<std::uint32_t>(count)));
    }
    return model_->timeline().wait(last);
}

Result<void> Session::read_wide(std::span<const std::uint32_t> tokens) {
    const std::size_t asked = std::min(wide_rows(), tokens.size());
    FF_TRY_ASSIGN(const WideStep *const step, model_->prompt_step(asked));
    const std::size_t rows = std::min<std::size_t>(asked, step->rows());
    std::uint64_t before = 0, last = 0; // timeline values of the two latest steps
    for (std::size_t at = 0; at < tokens.size(); at += rows) {
        const std::size_t count = std::min(rows, tokens.size() - at);
        if (before) FF_TRY(model_->timeline().wait(before));
        put_prompt(tokens.subspan(at, count));
        before = last;
        const ControlBlock::Run run{number_, static_cast<std::uint32_t>(count), at + count < tokens.size()};
        FF_TRY_ASSIGN(last, model_->submit_wide(std::span(&run, 1), step->read()));
    }
    return model_->timeline().wait(last);
}

Result<void> Session::fetch_logits(float *logits) {
    FF_TRY_ASSIGN(const VkCommandBuffer copy, model_->copy_of_logits(slot(), 0));
    FF_TRY_ASSIGN(const std::uint64_t value, model_->submit(number_, std::span(&copy, 1), 0));
    FF_TRY(model_->timeline().wait(value));
    std::copy_n(model_->readback_row(0), model_->description().vocabulary, logits);
    return {};
}

Result<void> Session::prefill(std::span<const std::uint32_t> tokens, float *logits) {
    FF_TRY(check_free());
    FF_TRY(check_tokens(tokens));
    const std::lock_guard lock(model_->mutex());
    FF_TRY(be_resident());
    FF_TRY(read(tokens));
    return logits ? fetch_logits(logits) : Result<void>{};
}

Result<void> Session::evaluate(std::span<const std::uint32_t> tokens, float *logits) {
    FF_TRY(check_free());
    FF_TRY(check_tokens(tokens));
    const std::lock_guard lock(model_->mutex());
    FF_TRY(be_resident());
    begin_reading();
    const std::size_t wide = wide_share(tokens.size());
    if (wide > 0) FF_TRY(evaluate_wide(tokens.first(wide), logits));
    if (wide < tokens.size())
        FF_TRY(evaluate_singly(tokens.subspan(wide), logits + wide * model_->description().vocabulary));
    has_logits_ = true;
    return {};
}

Result<void> Session::evaluate_wide(std::span<const std::uint32_t> tokens, float *logits) {
    const std::size_t asked = std::min(wide_rows(), tokens.size());
    FF_TRY_ASSIGN(WideStep *const step, model_->prompt_step(asked));
    const std::size_t rows = std::min<std::size_t>(asked, step->rows());
    const std::uint32_t vocabulary = model_->description().vocabulary;
    FF_TRY_ASSIGN(const StepCommands *const commands, step->read_with_logits(vocabulary));
    for (std::size_t at = 0; at < tokens.size(); at += rows) {
        const std::size_t count = std::min(rows, tokens.size() - at);
        put_prompt(tokens.subspan(at, count));
        const ControlBlock::Run run{number_, static_cast<std::uint32_t>(count), at + count < tokens.size()};
        FF_TRY_ASSIGN(const std::uint64_t value, model_->submit_wide(std::span(&run, 1), *commands));
        FF_TRY(model_->timeline().wait(value));
        std::copy_n(step->logits(), count * vocabulary, logits + at * vocabulary);
    }
    return {};
}

Result<void> Session::evaluate_singly(std::span<const std::uint32_t> tokens, float *logits) {
    entry().logits_every = 1;
    const std::size_t vocabulary = model_->description().vocabulary;
    for (std::size_t at = 0; at < tokens.size(); at += Model::kReadbackRows) {
        const std::size_t count = std::min<std::size_t>(Model::kReadbackRows, tokens.size() - at);
        std::vector<VkCommandBuffer> commands; // a step, then its logits to the host, in turn
        for (std::uint32_t i = 0; i < count; ++i) {
            FF_TRY_ASSIGN(const VkCommandBuffer copy, model_->copy_of_logits(slot(), i));
            commands.push_back(model_->step());
            commands.push_back(copy);
        }
        put_prompt(tokens.subspan(at, count));
        FF_TRY_ASSIGN(const std::uint64_t value, model_->submit(number_, commands, static_cast<std::uint32_t>(count)));
        FF_TRY(model_->timeline().wait(value));
        for (std::uint32_t i = 0; i < count; ++i)
            std::copy_n(model_->readback_row(i), vocabulary, logits + (at + i) * vocabulary);
    }
    return {};
}

Result<Snapshot> Session::snapshot() {
    FF_TRY(check_free());
    const std::lock_guard lock(model_->mutex());
    Snapshot snapshot;
    snapshot.shape = shape_of(model_->description());
    snapshot.parity = entry().parity;
    FF_TRY_ASSIGN(StatePager::State state, model_->pager().read(number_));
    snapshot.states = std::move(state.states);
    if (has_logits_) snapshot.logits = std::move(state.logits);
    return snapshot;
}

Result<void> Session::restore(const Snapshot &snapshot) {
    FF_TRY(check_free());
    const StateShape shape = shape_of(model_->description());
    if (snapshot.shape != shape)
        return Error{Status::argument,
                     fmt::format("the snapshot is of {}; the model is {}", text_of(snapshot.shape), text_of(shape))};
    const std::lock_guard lock(model_->mutex());
    FF_TRY(model_->pager().write(number_, snapshot.states, snapshot.logits));
    begin_from(snapshot.parity, !snapshot.logits.empty());
    return {};
}

Result<void> Session::save(const std::string &path) {
    FF_TRY_ASSIGN(const Snapshot taken, snapshot());
    return write_state_file(path, encode_state(taken, model_->loaded().states().layout(), model_->fingerprint()));
}

Result<void> Session::load(const std::string &path) {
    FF_TRY_ASSIGN(const std::unique_ptr<loader::TensorSource> file, loader::open_tensor_source(path));
    // All of it is checked before anything changes.
    FF_TRY_ASSIGN(const Snapshot read,
                  read_state(*file, shape_of(model_->description()), model_->loaded().states().layout()));
    return restore(read);
}

} // namespace ff::engine
