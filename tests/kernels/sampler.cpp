#include "tests/kernels/sampler.h"

#include <bit>
#include <cstring>
#include <limits>

namespace ff::test {
namespace {

constexpr std::uint32_t kSlots = 3, kEntries = 2;
constexpr std::size_t kHeaderWords = sizeof(shader::ControlHeader) / 4, kEntryWords = sizeof(shader::ControlEntry) / 4;
constexpr std::size_t kEntryAt = kHeaderWords + kEntryWords; // the second entry is ours

std::vector<std::uint32_t> bits_of(std::span<const float> values) {
    std::vector<std::uint32_t> bits;
    for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
}

} // namespace

Sampler::Sampler(std::uint32_t vocabulary, std::uint32_t slot)
    : vocabulary_(vocabulary), slot_(slot), scene_({.scratch_floats = vocabulary + 64ULL}),
      logits_memory_("logits", std::uint64_t{4} * kSlots * vocabulary + 512),
      history_memory_("history", std::uint64_t{4} * kSlots * vocabulary + 512),
      control_memory_("control", 4 * (kHeaderWords + kEntries * kEntryWords) + 512) {
    entry.top_p = entry.typical_p = 1; // all tokens
    // Other slots hold NaN: nothing of them may be read. So does our own history, which a new call forgets.
    const std::vector<float> unset(std::size_t{kSlots} * vocabulary, std::numeric_limits<float>::quiet_NaN());
    logits_view_ = logits_memory_.put(unset);
    history_view_ = history_memory_.put(unset);
    control_view_ = control_memory_.put(std::vector<std::uint32_t>(kHeaderWords + kEntries * kEntryWords, 0));
    work_ = scene_.output("work", vocabulary);
    const std::uint64_t row = std::uint64_t{4} * vocabulary;
    history_memory_.may_change(history_view_.slice(slot * row, row));
    control_memory_.may_change(control_view_.slice(0, 4));                                       // the step count
    control_memory_.may_change(control_view_.slice(4 * kEntryAt, sizeof(shader::ControlEntry))); // our entry
}

void Sampler::run(const kernels::Variant *variant, std::uint32_t count) {
    const std::uint64_t row = std::uint64_t{4} * vocabulary_;
    logits_memory_.set(logits_view_.slice(slot_ * row, row), bits_of(logits));
    entry.slot = slot_;
    std::vector<std::uint32_t> words(kEntryWords);
    std::memcpy(words.data(), &entry, sizeof entry);
    control_memory_.set(control_view_.slice(4 * kEntryAt, sizeof entry), words);
    header.slot = slot_;
    scene_.set_header(header);
    const std::vector<kernels::Launch> launches(
        count,
        kernels::sample(scene_.step(), {variant, vocabulary_, logits_view_, history_view_, work_, control_view_}));
    scene_.run(launches, {&logits_memory_, &history_memory_, &control_memory_});
}

shader::ControlEntry Sampler::entry_after() const {
    const auto words = control_memory_.words(control_view_.slice(4 * kEntryAt, sizeof(shader::ControlEntry)));
    shader::ControlEntry after{};
    std::memcpy(&after, words.data(), sizeof after);
    return after;
}

std::uint32_t Sampler::steps_after() const {
    return control_memory_.words(control_view_.slice(0, 4)).front();
}

std::vector<std::uint32_t> Sampler::produced() const {
    const shader::ControlEntry after = entry_after();
    return {after.tokens, after.tokens + after.produced};
}

reference::Sampling Sampler::sampling() const {
    reference::Sampling settings{.temperature = entry.temperature,
                                 .top_p = entry.top_p,
                                 .presence = entry.presence,
                                 .frequency = entry.frequency,
                                 .penalty_decay = entry.penalty_decay,
                                 .top_k = entry.top_k,
                                 .min_p = entry.min_p,
                                 .typical_p = entry.typical_p};
    for (std::uint32_t i = 0; i < entry.bias_count; ++i)
        settings.logit_bias.emplace_back(entry.bias_tokens[i], std::bit_cast<float>(entry.bias_values[i]));
    return settings;
}

} // namespace ff::test
