// A conversation whose memory is the model's state: turns, steps back, and branches that go their own way.
#pragma once

#include "chat_template.h"
#include "delivery.h"
#include "terminal.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

struct ConversationOptions {
    std::string system;               // "": none
    std::vector<std::string> stops;   // beside the template's
    ff_sampling sampling{};           // its seed is that of the first reply; each further one adds 1
    std::uint64_t most_tokens = 1024; // of a reply
    std::size_t undo_depth = 16;
    std::optional<std::uint32_t> end_of_text; // read where the template says so, and ends a reply
    bool from_state = false;                  // the session has a state already: the template's beginning is left out
};

struct Reply {
    std::string user, text; // as generated, without what opened a thought
    std::string reason;     // "stop_token", "stop_text", "limit", "interrupted", "reader_gone"
    ff_generate_result result{};
    std::uint64_t prompt_tokens = 0, seed = 0;
    double prefill_seconds = 0;
};

class Conversation {
  public:
    // What a mistake of the user is told with; the conversation is as before.
    class Refused : public std::runtime_error {
      public:
        using std::runtime_error::runtime_error;
    };

    Conversation(firefinch::Session &session, const firefinch::Tokenizer &tokenizer, ChatTemplate form,
                 ConversationOptions options, Terminal &terminal);

    // Reads the user's text and lets the model answer; `sink` receives the reply as it comes. Afterwards the state has
    // read exactly the reply and the template's end of a turn. What throws leaves the conversation as before.
    Reply say(const std::string &text, const Delivery::Sink &sink);
    Reply retry(const Delivery::Sink &sink); // the last user's text again, with the next seed

    void reset();                        // to the beginning of this branch's conversation: nothing said
    std::size_t undo(std::size_t turns); // how many were taken back
    void fork(const std::string &name);  // a copy, in which the conversation goes on
    void switch_to(const std::string &name);
    void save(const std::string &path);
    void load(const std::string &path); // a state has no turns to take back

    const std::string &branch() const { return current_; }
    std::vector<std::string> branches() const;
    std::size_t turns() const; // of this branch
    const ChatTemplate &form() const { return form_; }

    struct Statistics {
        std::uint64_t replies = 0, read_tokens = 0, produced_tokens = 0;
        double read_seconds = 0, produced_seconds = 0;
        std::uint64_t snapshot_bytes = 0; // of one
    };
    Statistics statistics() const { return statistics_; }

  private:
    using State = std::shared_ptr<const firefinch::Snapshot>;
    struct Point { // before a user's text was read
        State state;
        std::size_t messages = 0;
        std::string user;
    };
    struct Branch {
        std::vector<Message> messages;
        std::deque<Point> points; // the last ones
        bool from_state = false;
        State state; // while another branch is current
    };

    State snapshot();
    void restore(const State &state) { session_.restore(*state); }
    Branch &here() { return branches_.at(current_); }
    std::string text_to_read(const std::string &user);
    std::vector<std::uint32_t> encode(const std::string &rendered) const;
    void read(const std::vector<std::uint32_t> &ids, Reply &reply);
    void generate(const Delivery::Sink &sink, Reply &reply);
    void settle(const State &before, const Delivery &delivery);
    std::vector<std::uint32_t> stop_tokens() const;

    firefinch::Session &session_;
    const firefinch::Tokenizer &tokenizer_;
    const ChatTemplate form_;
    const ConversationOptions options_;
    Terminal &terminal_;
    State origin_;
    std::map<std::string, Branch> branches_;
    std::string current_ = "main";
    std::uint64_t next_seed_;
    Statistics statistics_;
};

} // namespace program
