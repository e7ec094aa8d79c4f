#include "runtime/engine/generate_options.h"

#include <bit>
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

} // namespace

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

void begin_generating(volatile shader::ControlEntry &entry, const GenerateOptions &options) {
    const Sampling &s = options.sampling;
    entry.temperature = s.temperature;
    entry.top_k = s.top_k;
    entry.top_p = s.top_p;
    entry.presence = s.presence;
    entry.frequency = s.frequency;
    entry.penalty_decay = s.penalty_decay;
    entry.min_p = s.min_p;
    entry.typical_p = s.typical_p;
    std::uint32_t biases = 0;
    for (const auto &[token, bias] : summed(s.logit_bias)) {
        entry.bias_tokens[biases] = token;
        entry.bias_values[biases++] = std::bit_cast<std::uint32_t>(bias);
    }
    entry.bias_count = biases;
    entry.seed_low = static_cast<std::uint32_t>(s.seed);
    entry.seed_high = static_cast<std::uint32_t>(s.seed >> 32);
    entry.stop_count = static_cast<std::uint32_t>(options.stop_tokens.size());
    for (std::size_t i = 0; i < options.stop_tokens.size(); ++i) entry.stop_tokens[i] = options.stop_tokens[i];
    entry.produced = 0;
    entry.limit = static_cast<std::uint32_t>(options.count);
    entry.halt = shader::kHaltNone;
    entry.pending = 0;
    entry.stop_request = 0;
    entry.logits_every = 0;
    entry.generating = 1;
}

} // namespace ff::engine
