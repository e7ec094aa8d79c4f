#include "loader/formats/gguf.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    ff::fuzz::read_all(ff::loader::open_gguf("x", ff::fuzz::bytes_of(data, size)));
    return 0;
}
