#include "chat_commands.h"

#include "text.h"

#include <charconv>

#include <fmt/format.h>

namespace program {

const char *const kChatHelp = "/help             this list\n"
                              "/undo [N]         take the last turn back, or the last N\n"
                              "/retry            another reply to the same text\n"
                              "/reset            forget everything said\n"
                              "/fork NAME        go on in a copy; this branch stays as it is\n"
                              "/switch [NAME]    to another branch; without a name: which there are\n"
                              "/save FILE        write the state, all of the conversation that the model remembers\n"
                              "/load FILE        go on from a state\n"
                              "/stats            tokens, speed, memory\n"
                              "/quit, Ctrl-D     end the chat\n"
                              "//text            a text that begins with a slash\n"
                              "Ctrl-C stops a reply and keeps the chat; a line that ends in \\ goes on in the next.";

namespace {

struct Line {
    std::string command, argument;
};

Line parse(const std::string &text) {
    constexpr const char *kBlank = " \t\r\n";
    const std::size_t name_end = std::min(text.find_first_of(kBlank), text.size());
    Line line{text.substr(0, name_end), {}};
    if (const std::size_t begin = text.find_first_not_of(kBlank, name_end); begin != std::string::npos)
        line.argument = text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
    return line;
}

std::size_t count_of(const std::string &argument) {
    if (argument.empty()) return 1;
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), count);
    if (error != std::errc{} || end != argument.data() + argument.size() || count == 0)
        throw Conversation::Refused(fmt::format("'{}' is not a number of turns: /undo [N]", argument));
    return count;
}

double per_second(std::uint64_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

std::string statistics_text(const Conversation &conversation) {
    const Conversation::Statistics all = conversation.statistics();
    return fmt::format("branch       {}, {} turns\n"
                       "read         {} tokens, {:.1f} tokens/s\n"
                       "produced     {} tokens in {} replies, {:.1f} tokens/s\n"
                       "state        {}",
                       conversation.branch(), conversation.turns(), grouped(all.read_tokens),
                       per_second(all.read_tokens, all.read_seconds), grouped(all.produced_tokens), all.replies,
                       per_second(all.produced_tokens, all.produced_seconds), bytes_text(all.snapshot_bytes));
}

std::string branches_text(const Conversation &conversation) {
    std::string text;
    for (const std::string &name : conversation.branches())
        text += fmt::format("{}{} {}", text.empty() ? "" : "\n", name == conversation.branch() ? "*" : " ", name);
    return text;
}

void run(const Line &line, Conversation &conversation, Terminal &terminal, const Turn &turn) {
    const std::string &command = line.command, &argument = line.argument;
    if (command == "/help") {
        terminal.tell(kChatHelp);
    } else if (command == "/undo") {
        const std::size_t count = conversation.undo(count_of(argument));
        terminal.note(fmt::format("{} turn{} taken back, {} left", count, count == 1 ? "" : "s", conversation.turns()));
    } else if (command == "/retry") {
        turn([&](const Delivery::Sink &sink) { return conversation.retry(sink); });
    } else if (command == "/reset") {
        conversation.reset();
        terminal.note("everything is forgotten");
    } else if (command == "/fork") {
        conversation.fork(argument);
        terminal.note(fmt::format("on branch {}", conversation.branch()));
    } else if (command == "/switch" && argument.empty()) {
        terminal.tell(branches_text(conversation));
    } else if (command == "/switch") {
        conversation.switch_to(argument);
        terminal.note(fmt::format("on branch {}, {} turns", conversation.branch(), conversation.turns()));
    } else if (command == "/save") {
        conversation.save(argument);
        terminal.note(fmt::format("saved as {}", argument));
    } else if (command == "/load") {
        conversation.load(argument);
        terminal.note(fmt::format("going on from {}", argument));
    } else if (command == "/stats") {
        terminal.tell(statistics_text(conversation));
    } else {
        throw Conversation::Refused(fmt::format("there is no command '{}'; /help lists them", command));
    }
}

} // namespace

bool run_chat_command(const std::string &text, Conversation &conversation, Terminal &terminal, const Turn &turn) {
    const Line line = parse(text);
    if (line.command == "/quit" || line.command == "/exit") return false;
    try {
        run(line, conversation, terminal, turn);
    } catch (const Conversation::Refused &refused) {
        terminal.complain(refused.what());
    } catch (const firefinch::Error &error) {
        if (error.status() == FF_ERROR_DEVICE_LOST) throw;
        terminal.complain(error.what());
    }
    return true;
}

} // namespace program
