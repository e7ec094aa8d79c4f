#include "tests/formats/builders/pickle_builder.h"
#include "tests/formats/builders/pth_builder.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;
using namespace ff::loader::test::pickled;

namespace {

Bytes with_root(const std::string &root_value) {
    return pth_file(pickle(root_value), {small_storage()});
}

Bytes with_tensor(std::int64_t elements, std::int64_t offset, const std::vector<std::int64_t> &shape,
                  const std::vector<std::int64_t> &strides, std::string_view type = "FloatStorage",
                  std::string_view key = "0") {
    return with_root(dict({{text("t"), tensor(type, key, elements, offset, shape, strides)}}));
}

void check_refused(const Bytes &file, std::initializer_list<std::string_view> parts,
                   Status status = Status::model_file) {
    check_error(refusal(file), "x", status, parts);
}

} // namespace

TEST_CASE("pth: tensors that reach outside their storage") {
    constexpr std::int64_t kMax = INT64_MAX;
    check_refused(with_tensor(4, 0, {5}, {1}), {"tensor t", "[5]", "4 elements"});
    check_refused(with_tensor(4, 1, {4}, {1}), {"tensor t", "element 4 of a storage of 4"});
    check_refused(with_tensor(4, 5, {}, {}), {"tensor t", "element 5"});
    check_refused(with_tensor(4, 4, {1}, {1}), {"tensor t", "element 4"});
    check_refused(with_tensor(4, 0, {2}, {4}), {"tensor t", "element 4"});
    check_refused(with_tensor(4, kMax, {1}, {1}), {"tensor t", "element"});
    check_refused(with_tensor(4, kMax, {2}, {kMax}), {"tensor t", "element"});
    check_refused(with_tensor(4, kMax, {2, 2}, {kMax, kMax}), {"tensor t", "overflow"});
    check_refused(with_tensor(4, 0, {4}, {kMax}), {"tensor t", "overflow"});
    check_refused(with_tensor(4, 0, {kMax, kMax}, {0, 0}), {"tensor t", "more than"});
    check_refused(with_tensor(4, 0, {1 << 30}, {0}), {"tensor t", "more than"}); // an expanded view as a bomb
    check_refused(with_tensor(4, 5, {0}, {1}), {"tensor t", "begins at element 5"});
    CHECK(opened(with_tensor(4, 4, {0, kMax}, {kMax, 1}))->tensors()[0].bytes() == 0);
}

TEST_CASE("pth: storages that are not what they claim") {
    check_refused(with_tensor(5, 0, {4}, {1}), {"tensor t", "5 f32 elements", "16 bytes"});
    check_refused(with_tensor(3, 0, {3}, {1}), {"tensor t", "3 f32 elements", "16 bytes"});
    check_refused(with_tensor(4, 0, {4}, {1}, "HalfStorage"), {"tensor t", "4 f16 elements", "16 bytes"});
    check_refused(with_tensor(INT64_MAX, 0, {4}, {1}), {"tensor t"});
    check_refused(with_tensor((1ll << 62) + 4, 0, {4}, {1}), {"tensor t"}); // times 4 wraps to 16
    check_refused(with_tensor(4, 0, {4}, {1}, "FloatStorage", "1"), {"tensor t", "data/1", "lacks"});
    check_refused(with_tensor(4, 0, {4}, {1}, "FloatStorage", "../0"), {"tensor t", "lacks"});
    check_refused(with_tensor(4, 0, {4}, {1}, "FloatStorage", "\n"), {"tensor t", "\\x0a"});
    check_refused(with_tensor(2, 0, {2}, {1}, "DoubleStorage"), {"torch.DoubleStorage", ".half()"},
                  Status::unsupported);
    check_refused(with_tensor(4, 0, {4}, {1}, "IntStorage"), {"torch.IntStorage"}, Status::unsupported);
}

