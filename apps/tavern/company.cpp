#include "company.h"

namespace tavern {
namespace {

constexpr double kPause = 0.9; // seconds between two turns

// What they have in common: the demo model was trained on plays, with cues like these.
constexpr std::string_view kOpening = "FALSTAFF:\nNow, Hal, what time of day is it, lad?\n\n"
                                      "PRINCE HENRY:\nThou art so fat-witted with drinking of old sack.\n\n"
                                      "MISTRESS QUICKLY:\nGood my lord, sit you by the fire, and be merry.\n\n";
constexpr std::string_view kGuestCue = "GENTLEMAN:\n";

std::string trimmed(const std::string &text) {
    const std::size_t first = text.find_first_not_of(" \n\r\t"), last = text.find_last_not_of(" \n\r\t");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

} // namespace

Company::Company(const firefinch::Model &model, const firefinch::Tokenizer &tokenizer, bool bytes, std::uint64_t seed)
    : tokenizer_(tokenizer), seed_(seed) {
    const char *const names[kCount][2] = {{"Sir John Falstaff", "FALSTAFF:\n"},
                                          {"Mistress Quickly", "MISTRESS QUICKLY:\n"},
                                          {"Prince Hal", "PRINCE HENRY:\n"}};
    std::vector<std::uint32_t> opening = tokenizer.encode(kOpening);
    if (bytes) opening.insert(opening.begin(), 0); // a new document
    for (std::size_t i = 0; i < kCount; ++i) {
        characters_[i].name = names[i][0];
        characters_[i].cue = names[i][1];
        characters_[i].session = std::make_unique<firefinch::Session>(model);
        characters_[i].session->prefill(opening);
    }
}

std::optional<std::size_t> Company::speaker() const {
    return turn_ ? std::optional(speaker_) : std::nullopt;
}

std::string Company::speech() const {
    return turn_ ? trimmed(turn_->speech()) : "";
}

Company::Progress Company::advance(std::uint64_t budget_us, double seconds) {
    Progress progress;
    if (!turn_) {
        pause_ -= seconds;
        if (pause_ > 0) return progress;
        begin_turn();
    }
    const Turn::Step step = turn_->advance(budget_us);
    progress.inference_us = step.inference_us;
    progress.tokens = step.tokens;
    if (step.over) finish_turn();
    return progress;
}

void Company::begin_turn() {
    speaker_ = next_;
    Character &character = characters_[speaker_];
    turn_ = std::make_unique<Turn>(*character.session, tokenizer_, tokenizer_.encode(character.unheard + character.cue),
                                   seed_++);
    character.unheard.clear();
}

void Company::finish_turn() {
    const std::string raw = turn_->speech(), text = trimmed(raw);
    turn_.reset();
    // It has read its own speech up to where that ended; the empty line belongs to it.
    if (!raw.ends_with("\n\n")) characters_[speaker_].unheard = raw.ends_with("\n") ? "\n" : "\n\n";
    tell_others(speaker_, characters_[speaker_].cue + text + "\n\n");
    if (!text.empty()) lines_.push_back({speaker_, text});
    next_ = (speaker_ + 1) % kCount;
    pause_ = text.empty() ? 0 : kPause;
}

void Company::say(const std::string &text) {
    lines_.push_back({kGuest, text});
    tell_others(kGuest, std::string(kGuestCue) + text + "\n\n");
    if (!turn_) pause_ = 0;
}

void Company::tell_others(std::size_t speaker, const std::string &text) {
    for (std::size_t i = 0; i < kCount; ++i)
        if (i != speaker) characters_[i].unheard += text;
}

void Company::save(std::size_t character, const std::string &path) const {
    characters_[character].session->save(path);
}

void Company::load(std::size_t character, const std::string &path) {
    characters_[character].session->load(path);
    characters_[character].unheard.clear();
}

} // namespace tavern
