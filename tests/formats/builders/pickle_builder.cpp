#include "tests/formats/builders/pickle_builder.h"

#include <fmt/format.h>

namespace ff::loader::test::pickled {

namespace {

template <class T>
std::string raw(T value) {
    return {reinterpret_cast<const char *>(&value), sizeof value};
}

std::string joined(const std::vector<std::string> &items) {
    std::string all;
    for (const std::string &item : items) all += item;
    return all;
}

std::string sizes(const std::vector<std::int64_t> &values) {
    std::vector<std::string> items;
    for (const std::int64_t value : values) items.push_back(integer(value));
    return tuple(items);
}

} // namespace

std::string text(std::string_view value) {
    return "X" + raw(static_cast<std::uint32_t>(value.size())) + std::string(value);
}

std::string integer(std::int64_t value) {
    if (value >= 0 && value < 256) return "K" + raw(static_cast<std::uint8_t>(value));
    if (value >= 0 && value < 65536) return "M" + raw(static_cast<std::uint16_t>(value));
    if (value >= INT32_MIN && value <= INT32_MAX) return "J" + raw(static_cast<std::int32_t>(value));
    return "\x8A\x08" + raw(value);
}

std::string tuple(const std::vector<std::string> &items) {
    if (items.empty()) return ")";
    if (items.size() <= 3) return joined(items) + static_cast<char>(0x84 + static_cast<int>(items.size()));
    return "(" + joined(items) + "t";
}

std::string list(const std::vector<std::string> &items) {
    return "](" + joined(items) + "e";
}

std::string dict(const std::vector<std::pair<std::string, std::string>> &items) {
    std::string all = "}(";
    for (const auto &[key, value] : items) all += key + value;
    return all + "u";
}

std::string global(std::string_view module, std::string_view name) {
    return fmt::format("c{}\n{}\n", module, name);
}

std::string call(const std::string &callable, const std::vector<std::string> &arguments) {
    return callable + tuple(arguments) + "R";
}

std::string ordered_dict() {
    return call(global("collections", "OrderedDict"), {});
}

std::string tensor(std::string_view type, std::string_view key, std::int64_t storage_elements, std::int64_t offset,
                   const std::vector<std::int64_t> &shape, const std::vector<std::int64_t> &strides) {
    const std::string storage =
        tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(storage_elements)}) + "Q";
    return call(global("torch._utils", "_rebuild_tensor_v2"),
                {storage, integer(offset), sizes(shape), sizes(strides), no(), ordered_dict()});
}

std::string parameter(const std::string &tensor) {
    return call(global("torch._utils", "_rebuild_parameter"), {tensor, yes(), ordered_dict()});
}

Bytes pickle(const std::string &value, int protocol) {
    return bytes_of(std::string("\x80") + static_cast<char>(protocol) + value + ".");
}

} // namespace ff::loader::test::pickled
