#include "loader/guard.h"
#include "loader/tokenizer/tokenizer.h"

#include <fmt/format.h>

namespace ff::loader {

namespace {

class ByteTokenizer final : public Tokenizer {
  public:
    std::string_view name() const override { return "bytes"; }
    std::uint32_t vocabulary() const override { return 256; }

    Result<std::vector<std::uint32_t>> encode(std::string_view text) const override {
        return guarded("byte tokenizer", "encoding text", [&]() -> Result<std::vector<std::uint32_t>> {
            std::vector<std::uint32_t> ids;
            ids.reserve(text.size());
            for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
            return ids;
        });
    }

    Result<std::string> decode(std::uint32_t id) const override {
        if (id > 255)
            return Error{Status::argument,
                         fmt::format("token {} is out of range, the byte tokenizer has 0 to 255", id)};
        return std::string(1, static_cast<char>(id));
    }
};

} // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() {
    return std::make_unique<ByteTokenizer>();
}

} // namespace ff::loader
