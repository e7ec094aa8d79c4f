#include "loader/formats/unpickler.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (const auto document = ff::loader::unpickle("x", ff::fuzz::bytes_of(data, size)); !document.ok())
        ff::fuzz::check(document.error());
    return 0;
}
