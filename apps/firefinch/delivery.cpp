#include "delivery.h"

#include "terminal.h"

#include <utility>

#include <fmt/format.h>

namespace program {

Delivery::Delivery(const firefinch::Tokenizer *tokenizer, std::vector<std::string> stops, Show show, Sink sink)
    : tokenizer_(tokenizer), stop_text_(std::move(stops)), show_(show), sink_(std::move(sink)) {}

void Delivery::write(const std::string &bytes) {
    if (!bytes.empty() && !(sink_ ? sink_(bytes) : out_.write(bytes))) reader_gone_ = true;
}

void Delivery::show_text(const std::string &bytes) {
    text_ += bytes;
    if (show_ == Show::text) write(utf8_.feed(bytes));
}

bool Delivery::deliver(std::uint32_t id) {
    ids_.push_back(id);
    if (show_ == Show::ids) write(fmt::format("{}{}", ids_.size() > 1 ? " " : "", id));
    if (tokenizer_ != nullptr) show_text(stop_text_.feed(tokenizer_->decode(id)));
    return !stop_text_.matched() && !reader_gone_ && !interrupted();
}

void Delivery::finish() {
    show_text(stop_text_.finish());
    if (show_ == Show::text) {
        write(utf8_.finish());
        if (!sink_ && out_.is_terminal() && !text_.empty() && text_.back() != '\n') write("\n");
    } else if (show_ == Show::ids) {
        write("\n");
    }
}

std::string Delivery::reason(const ff_generate_result &result) const {
    if (stop_text_.matched()) return "stop_text";
    if (interrupted()) return "interrupted";
    if (reader_gone_) return "reader_gone";
    return result.reason == FF_STOP_TOKEN ? "stop_token" : "limit";
}

} // namespace program
