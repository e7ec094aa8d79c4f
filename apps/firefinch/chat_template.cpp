#include "chat_template.h"

#include "failure.h"

#include <algorithm>

#include <fmt/format.h>

namespace program {
namespace {

// RWKV's recommended forms (BlinkDL's World and G1 model cards): turns end with an empty line, and nothing stands
// behind "Assistant:", since the space belongs to the reply's first token. The thought is opened without its ">" for
// the same reason.
constexpr std::string_view kWorld =
    R"({{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ 'User: ' ~ m.content ~ '\n\n' }})"
    R"({% elif m.role == 'assistant' %}{{ 'Assistant:' ~ m.content ~ '\n\n' }})"
    R"({% else %}{{ 'System: ' ~ m.content ~ '\n\n' }}{% endif %}{% endfor %})"
    R"({% if add_generation_prompt %}{{ 'Assistant:' ~ (' <think' if think == 'on' else ' <think>\n</think' )"
    R"(if think == 'fake' else '') }}{% endif %})";
// The demo model's plays: a name, a new line, the speech, an empty line. Stage directions stand alone.
constexpr std::string_view kDemo =
    R"({{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ 'JULIET:\n' ~ m.content ~ '\n\n' }})"
    R"({% elif m.role == 'assistant' %}{{ 'ROMEO:\n' ~ m.content ~ '\n\n' }})"
    R"({% else %}{{ m.content ~ '\n\n' }}{% endif %}{% endfor %})"
    R"({% if add_generation_prompt %}{{ 'ROMEO:\n' }}{% endif %})";

constexpr std::string_view kProbe = "\xEF\xB7\x91"; // U+FDD1, a reply's place when a template is tried
constexpr std::string_view kBlank = " \t\r\n";

std::string without(std::string text, std::string_view part) {
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos;) text.erase(at, part.size());
    return text;
}

std::string_view without_blank_end(std::string_view text) {
    return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

bool blank(std::string_view text) {
    return text.find_first_not_of(kBlank) == std::string_view::npos;
}

const char *name_of(Think think) {
    return think == Think::on ? "on" : think == Think::fake ? "fake" : "off";
}

} // namespace

std::optional<ChatTemplate> ChatTemplate::named(std::string_view name, Think think) {
    if (name != "world" && name != "g1" && name != "demo") return std::nullopt;
    ChatTemplate made(fmt::format("the template '{}'", name), name == "demo" ? kDemo : kWorld, think);
    made.one_paragraph_ = true;
    made.blank_ends_turn_ = name != "g1"; // which answers in paragraphs
    made.derive();
    return made;
}

ChatTemplate::ChatTemplate(std::string source, std::string_view jinja, Think think) try
    : source_(std::move(source)), template_(jinja), think_(think) {
    blank_ends_turn_ = think != Think::on;
    derive();
} catch (const jinja::TemplateError &error) {
    throw Failure(fmt::format("{}, {}; choose another one with --template", source, error.what()));
}

std::string ChatTemplate::render(const std::vector<Message> &messages, bool reply_follows) const {
    jinja::Value::List list;
    for (const Message &message : messages)
        list.emplace_back(jinja::Value::Map{{"role", message.role}, {"content", message.content}});
    jinja::Value::Map variables = {{"messages", std::move(list)},
                                   {"add_generation_prompt", reply_follows},
                                   {"bos_token", std::string(kEndOfText)},
                                   {"eos_token", std::string(kEndOfText)},
                                   {"think", name_of(think_)}};
    if (think_ != Think::unsaid)
        variables.emplace_back("enable_thinking", think_ == Think::on); // as llama.cpp calls it
    try {
        return template_.render(std::move(variables));
    } catch (const jinja::TemplateError &error) {
        throw Failure(fmt::format("{}, {}; choose another one with --template", source_, error.what()));
    }
}

std::string ChatTemplate::message_text(std::string_view given) const {
    std::string text;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const char c = given[i] == '\r' ? '\n' : given[i];
        if (given[i] == '\r' && i + 1 < given.size() && given[i + 1] == '\n') ++i;
        if (!(one_paragraph_ && c == '\n' && text.ends_with('\n'))) text += c;
    }
    text = without(without(std::move(text), kEndOfText), kProbe);
    text.resize(without_blank_end(text).size());
    return text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
}

// Tried on a conversation in which the reply and the message after it are known, a template shows what stands around
// them.
void ChatTemplate::derive() {
    const std::string probe(kProbe);
    const std::vector<Message> asked = {{"user", "1"}};
    std::vector<Message> answered = asked;
    answered.push_back({"assistant", probe});
    const std::string before = render(asked, false), open = render(asked, true), closed = render(answered, false);
    stops_.clear();
    if (const std::size_t at = closed.rfind(kProbe); at != std::string::npos) {
        turn_end_ = closed.substr(at + kProbe.size());
        const std::string end = without(turn_end_, kEndOfText);
        if (!blank(end)) stops_.emplace_back(without_blank_end(end));
        if (blank(end) && !end.empty() && blank_ends_turn_) stops_.push_back(end);
        answered.push_back({"user", probe});
        const std::string next = render(answered, false);
        const std::size_t first = next.find(kProbe), second = next.find(kProbe, first + 1);
        if (second != std::string::npos) {
            const std::string between =
                without(next.substr(first + kProbe.size(), second - first - kProbe.size()), kEndOfText);
            if (!blank(between)) stops_.emplace_back(without_blank_end(between));
        }
    }
    opening_.clear();
    const std::size_t prompt = open.starts_with(before) ? before.size() : 0;
    if (std::size_t at = open.find("<think", prompt); at != std::string::npos) {
        if (at > prompt && open[at - 1] == ' ') --at;
        opening_ = open.substr(at);
    }
}

} // namespace program
