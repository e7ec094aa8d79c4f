#include "sampling_options.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <system_error>

#include <fmt/format.h>

namespace program {
namespace {

constexpr std::size_t kMostBiases = 256; // ff_sampling.logit_bias

template <class Number>
bool parse_all(std::string_view text, Number &out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

ff_logit_bias parse_bias(const std::string &text) {
    const std::size_t equals = text.find('=');
    ff_logit_bias bias{};
    if (equals == std::string::npos || !parse_all(std::string_view(text).substr(0, equals), bias.token) ||
        !parse_all(std::string_view(text).substr(equals + 1), bias.bias) || !std::isfinite(bias.bias))
        throw CLI::ValidationError("--logit-bias",
                                   fmt::format("'{}' is not ID=V, a token id and a number, as in 187=-5.5", text));
    return bias;
}

// "0.5; demo model 0.9": those that differ from the first are named.
std::string defaults_text(const std::vector<NamedDefaults> &defaults, float SamplingDefaults::*value) {
    std::string text;
    for (const NamedDefaults &set : defaults) {
        if (text.empty())
            text = fmt::format("{}", set.values.*value);
        else if (set.values.*value != defaults.front().values.*value)
            text += fmt::format("; {} {}", set.models, set.values.*value);
    }
    return text;
}

float value_or(const CLI::Option *option, float given, float otherwise) {
    return option->empty() ? otherwise : given;
}

} // namespace

void SamplingOptions::add_logit_bias(CLI::App &command) {
    const auto take = [this](const std::vector<std::string> &texts) {
        biases_.clear();
        for (const std::string &text : texts) biases_.push_back(parse_bias(text));
        if (biases_.size() > kMostBiases)
            throw CLI::ValidationError("--logit-bias", fmt::format("it was given {} times, at most {} are possible",
                                                                   biases_.size(), kMostBiases));
    };
    command
        .add_option_function<std::vector<std::string>>("--logit-bias", take,
                                                       "Add V to the logit of token ID; may be given several times")
        ->type_name("ID=V")
        ->allow_extra_args(false);
}

void SamplingOptions::add(CLI::App &command, const std::vector<NamedDefaults> &defaults) {
    const auto real = [&](const std::string &name, float &out, const std::string &help, float SamplingDefaults::*value,
                          float low, float high) {
        return add_real(command, name, out, fmt::format("{} [{}]", help, defaults_text(defaults, value)), low, high);
    };
    temperature_ = real("--temp", given_.temperature, "Temperature; 0 takes the most probable token",
                        &SamplingDefaults::temperature, 0.0f, 100.0f);
    add_whole(command, "--top-k", top_k_, "Only the K most probable tokens; 0: all [0]", 0,
              std::numeric_limits<std::uint32_t>::max());
    top_p_ = real("--top-p", given_.top_p, "Only the fewest tokens whose probability reaches P",
                  &SamplingDefaults::top_p, 1e-6f, 1.0f);
    add_real(command, "--min-p", given_.min_p,
             "Only tokens at least P times as probable as the most probable one; 0: all [0]", 0.0f, 1.0f);
    add_real(command, "--typical", given_.typical_p,
             "Only the fewest tokens that reach probability P, the most typical first; 1: all [1]", 1e-6f, 1.0f);
    presence_ = real("--presence", given_.presence, "Taken from the logit of every token produced before",
                     &SamplingDefaults::presence, -100.0f, 100.0f);
    frequency_ = real("--frequency", given_.frequency, "Times a token's decayed count, taken from its logit",
                      &SamplingDefaults::frequency, -100.0f, 100.0f);
    penalty_decay_ = real("--penalty-decay", given_.penalty_decay, "What the counts are multiplied by at each token",
                          &SamplingDefaults::penalty_decay, 0.0f, 1.0f);
    add_logit_bias(command);
    seed_ = add_whole(command, "--seed", seed_value_,
                      "Same seed, same device, same build: same tokens [random, shown by -v and --json]");
}

ff_sampling SamplingOptions::sampling(const SamplingDefaults &defaults) const {
    ff_sampling wanted = given_;
    wanted.temperature = value_or(temperature_, given_.temperature, defaults.temperature);
    wanted.top_p = value_or(top_p_, given_.top_p, defaults.top_p);
    wanted.presence = value_or(presence_, given_.presence, defaults.presence);
    wanted.frequency = value_or(frequency_, given_.frequency, defaults.frequency);
    wanted.penalty_decay = value_or(penalty_decay_, given_.penalty_decay, defaults.penalty_decay);
    wanted.top_k = static_cast<std::uint32_t>(top_k_);
    wanted.seed = seed_->empty() ? std::random_device{}() : seed_value_;
    wanted.logit_bias = biases_.data();
    wanted.logit_bias_count = biases_.size();
    return wanted;
}

} // namespace program
