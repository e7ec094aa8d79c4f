#include "loader/tokenizer/packed_vocabulary.h"

#include "loader/checked.h"
#include "loader/text.h"

#include <fmt/format.h>

extern "C" {
extern const std::byte firefinch_world_vocabulary[], firefinch_world_vocabulary_end[];
extern const std::byte firefinch_20b_vocabulary[], firefinch_20b_vocabulary_end[];
}

namespace ff::loader {

namespace {

constexpr std::uint32_t kIdLimit = 65536; // ids are 16 bits
constexpr std::size_t kTextLimit = 1024;  // or a few merges could double their way to gigabytes

class Reader {
  public:
    Reader(const std::string &name, std::span<const std::byte> bytes) : name_(name), bytes_(bytes) {}

    Error damaged(const std::string &what) const {
        return Error{Status::model_file, fmt::format("{}: {} at byte {} of {}; the packed vocabulary is damaged",
                                                     printable(name_), what, at_, bytes_.size())};
    }
    Result<std::string_view> text(std::size_t size) {
        if (!fits(at_, size, bytes_.size())) return damaged(fmt::format("{} more bytes were expected", size));
        const auto *begin = reinterpret_cast<const char *>(bytes_.data()) + at_;
        at_ += size;
        return std::string_view(begin, size);
    }
    template <class T>
    Result<T> number() {
        FF_TRY_ASSIGN(const std::string_view taken, text(sizeof(T)));
        return load_le<T>(std::as_bytes(std::span(taken)), 0);
    }
    Result<void> magic(std::string_view wanted) {
        FF_TRY_ASSIGN(const std::string_view found, text(wanted.size()));
        if (found != wanted) return damaged(fmt::format("{} instead of {}", printable(found), wanted));
        return {};
    }
    Result<void> end() const {
        if (at_ != bytes_.size()) return damaged("more bytes than belong there");
        return {};
    }

  private:
    const std::string &name_;
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

} // namespace

Result<TextTable> unpack_world(const std::string &name, std::span<const std::byte> packed) {
    Reader in(name, packed);
    FF_TRY(in.magic("ffvw"));
    FF_TRY_ASSIGN(const std::uint32_t tokens, in.number<std::uint32_t>());
    if (tokens >= kIdLimit) return in.damaged(fmt::format("{} tokens instead of at most {}", tokens, kIdLimit - 1));
    TextTable texts;
    texts.add(""); // id 0, the end of text
    std::size_t length_before = 0;
    while (texts.size() <= tokens) {
        FF_TRY_ASSIGN(const std::uint8_t length, in.number<std::uint8_t>());
        FF_TRY_ASSIGN(const std::uint16_t count, in.number<std::uint16_t>());
        if (length <= length_before || count == 0 || count > tokens + 1 - texts.size())
            return in.damaged(fmt::format("{} tokens of {} bytes after those of {}", count, length, length_before));
        length_before = length;
        std::string token, before; // ascending, so that no token comes twice
        for (std::uint32_t i = 0; i < count; ++i) {
            FF_TRY_ASSIGN(const std::uint8_t same, in.number<std::uint8_t>());
            if (same >= length || same > before.size()) return in.damaged("a token that shares too many bytes");
            FF_TRY_ASSIGN(const std::string_view rest, in.text(std::size_t{length} - same));
            token.replace(same, token.npos, rest);
            if (token <= before) return in.damaged("a token out of order");
            texts.add(token);
            before = token;
        }
        if (length == 1 && count != 256) return in.damaged("single bytes that are not all there");
    }
    if (texts.size() < 257 || texts[1].size() != 1) return in.damaged("no single bytes"); // every text has to have ids
    FF_TRY(in.end());
    return texts;
}

Result<NeoxVocabulary> unpack_20b(const std::string &name, std::span<const std::byte> packed) {
    Reader in(name, packed);
    NeoxVocabulary out;
    out.bpe.byte_ids.fill(Bpe::kNoId);
    FF_TRY(in.magic("ffvb"));
    FF_TRY_ASSIGN(const std::uint16_t first, in.number<std::uint16_t>());
    FF_TRY_ASSIGN(const std::uint16_t bytes, in.number<std::uint16_t>());
    FF_TRY_ASSIGN(const std::string_view alphabet, in.text(bytes));
    FF_TRY_ASSIGN(const std::uint32_t merges, in.number<std::uint32_t>());
    if (std::uint64_t{first} + bytes + merges > kIdLimit)
        return in.damaged(fmt::format("{} bytes and {} merges", bytes, merges));
    out.texts.resize(first);
    for (const char byte : alphabet) {
        std::uint32_t &id = out.bpe.byte_ids[static_cast<unsigned char>(byte)];
        if (id != Bpe::kNoId) return in.damaged("a byte that has an id already");
        id = static_cast<std::uint32_t>(out.texts.size());
        out.texts.emplace_back(1, byte);
    }
    out.texts.reserve(kIdLimit);
    out.bpe.merges.reserve(merges);
    for (std::uint32_t rank = 0; rank < merges; ++rank) {
        FF_TRY_ASSIGN(const std::uint16_t left, in.number<std::uint16_t>());
        FF_TRY_ASSIGN(const std::uint16_t right, in.number<std::uint16_t>());
        const auto id = static_cast<std::uint32_t>(out.texts.size());
        if (left < first || right < first || left >= id || right >= id)
            return in.damaged(fmt::format("merge {} of {} and {}, which are no earlier tokens", rank, left, right));
        if (out.texts[left].size() + out.texts[right].size() > kTextLimit)
            return in.damaged(fmt::format("merge {} of more than {} bytes", rank, kTextLimit));
        if (!out.bpe.merges.emplace(Bpe::pair(left, right), Bpe::Merge{rank, id}).second)
            return in.damaged(fmt::format("merge {} of {} and {} again", rank, left, right));
        out.texts.push_back(out.texts[left] + out.texts[right]);
    }
    FF_TRY_ASSIGN(const std::uint16_t added, in.number<std::uint16_t>());
    for (std::uint32_t i = 0; i < added; ++i) {
        FF_TRY_ASSIGN(const std::uint16_t id, in.number<std::uint16_t>());
        FF_TRY_ASSIGN(const std::uint8_t normalized, in.number<std::uint8_t>());
        FF_TRY_ASSIGN(const std::uint8_t length, in.number<std::uint8_t>());
        FF_TRY_ASSIGN(const std::string_view content, in.text(length));
        if (out.texts.size() <= id) out.texts.resize(std::size_t{id} + 1);
        if (content.empty() || normalized > 1 || !out.texts[id].empty())
            return in.damaged(fmt::format("added token {} that is taken or has no text", id));
        out.texts[id] = content;
        (normalized ? out.normalized_tokens : out.raw_tokens).emplace_back(content, id);
    }
    FF_TRY(in.end());
    return out;
}

std::span<const std::byte> packed_world() {
    return {firefinch_world_vocabulary, firefinch_world_vocabulary_end};
}
std::span<const std::byte> packed_20b() {
    return {firefinch_20b_vocabulary, firefinch_20b_vocabulary_end};
}

} // namespace ff::loader
