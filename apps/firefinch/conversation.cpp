#include "conversation.h"

#include "failure.h"
#include "prefill.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace program {

Conversation::Conversation(firefinch::Session &session, const firefinch::Tokenizer &tokenizer, ChatTemplate form,
                           ConversationOptions options, Terminal &terminal)
    : session_(session), tokenizer_(tokenizer), form_(std::move(form)), options_(std::move(options)),
      terminal_(terminal), next_seed_(options_.sampling.seed) {
    origin_ = snapshot();
    branches_[current_].from_state = options_.from_state;
}

Conversation::State Conversation::snapshot() {
    auto made = std::make_shared<const firefinch::Snapshot>(session_);
    statistics_.snapshot_bytes = made->bytes();
    return made;
}

// What the model has not read yet: the conversation with this turn, less the conversation without it. Templates that
// write older turns differently once there are newer ones have no such difference (some leave out what was thought),
// and a state that was loaded has no conversation to render: then the turn is rendered alone, without its beginning of
// text.
std::string Conversation::text_to_read(const std::string &user) {
    Branch &branch = here();
    const bool first = branch.messages.empty();
    const std::string before = first ? "" : form_.render(branch.messages, false);
    if (first && !options_.system.empty()) branch.messages.push_back({"system", form_.message_text(options_.system)});
    branch.messages.push_back({"user", user});
    std::string now = form_.render(branch.messages, true);
    if (!(first && branch.from_state) && now.starts_with(before)) return now.substr(before.size());
    if (!first) now = form_.render({branch.messages.back()}, true);
    if (now.starts_with(ChatTemplate::kEndOfText)) now.erase(0, ChatTemplate::kEndOfText.size());
    return now;
}

std::vector<std::uint32_t> Conversation::encode(const std::string &rendered) const {
    std::vector<std::uint32_t> ids;
    for (std::size_t begin = 0;;) {
        const std::size_t end = std::min(rendered.find(ChatTemplate::kEndOfText, begin), rendered.size());
        const std::vector<std::uint32_t> piece =
            tokenizer_.encode(std::string_view(rendered).substr(begin, end - begin));
        ids.insert(ids.end(), piece.begin(), piece.end());
        if (end == rendered.size()) return ids;
        if (options_.end_of_text) ids.push_back(*options_.end_of_text);
        begin = end + ChatTemplate::kEndOfText.size();
    }
}

void Conversation::read(const std::vector<std::uint32_t> &ids, Reply &reply) {
    reply.prompt_tokens += ids.size();
    reply.prefill_seconds += prefill(session_, ids, terminal_);
}

std::vector<std::uint32_t> Conversation::stop_tokens() const {
    std::vector<std::uint32_t> ids;
    if (options_.end_of_text) ids.push_back(*options_.end_of_text);
    // llama.cpp's converter names World's token "\n\n" here, which is none where a blank ends no turn.
    if (const auto id = tokenizer_.special(FF_TOKEN_END_OF_TURN)) {
        const std::string text = tokenizer_.decode(*id);
        const bool blank = !text.empty() && text.find_first_not_of(" \t\r\n") == std::string::npos;
        if (!blank || form_.blank_ends_turn()) ids.push_back(*id);
    }
    return ids;
}

// A stop text is found when the state has read its tokens, and those may hold the reply's end or more than the stop.
// The state is to have read the reply and the turn's end, nothing else: where the tokens say something else, it goes
// back to where the reply began, and reads those tokens again that are all reply, then the rest as text.
void Conversation::settle(const State &before, const Delivery &delivery) {
    const std::string wanted = delivery.text() + form_.turn_end();
    std::string produced;
    for (const std::uint32_t id : delivery.ids()) produced += tokenizer_.decode(id);
    std::vector<std::uint32_t> missing;
    if (wanted.starts_with(produced)) {
        missing = encode(wanted.substr(produced.size()));
    } else {
        std::size_t size = 0;
        for (const std::uint32_t id : delivery.ids()) {
            const std::size_t next = size + tokenizer_.decode(id).size();
            if (next > delivery.text().size()) break;
            missing.push_back(id);
            size = next;
        }
        const std::vector<std::uint32_t> rest = encode(wanted.substr(size));
        missing.insert(missing.end(), rest.begin(), rest.end());
        restore(before);
    }
    if (!missing.empty()) session_.prefill(missing);
}

