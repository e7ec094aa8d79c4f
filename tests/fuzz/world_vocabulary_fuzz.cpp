// The lines of rwkv_vocab_v20230424.txt, behind those of the single bytes, which no mutation would find again.
#include "tests/fuzz/fuzz.h"

#include <fmt/format.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const std::string bytes = [] {
        std::string lines;
        for (int byte = 0; byte < 256; ++byte) lines += fmt::format("{} b'\\x{:02x}' 1\n", byte + 1, byte);
        return lines;
    }();
    const std::string text = bytes + std::string(ff::fuzz::text_of(data, size));
    const auto tokenizer = ff::loader::make_world_tokenizer("x", text);
    if (tokenizer.ok())
        ff::fuzz::round_trip(**tokenizer, ff::fuzz::text_of(data, size));
    else
        ff::fuzz::check(tokenizer.error());
    return 0;
}
