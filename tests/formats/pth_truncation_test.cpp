// A checkpoint cut or changed anywhere is refused or gives tensors that lie inside it; it never crashes.
#include "tests/formats/builders/pickle_builder.h"
#include "tests/formats/builders/pth_builder.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("pth: cut at every byte") {
    for (const bool deflate : {false, true}) {
        const Bytes file = pth_file(small_pickle(), {small_storage()}, {.deflate = deflate});
        REQUIRE(opened(file)->tensors().size() == 1);
        for (std::size_t size = 0; size < file.size(); ++size) {
            CAPTURE(size);
            check_sentence(refusal(std::span(file).first(size)), "x");
        }
    }
}

TEST_CASE("pth: every byte changed") {
    for (const bool deflate : {false, true}) {
        const Bytes file = pth_file(small_pickle(), {small_storage()}, {.deflate = deflate});
        for (std::size_t at = 0; at < file.size(); ++at)
            for (const unsigned bits : {0x01u, 0x10u, 0x80u, 0xFFu}) {
                CAPTURE(at);
                Bytes changed = file;
                changed[at] ^= static_cast<std::byte>(bits);
                const auto source = open_tensor_source("x", changed);
                if (!source.ok()) {
                    check_sentence(source.error(), "x");
                    continue;
                }
                for (std::size_t i = 0; i < (*source)->tensors().size(); ++i) {
                    const auto read = (*source)->read(i);
                    if (read.ok())
                        CHECK(read->bytes().size() == (*source)->tensors()[i].bytes());
                    else
                        check_sentence(read.error(), "x");
                }
            }
    }
}

// The archive's checksum hides the pickle from the test above: here every byte of it changes under a right checksum.
TEST_CASE("pth: every byte of the pickle changed") {
    const Bytes good = small_pickle();
    for (std::size_t at = 0; at < good.size(); ++at)
        for (unsigned value = 0; value < 256; ++value) {
            CAPTURE(at);
            CAPTURE(value);
            Bytes changed = good;
            changed[at] = static_cast<std::byte>(value);
            const Bytes file = pth_file(changed, {small_storage()});
            const auto source = open_tensor_source("x", file);
            if (!source.ok()) {
                check_sentence(source.error(), "x");
                continue;
            }
            for (std::size_t i = 0; i < (*source)->tensors().size(); ++i) {
                const auto read = (*source)->read(i);
                REQUIRE(read.ok());
                CHECK(read->bytes().size() == (*source)->tensors()[i].bytes());
            }
        }
}
