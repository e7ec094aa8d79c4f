#include "loader/tokenizer/packed_vocabulary.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (const auto world = ff::loader::unpack_world("x", ff::fuzz::bytes_of(data, size)); !world.ok())
        ff::fuzz::check(world.error());
    if (const auto twenty = ff::loader::unpack_20b("x", ff::fuzz::bytes_of(data, size)); !twenty.ok())
        ff::fuzz::check(twenty.error());
    return 0;
}
