#include "runtime/engine/generation.h"

#include "runtime/engine/thread_time.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace ff::engine {
namespace {

// One entry a token, which the device may add to without a thought for others.
std::map<std::uint32_t, float> summed(const std::vector<LogitBias> &given) {
    std::map<std::uint32_t, float> biases;
    for (const LogitBias &bias : given) biases[bias.token] += bias.bias;
    return biases;
}

Result<void> check(const GenerateOptions &options, const loader::ModelDescription &description) {
    const Sampling &s = options.sampling;
    const auto bad = [](std::string_view name, float value, std::string_view range) {
        return Error{Status::argument, fmt::format("{} is {}, it must be {}", name, value, range)};
    };
    if (options.count == 0) return Error{Status::argument, "generating 0 tokens: the count must be 1 or more"};
    if (options.count > 0xfffffffeU)
        return Error{Status::argument,
                     fmt::format("generating {} tokens: at most {} in one call", options.count, 0xfffffffeU)};
    if (!(s.temperature >= 0.0F) || !std::isfinite(s.temperature))
        return bad("temperature", s.temperature, "0 or more");
    if (!(s.top_p > 0.0F && s.top_p <= 1.0F)) return bad("top_p", s.top_p, "above 0 and at most 1");
    if (!std::isfinite(s.presence)) return bad("presence", s.presence, "finite");
    if (!std::isfinite(s.frequency)) return bad("frequency", s.frequency, "finite");
    if (!(s.penalty_decay >= 0.0F && s.penalty_decay <= 1.0F))
        return bad("penalty_decay", s.penalty_decay, "between 0 and 1");
    if (!(s.min_p >= 0.0F && s.min_p <= 1.0F)) return bad("min_p", s.min_p, "between 0 and 1");
    if (!(s.typical_p > 0.0F && s.typical_p <= 1.0F)) return bad("typical_p", s.typical_p, "above 0 and at most 1");
    const std::map<std::uint32_t, float> biases = summed(s.logit_bias);
    for (const auto &[token, bias] : biases) {
        if (!std::isfinite(bias)) return bad(fmt::format("the logit bias of token {}", token), bias, "finite");
        if (token >= description.vocabulary)
            return Error{
                Status::argument,
                fmt::format("token {} has a logit bias and is beyond the vocabulary: this model has ids 0 to {}", token,
                            description.vocabulary - 1)};
    }
    if (biases.size() > shader::kMaxLogitBias)
        return Error{Status::argument,
                     fmt::format("{} tokens have a logit bias: at most {} may", biases.size(), shader::kMaxLogitBias)};
    if (options.stop_tokens.size() > shader::kMaxStopTokens)
        return Error{Status::argument,
                     fmt::format("{} stop tokens: at most {}", options.stop_tokens.size(), shader::kMaxStopTokens)};
    for (const std::uint32_t token : options.stop_tokens)
        if (token >= description.vocabulary)
            return Error{Status::argument,
                         fmt::format("stop token {} is beyond the vocabulary: this model has ids 0 to {}", token,
                                     description.vocabulary - 1)};
    return {};
}

} // namespace

Session::Generation::Generation(Session &session, const GenerateOptions &options)
    : session_(session), model_(*session.model_), options_(options), entry_(session.entry()) {
    const std::uint32_t in_flight =
        std::clamp(options.in_flight ? options.in_flight : kDefaultInFlight, 1U, kMaxInFlight);
    batches_ahead_ = in_flight > 1 ? 2 : 1;
    batch_steps_ = std::max<std::uint64_t>(1, in_flight / 2);
}

void Session::Generation::begin() {
    const Sampling &s = options_.sampling;
    first_parity_ = entry_.parity;
    entry_.temperature = s.temperature;
    entry_.top_k = s.top_k;
    entry_.top_p = s.top_p;
    entry_.presence = s.presence;
    entry_.frequency = s.frequency;
    entry_.penalty_decay = s.penalty_decay;
    entry_.min_p = s.min_p;
    entry_.typical_p = s.typical_p;
    std::uint32_t biases = 0;
    for (const auto &[token, bias] : summed(s.logit_bias)) {
        entry_.bias_tokens[biases] = token;
        entry_.bias_values[biases++] = std::bit_cast<std::uint32_t>(bias);
    }
    entry_.bias_count = biases;
    entry_.seed_low = static_cast<std::uint32_t>(s.seed);
    entry_.seed_high = static_cast<std::uint32_t>(s.seed >> 32);
    entry_.stop_count = static_cast<std::uint32_t>(options_.stop_tokens.size());
    for (std::size_t i = 0; i < options_.stop_tokens.size(); ++i) entry_.stop_tokens[i] = options_.stop_tokens[i];
    entry_.produced = 0;
    entry_.limit = static_cast<std::uint32_t>(options_.count);
    entry_.halt = shader::kHaltNone;
    entry_.pending = 0;
    entry_.stop_request = 0;
    entry_.logits_every = 0;
    entry_.generating = 1;
}

// Step 0 samples from the logits that are there; step i reads token i - 1 and samples token i; the last only reads.
Result<void> Session::Generation::submit_batch() {
    Batch batch{};
    batch.first_step = next_step_;
    batch.steps = std::min(batch_steps_, options_.count + 1 - next_step_);
    std::vector<VkCommandBuffer> commands;
    if (options_.on_token) { // only a caller who is asked can stop in between
        batch.spare = model_.spare_slot(static_cast<std::uint32_t>(next_step_ / batch_steps_ % 2));
        FF_TRY_ASSIGN(const VkCommandBuffer copy, model_.copy_of_slot(session_.slot_, batch.spare));
        commands.push_back(copy);
    }
    commands.insert(commands.end(), batch.steps, model_.step());
    FF_TRY_ASSIGN(batch.last_value, model_.submit(session_.slot_, commands, static_cast<std::uint32_t>(batch.steps)));
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
        FF_TRY_ASSIGN(const VkCommandBuffer copy, model_.copy_of_slot(batch->spare, session_.slot_));
        FF_TRY(model_.submit(session_.slot_, std::span(&copy, 1), 0));
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
    FF_TRY(check(options, model_->description()));
    if (!has_logits_)
        return Error{Status::argument, "nothing was read yet, so there is nothing to go on from: read a prompt first"};
    const std::lock_guard lock(model_->mutex());
    return Generation(*this, options).run();
}

} // namespace ff::engine
