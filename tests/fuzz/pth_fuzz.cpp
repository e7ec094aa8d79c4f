// The whole file. A CRC hides what is inside deflated entries from the fuzzer; pickle_fuzz goes there directly.
#include "loader/formats/pth.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    ff::fuzz::read_all(ff::loader::open_pth("x", ff::fuzz::bytes_of(data, size)));
    return 0;
}
