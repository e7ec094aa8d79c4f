#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/support.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("bytes: every byte is its own token") {
    const auto tokenizer = make_byte_tokenizer();
    CHECK(tokenizer->name() == "bytes");
    CHECK(tokenizer->vocabulary() == 256);
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    const auto ids = tokenizer->encode(all);
    REQUIRE(ids.ok());
    std::string back;
    for (std::uint32_t i = 0; i < 256; ++i) {
        CHECK((*ids)[i] == i);
        back += *tokenizer->decode((*ids)[i]);
    }
    CHECK(back == all);
    CHECK(tokenizer->encode("")->empty());
    CHECK(error_of(tokenizer->decode(256)).status == Status::argument);
    CHECK(error_of(tokenizer->decode(UINT32_MAX)).status == Status::argument);
}
