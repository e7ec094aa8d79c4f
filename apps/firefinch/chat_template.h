// How a conversation is written down for a model: who speaks, where a turn ends, where the reply begins.
#pragma once

#include "jinja/template.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace program {

struct Message {
    std::string role; // "system", "user", "assistant"
    std::string content;
};

// What the reply begins with: whatever the template says without a word about it, an opened thought, an empty thought.
enum class Think { unsaid, off, on, fake };

class ChatTemplate {
  public:
    // Stands in rendered text for the vocabulary's end of text, which is a token and has no text: a Unicode
    // noncharacter, which messages are freed of.
    static constexpr std::string_view kEndOfText = "\xEF\xB7\x90"; // U+FDD0

    // "world", "g1" or "demo"; nullopt for another name.
    static std::optional<ChatTemplate> named(std::string_view name, Think think);
    // A Jinja template; `source` says in messages where it is from. Throws Failure if it cannot be used.
    ChatTemplate(std::string source, std::string_view jinja, Think think);

    const std::string &source() const { return source_; }
    // Throws Failure. `reply_follows`: up to where the model goes on.
    std::string render(const std::vector<Message> &messages, bool reply_follows) const;
    // A user's or system's text as it goes into a message: new lines as \n, nothing blank around it, and for RWKV's own
    // forms no empty line within, since that is what ends a turn.
    std::string message_text(std::string_view given) const;

    // What follows a reply: "\n\n".
    const std::string &turn_end() const { return turn_end_; }
    // Texts that mean the reply is over: turn_end, and what the next message begins with.
    const std::vector<std::string> &stops() const { return stops_; }
    // The thought that render() leaves open at its end, from " <think" on; "" if none.
    const std::string &opening() const { return opening_; }
    // A turn's end that is blank may also stand between the paragraphs of a thought.
    bool blank_ends_turn() const { return blank_ends_turn_; }

  private:
    void derive();

    std::string source_;
    jinja::Template template_;
    Think think_;
    bool one_paragraph_ = false; // of every message
    bool blank_ends_turn_ = true;
    std::string turn_end_, opening_;
    std::vector<std::string> stops_;
};

} // namespace program
