// Arbitrary bytes through the tokenizers that the library carries.
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const auto bytes = ff::loader::make_byte_tokenizer();
    static const auto world = ff::loader::make_world_tokenizer(), twenty = ff::loader::make_20b_tokenizer();
    const std::string_view text = ff::fuzz::text_of(data, size);
    ff::fuzz::round_trip(*bytes, text);
    ff::fuzz::round_trip(*world.value(), text);
    ff::fuzz::round_trip(*twenty.value(), text);
    return 0;
}