void Conversation::generate(const Delivery::Sink &sink, Reply &reply) {
    const State before = snapshot();
    std::vector<std::string> stops = form_.stops();
    stops.insert(stops.end(), options_.stops.begin(), options_.stops.end());
    const std::vector<std::uint32_t> ends = stop_tokens();
    ff_generate_options wanted = firefinch::generate_options();
    wanted.count = options_.most_tokens;
    wanted.sampling = options_.sampling;
    wanted.sampling.seed = reply.seed = next_seed_++;
    wanted.stop_tokens = ends.data();
    wanted.stop_token_count = ends.size();
    Delivery delivery(&tokenizer_, std::move(stops), Show::text, sink);
    reply.result = session_.generate(wanted, [&](std::uint32_t id) { return delivery.deliver(id); });
    delivery.finish();
    reply.text = delivery.text();
    reply.reason = delivery.reason(reply.result);
    settle(before, delivery);
}

Reply Conversation::say(const std::string &text, const Delivery::Sink &sink) {
    Reply reply;
    reply.user = form_.message_text(text);
    Branch &branch = here();
    Point point{snapshot(), branch.messages.size(), reply.user};
    try {
        read(encode(text_to_read(reply.user)), reply);
        generate(sink, reply);
    } catch (...) {
        branch.messages.resize(point.messages);
        restore(point.state);
        throw;
    }
    branch.messages.push_back({"assistant", form_.opening() + reply.text});
    branch.points.push_back(std::move(point));
    if (branch.points.size() > options_.undo_depth) branch.points.pop_front();
    ++statistics_.replies;
    statistics_.read_tokens += reply.prompt_tokens;
    statistics_.read_seconds += reply.prefill_seconds;
    statistics_.produced_tokens += reply.result.produced;
    statistics_.produced_seconds += reply.result.seconds;
    return reply;
}

std::size_t Conversation::undo(std::size_t turns) {
    Branch &branch = here();
    if (branch.points.empty()) throw Refused("there is no turn to take back");
    const std::size_t count = std::min(turns, branch.points.size());
    const Point point = branch.points[branch.points.size() - count];
    restore(point.state);
    branch.messages.resize(point.messages);
    branch.points.erase(branch.points.end() - static_cast<std::ptrdiff_t>(count), branch.points.end());
    return count;
}

Reply Conversation::retry(const Delivery::Sink &sink) {
    if (here().points.empty()) throw Refused("there is no reply to try again");
    const Branch kept = here();
    const State now = snapshot();
    undo(1);
    try {
        return say(kept.points.back().user, sink);
    } catch (...) {
        here() = kept;
        restore(now);
        throw;
    }
}

void Conversation::reset() {
    restore(origin_);
    here() = {};
    here().from_state = options_.from_state;
}

std::vector<std::string> Conversation::branches() const {
    std::vector<std::string> names;
    for (const auto &[name, branch] : branches_) names.push_back(name);
    return names;
}

std::size_t Conversation::turns() const {
    const auto &messages = branches_.at(current_).messages;
    return static_cast<std::size_t>(
        std::count_if(messages.begin(), messages.end(), [](const Message &m) { return m.role == "assistant"; }));
}

void Conversation::fork(const std::string &name) {
    if (name.empty()) throw Refused("a fork needs a name: /fork NAME");
    if (branches_.contains(name))
        throw Refused(fmt::format("there is already a branch '{}'; choose another name", name));
    here().state = snapshot();
    branches_[name] = here();
    current_ = name;
}

void Conversation::switch_to(const std::string &name) {
    if (!branches_.contains(name))
        throw Refused(fmt::format("there is no branch '{}', only {}", name, fmt::join(branches(), ", ")));
    if (name == current_) return;
    State state = snapshot();
    restore(branches_.at(name).state);
    here().state = std::move(state);
    current_ = name;
}

void Conversation::save(const std::string &path) {
    if (path.empty()) throw Refused("a file is missing: /save FILE");
    session_.save(path);
}

void Conversation::load(const std::string &path) {
    if (path.empty()) throw Refused("a file is missing: /load FILE");
    session_.load(path);
    here() = {};
    here().from_state = true;
}

} // namespace program
