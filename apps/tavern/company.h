// Who sits at the table: each has a session, which remembers all that was said, and takes turns.
#pragma once

#include "turn.h"

#include <array>
#include <memory>
#include <optional>

namespace tavern {

struct Character {
    std::string name; // on screen
    std::string cue;  // before a speech, as in a play
    std::unique_ptr<firefinch::Session> session;
    std::string unheard; // said by others since this one's last turn
};

struct Line {
    std::size_t speaker; // of the characters; kGuest: the player
    std::string text;
};

class Company {
  public:
    static constexpr std::size_t kCount = 3, kGuest = kCount;

    // Makes the sessions and lets each read the opening of the scene: takes a while, for a thread of its own.
    Company(const firefinch::Model &model, const firefinch::Tokenizer &tokenizer, bool bytes, std::uint64_t seed);

    // Within a frame: goes on with the turn, or begins the next one after a pause.
    struct Progress {
        double inference_us = 0;
        std::uint32_t tokens = 0;
    };
    Progress advance(std::uint64_t budget_us, double seconds);
    void say(const std::string &text); // the player; somebody answers

    const std::array<Character, kCount> &characters() const { return characters_; }
    std::optional<std::size_t> speaker() const; // whose turn it is
    bool thinking() const { return turn_ && turn_->reading(); }
    std::string speech() const;                               // so far
    const std::vector<Line> &lines() const { return lines_; } // that were finished

    // A character's memory as a file; not while it has its turn. Throw firefinch::Error.
    void save(std::size_t character, const std::string &path) const;
    void load(std::size_t character, const std::string &path);

  private:
    void begin_turn();
    void finish_turn();
    void tell_others(std::size_t speaker, const std::string &text);

    const firefinch::Tokenizer &tokenizer_;
    std::array<Character, kCount> characters_;
    std::size_t speaker_ = 0, next_ = 0;
    std::unique_ptr<Turn> turn_;
    double pause_ = 0; // seconds until the next turn
    std::uint64_t seed_;
    std::vector<Line> lines_;
};

} // namespace tavern