TEST_CASE("pth: dictionaries that are not of tensors") {
    const std::string t = tensor("FloatStorage", "0", 4, 0, {4}, {1});
    check_refused(with_root(t), {"holds a tensor", "state_dict()"}, Status::unsupported);
    check_refused(with_root(list({t})), {"holds a list"}, Status::unsupported);
    check_refused(with_root(dict({})), {"empty dictionary"});
    check_refused(with_root(dict({{integer(1), t}})), {"name", "an integer"});
    check_refused(with_root(dict({{text("a"), integer(1)}})), {"entry a", "an integer"}, Status::unsupported);
    check_refused(with_root(dict({{text("t"), t}, {text("a"), none()}})), {"entry a", "None"}, Status::unsupported);
    check_refused(with_root(dict({{text("t"), t}, {text("t"), t}})), {"tensor t", "twice"});
    check_refused(with_root(dict({{text("t\xff"), t}})), {"t\\xff", "UTF-8"});
    check_refused(with_root(dict({{text("model"), dict({{text("layer"), dict({})}})}})), {"entry layer"},
                  Status::unsupported);
    // An entry that contains itself ends the search, not the stack.
    check_refused(with_root("}q" + std::string(1, '\0') + text("model") + "h" + std::string(1, '\0') + "s"),
                  {"entry model"}, Status::unsupported);
}

TEST_CASE("pth: a pickle that would run a program is refused by name") {
    check_refused(with_root(dict({{text("a"), call(global("posix", "system"), {text("true")})}})),
                  {"posix.system", "nothing was executed"}, Status::unsupported);
    check_refused(with_root(dict({{text("a"), call(global("builtins", "exec"), {text("1")})}})), {"builtins.exec"},
                  Status::unsupported);
}

TEST_CASE("pth: archives that are something else") {
    const Bytes pickle = small_pickle(), storage = small_storage();
    check_refused(ZipBuilder().add("word/document.xml", pickle).finish(), {"no data.pkl"}, Status::unsupported);
    check_refused(ZipBuilder().finish(), {"no data.pkl"}, Status::unsupported);
    check_refused(ZipBuilder().add("a/data.pkl", pickle).add("b/data.pkl", pickle).finish(),
                  {"both a/data.pkl and b/data.pkl"});
    check_refused(ZipBuilder()
                      .add("a/data.pkl", pickle)
                      .add("a/constants.pkl", pickle)
                      .add("a/code/__torch__.py", pickle)
                      .finish(),
                  {"TorchScript", "state_dict()"}, Status::unsupported);
    check_refused(
        ZipBuilder().add("a/data.pkl", pickle).add("a/byteorder", bytes_of("big")).add("a/data/0", storage).finish(),
        {"byteorder", "big"}, Status::unsupported);
    check_refused(
        ZipBuilder().add("a/data.pkl", pickle).add("a/byteorder", Bytes(17)).add("a/data/0", storage).finish(),
        {"byteorder", "17 bytes"});
    check_refused(ZipBuilder().add("a/data.pkl", {}).finish(), {"data.pkl"});
    check_refused(ZipBuilder().add("a/data.pkl", bytes_of("hello")).finish(), {"data.pkl", "binary pickle"});
}

TEST_CASE("pth: data.pkl as a bomb") {
    Bytes padded = small_pickle();
    padded.resize(8 << 20, std::byte{0});
    check_refused(ZipBuilder().add("a/data.pkl", padded, {.deflate = true}).finish(), {"data.pkl", "exhaust memory"});
    const Bytes large((16 << 20) + 1, std::byte{0x55});
    check_refused(ZipBuilder().add("a/data.pkl", large).finish(), {"data.pkl", "at most 16777216"});
}

TEST_CASE("pth: a deflated tensor that is damaged is an error when it is read") {
    const Bytes values = bytes_of(std::vector<float>(100, 1.5f));
    const Bytes pickle = pickled::pickle(dict({{text("t"), tensor("FloatStorage", "0", 100, 0, {100}, {1})}}));
    const Bytes file = pth_file(pickle, {values}, {.deflate = true, .claimed_crc = 1});
    check_error(error_of(opened(file)->read(0)), "x", Status::model_file, {"data/0", "CRC"});
}
