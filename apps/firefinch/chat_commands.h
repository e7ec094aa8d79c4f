// What a line that begins with a slash does in a chat.
#pragma once

#include "chat_view.h"
#include "conversation.h"
#include "terminal.h"

#include <functional>
#include <string>

namespace program {

// Runs a turn: shows the reply and remembers nothing itself.
using Turn = std::function<void(const std::function<Reply(const Delivery::Sink &)> &)>;

// False: the chat is to end. `line` begins with "/". Mistakes are told and the chat goes on.
bool run_chat_command(const std::string &line, Conversation &conversation, Terminal &terminal, const Turn &turn);

extern const char *const kChatHelp;

} // namespace program
