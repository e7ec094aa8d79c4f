#include "runtime/engine/session.h"

#include "runtime/engine/state_file.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::engine {
namespace {

// Prompt tokens submitted at once; two such pieces are in flight, so the ring holds both with room to spare.
constexpr std::size_t kPromptPiece = shader::kPromptLength / 4;

} // namespace

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<Model> model) {
    FF_TRY_ASSIGN(const std::uint32_t slot, model->take_slot());
    std::unique_ptr<Session> session(new Session(std::move(model), slot));
    FF_TRY(session->reset());
    return session;
}

Session::~Session() {
    model_->give_slot(slot_);
}

Result<void> Session::reset() {
    const std::lock_guard lock(model_->mutex());
    FF_TRY(model_->reset_slot(slot_));
    begin_from(0, false);
    return {};
}

Result<std::unique_ptr<Session>> Session::fork() {
    FF_TRY_ASSIGN(const std::uint32_t slot, model_->take_slot());
    std::unique_ptr<Session> other(new Session(model_, slot));
    const std::lock_guard lock(model_->mutex());
    FF_TRY_ASSIGN(const VkCommandBuffer copy, model_->copy_of_session(slot_, slot));
    FF_TRY_ASSIGN(const std::uint64_t value, model_->submit(slot, std::span(&copy, 1), 0));
    FF_TRY(model_->timeline().wait(value));
    other->begin_from(entry().parity, has_logits_);
    return other;
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

Result<void> Session::read(std::span<const std::uint32_t> tokens) {
    entry().generating = 0;
    entry().stop_request = 0;
    entry().logits_every = 0;
    const std::vector<VkCommandBuffer> steps(kPromptPiece, model_->step());
    std::uint64_t before = 0, last = 0; // timeline values of the two latest pieces
    for (std::size_t at = 0; at < tokens.size(); at += kPromptPiece) {
        const std::size_t count = std::min(kPromptPiece, tokens.size() - at);
        if (before) FF_TRY(model_->timeline().wait(before));
        const std::uint32_t end = entry().prompt_end;
        for (std::size_t i = 0; i < count; ++i) entry().prompt[(end + i) % shader::kPromptLength] = tokens[at + i];
        entry().prompt_end = end + static_cast<std::uint32_t>(count);
        before = last;
        FF_TRY_ASSIGN(last, model_->submit(slot_, std::span(steps).first(count), static_cast<std::uint32_t>(count)));
    }
    FF_TRY(model_->timeline().wait(last));
    has_logits_ = true;
    return {};
}

Result<void> Session::fetch_logits(float *logits) {
    FF_TRY_ASSIGN(const VkCommandBuffer copy, model_->copy_of_logits(slot_, 0));
    FF_TRY_ASSIGN(const std::uint64_t value, model_->submit(slot_, std::span(&copy, 1), 0));
    FF_TRY(model_->timeline().wait(value));
    std::copy_n(model_->readback_row(0), model_->description().vocabulary, logits);
    return {};
}

Result<void> Session::prefill(std::span<const std::uint32_t> tokens, float *logits) {
    FF_TRY(check_tokens(tokens));
    const std::lock_guard lock(model_->mutex());
    FF_TRY(read(tokens));
    return logits ? fetch_logits(logits) : Result<void>{};
}

Result<void> Session::evaluate(std::span<const std::uint32_t> tokens, float *logits) {
    FF_TRY(check_tokens(tokens));
    const std::lock_guard lock(model_->mutex());
    entry().generating = 0;
    entry().stop_request = 0;
    entry().logits_every = 1;
    const std::size_t vocabulary = model_->description().vocabulary;
    for (std::size_t at = 0; at < tokens.size(); at += Model::kReadbackRows) {
        const std::size_t count = std::min<std::size_t>(Model::kReadbackRows, tokens.size() - at);
        const std::uint32_t end = entry().prompt_end;
        std::vector<VkCommandBuffer> commands; // a step, then its logits to the host, in turn
        for (std::uint32_t i = 0; i < count; ++i) {
            entry().prompt[(end + i) % shader::kPromptLength] = tokens[at + i];
            FF_TRY_ASSIGN(const VkCommandBuffer copy, model_->copy_of_logits(slot_, i));
            commands.push_back(model_->step());
            commands.push_back(copy);
        }
        entry().prompt_end = end + static_cast<std::uint32_t>(count);
        FF_TRY_ASSIGN(const std::uint64_t value, model_->submit(slot_, commands, static_cast<std::uint32_t>(count)));
        FF_TRY(model_->timeline().wait(value));
        for (std::uint32_t i = 0; i < count; ++i)
            std::copy_n(model_->readback_row(i), vocabulary, logits + (at + i) * vocabulary);
    }
    has_logits_ = true;
    return {};
}

Result<Snapshot> Session::snapshot() {
    const std::lock_guard lock(model_->mutex());
    Snapshot snapshot;
    snapshot.shape = shape_of(model_->description());
    snapshot.parity = entry().parity;
    FF_TRY_ASSIGN(snapshot.states, model_->read_slot(slot_));
    if (has_logits_) {
        snapshot.logits.resize(model_->description().vocabulary);
        FF_TRY(fetch_logits(snapshot.logits.data()));
    }
    return snapshot;
}

Result<void> Session::restore(const Snapshot &snapshot) {
    const StateShape shape = shape_of(model_->description());
    if (snapshot.shape != shape)
        return Error{Status::argument,
                     fmt::format("the snapshot is of {}; the model is {}", text_of(snapshot.shape), text_of(shape))};
    const std::lock_guard lock(model_->mutex());
    FF_TRY(model_->write_slot(slot_, snapshot.states));
    if (!snapshot.logits.empty()) FF_TRY(model_->write_logits(slot_, snapshot.logits));
    begin_from(snapshot.parity, !snapshot.logits.empty());
    return {};
}

Result<void> Session::save(const std::string &path) {
    FF_TRY_ASSIGN(const Snapshot taken, snapshot());
    return write_state_file(path, taken, model_->loaded().states().layout(), model_->fingerprint());
}

Result<void> Session::load(const std::string &path) {
    FF_TRY_ASSIGN(const std::unique_ptr<loader::TensorSource> file, loader::open_tensor_source(path));
    // All of it is checked before anything changes.
    FF_TRY_ASSIGN(const Snapshot read,
                  read_state(*file, shape_of(model_->description()), model_->loaded().states().layout()));
    return restore(read);
}

} // namespace ff::engine
