// How replies are shown: streamed to a person, whole thoughts dimmed; a line each in a pipe; or a JSON line each.
#pragma once

#include "conversation.h"
#include "files.h"
#include "text.h"
#include "thinking.h"

#include <string>

namespace program {

struct ChatViewOptions {
    bool json = false, interactive = false, hide_thinking = false, colour = false;
};

class ChatView {
  public:
    explicit ChatView(ChatViewOptions options) : options_(options) {}

    // A sink for one reply that goes on from `opening`, what the template left open of a thought.
    Delivery::Sink begin(const std::string &opening);
    // To be called when the reply is complete, or was broken off by an error.
    void end();
    // The JSON line, where one is wanted.
    void report(const Reply &reply, const std::string &branch);
    bool reader_gone() const { return gone_; }

  private:
    void show(const Thinking::Piece &piece);
    void write(const std::string &text);
    void style(bool dim);

    const ChatViewOptions options_;
    Output out_;
    Thinking thinking_;
    std::string thought_, answer_;
    bool dim_ = false, gone_ = false, shown_ = false;
};

} // namespace program
