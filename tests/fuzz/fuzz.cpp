#include "tests/fuzz/fuzz.h"

#include "loader/description.h"

#include <cstdio>
#include <cstdlib>

namespace ff::fuzz {

namespace {

[[noreturn]] void stop(const char *why, const std::string &what) {
    std::fprintf(stderr, "%s: %s\n", why, what.c_str());
    std::abort();
}

} // namespace

void check(const Error &error, std::string_view begins_with) {
    if (error.status == Status::internal || error.status == Status::out_of_host_memory)
        stop("not the file's fault", error.message);
    if (!error.message.starts_with(begins_with) || error.message.find('\n') != std::string::npos)
        stop("no sentence about the file", error.message);
}

void read_all(const Result<std::unique_ptr<loader::TensorSource>> &opened) {
    if (!opened.ok()) return check(opened.error());
    const loader::TensorSource &source = **opened;
    if (const auto model = loader::describe(source); !model.ok()) check(model.error());
    for (std::size_t i = 0; i < source.tensors().size(); ++i) {
        const auto bytes = source.read(i);
        if (!bytes.ok())
            check(bytes.error());
        else if (bytes->bytes().size() != source.tensors()[i].bytes())
            stop("wrong size", source.tensors()[i].name);
    }
    const auto tokenizer = loader::make_file_tokenizer(source);
    if (!tokenizer.ok()) return check(tokenizer.error());
    round_trip(**tokenizer, "ab\n");
    std::string all;
    for (std::uint32_t id = 0; id < (*tokenizer)->vocabulary() && all.size() < 4096; ++id)
        if (const auto text = (*tokenizer)->decode(id); text.ok()) all += *text;
    round_trip(**tokenizer, all);
}

void round_trip(const loader::Tokenizer &tokenizer, std::string_view text) {
    const auto ids = tokenizer.encode(text);
    if (!ids.ok()) {
        if (ids.error().status != Status::argument) stop("not the text's fault", ids.error().message);
        return;
    }
    std::string back;
    for (const std::uint32_t id : *ids) {
        const auto piece = tokenizer.decode(id);
        if (!piece.ok()) stop("an id of its own", piece.error().message);
        back += *piece;
    }
    if (tokenizer.name() != "20b" && back != text) stop("not exact", back); // 20B brings text into NFC
}

} // namespace ff::fuzz
