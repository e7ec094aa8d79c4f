// From produced tokens to what is shown: text in whole characters up to a stop text, ids, or the parts of a JSON
// object.
#pragma once

#include "files.h"
#include "stop_text.h"
#include "utf8.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

enum class Show { text, ids, nothing };

class Delivery {
  public:
    // Where text goes instead of to standard output, in whole characters; false once nobody reads it.
    using Sink = std::function<bool(const std::string &)>;

    // `tokenizer` may be nullptr: then there is no text, and stops must be empty.
    Delivery(const firefinch::Tokenizer *tokenizer, std::vector<std::string> stops, Show show, Sink sink = nullptr);

    // False: the generation is to end after this token.
    bool deliver(std::uint32_t id);
    // Shows what was held back. To be called once, when the last token has come, however that was.
    void finish();

    const std::vector<std::uint32_t> &ids() const { return ids_; }
    const std::string &text() const { return text_; } // as shown; without the stop text
    // Why a generation that was delivered here ended: "stop_text", "interrupted", "reader_gone", "stop_token", "limit".
    std::string reason(const ff_generate_result &result) const;

  private:
    void show_text(const std::string &bytes);
    void write(const std::string &bytes);

    const firefinch::Tokenizer *tokenizer_;
    StopText stop_text_;
    Show show_;
    Sink sink_;
    Utf8Stream utf8_;
    Output out_;
    std::vector<std::uint32_t> ids_;
    std::string text_;
    bool reader_gone_ = false;
};

} // namespace program
