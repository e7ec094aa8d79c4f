#include "loader/formats/ggml_bin.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    ff::fuzz::read_all(ff::loader::open_ggml_bin("x", ff::fuzz::bytes_of(data, size)));
    return 0;
}
