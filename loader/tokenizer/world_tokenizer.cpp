#include "loader/file_map.h"
#include "loader/guard.h"
#include "loader/text.h"
#include "loader/tokenizer/longest_match.h"
#include "loader/tokenizer/packed_vocabulary.h"
#include "loader/tokenizer/python_literal.h"
#include "loader/tokenizer/tokenizer.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>

namespace ff::loader {

namespace {

constexpr std::uint64_t kFileLimit = 16 << 20; // the published file has 1 MB
constexpr std::uint32_t kRows = 65536;         // of the models; ids above the file's last one exist only there
constexpr std::size_t kTokenLimit = 1024;      // the longest published token has 128 bytes

struct Line {
    std::uint32_t id = 0;
    std::string token;
};

template <class T>
std::optional<T> number_in(std::string_view digits) {
    T value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

// "id literal length", where the literal may contain spaces. On failure, what is wrong.
Result<Line> parse_line(std::string_view line) {
    const auto wrong = [](std::string what) { return Error{Status::model_file, std::move(what)}; };
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    if (first == line.npos || first == last) return wrong("is not of the form: id literal length");
    const auto id = number_in<std::uint32_t>(line.substr(0, first));
    if (!id || *id == 0 || *id >= kRows)
        return wrong(fmt::format("has the id {}, expected 1 to {}", printable(line.substr(0, first)), kRows - 1));
    const std::string_view literal = line.substr(first + 1, last - first - 1);
    auto token = parse_python_literal(literal);
    if (!token) return wrong(fmt::format("has {} where a Python literal must be", printable(literal)));
    const auto length = number_in<std::size_t>(line.substr(last + 1));
    if (!length || *length != token->size())
        return wrong(fmt::format("claims a length of {}, its literal has {} bytes", printable(line.substr(last + 1)),
                                 token->size()));
    if (token->empty() || token->size() > kTokenLimit)
        return wrong(fmt::format("has a token of {} bytes, expected 1 to {}", token->size(), kTokenLimit));
    return Line{*id, std::move(*token)};
}

std::unique_ptr<Tokenizer> world_of(TextTable texts) {
    texts.pad_to(kRows);
    return make_longest_match("world", std::move(texts), {.end_of_text = 0});
}

Result<std::unique_ptr<Tokenizer>> parse_world(const std::string &name, std::string_view vocabulary) {
    const auto fail = [&](const std::string &what) {
        return Error{Status::model_file,
                     fmt::format("{}: {}; is it rwkv_vocab_v20230424.txt, complete?", printable(name), what)};
    };
    if (vocabulary.size() > kFileLimit)
        return fail(fmt::format("the file has {} bytes, expected at most {}", vocabulary.size(), kFileLimit));
    std::vector<std::string> texts(kRows);
    std::unordered_set<std::string> seen;
    for (std::size_t number = 1; !vocabulary.empty(); ++number) {
        const std::size_t end = std::min(vocabulary.find('\n'), vocabulary.size());
        std::string_view line = vocabulary.substr(0, end);
        vocabulary.remove_prefix(std::min(end + 1, vocabulary.size()));
        if (line.ends_with('\r'))
            line.remove_suffix(1); // a checkout on Windows; a token's own \r is written as an escape
        auto parsed = parse_line(line);
        if (!parsed.ok()) return fail(fmt::format("line {} {}", number, parsed.error().message));
        if (!texts[parsed->id].empty()) return fail(fmt::format("line {} has the id {} again", number, parsed->id));
        if (!seen.insert(parsed->token).second)
            return fail(fmt::format("line {} has the token of an earlier line again", number));
        texts[parsed->id] = std::move(parsed->token);
    }
    for (int byte = 0; byte < 256; ++byte)
        if (!seen.contains(std::string(1, static_cast<char>(byte))))
            return fail(fmt::format(
                "no line holds the single byte 0x{:02x}, without which not every text can be encoded", byte));
    TextTable table;
    for (const std::string &text : texts) table.add(text);
    return world_of(std::move(table));
}

} // namespace

Result<std::unique_ptr<Tokenizer>> make_world_tokenizer() {
    const std::string name = "the library's world vocabulary";
    return guarded(name, "reading it", [&]() -> Result<std::unique_ptr<Tokenizer>> {
        FF_TRY_ASSIGN(TextTable texts, unpack_world(name, packed_world()));
        return world_of(std::move(texts));
    });
}

Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &name, std::string_view vocabulary) {
    return guarded(name, "reading the vocabulary",
                   [&]() -> Result<std::unique_ptr<Tokenizer>> { return parse_world(name, vocabulary); });
}

Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &vocabulary_path) {
    FF_TRY_ASSIGN(const FileMap map, FileMap::open(vocabulary_path));
    return make_world_tokenizer(vocabulary_path, map.text());
}

} // namespace ff::loader
