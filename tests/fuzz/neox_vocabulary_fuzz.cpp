#include "loader/tokenizer/neox_vocabulary.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const auto vocabulary = ff::loader::parse_neox_vocabulary("x", ff::fuzz::text_of(data, size));
    if (!vocabulary.ok()) ff::fuzz::check(vocabulary.error());
    return 0;
}
