#include "loader/formats/unpickler.h"
#include "tests/formats/builders/pickle_builder.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;
using namespace ff::loader::test::pickled;

namespace {

using Kind = PickleValue::Kind;
using namespace std::string_literals;

Error pickle_error(const std::string &value) {
    return error_of(unpickle("x", pickle(value)));
}

void check_damaged(const std::string &value, std::initializer_list<std::string_view> parts) {
    check_error(pickle_error(value), "x: data.pkl", Status::model_file, parts);
}

} // namespace

TEST_CASE("pickle: a dictionary of plain values") {
    const Bytes bytes = pickle(dict({{text("a"), integer(7)},
                                     {text("b"), integer(-70000)},
                                     {text("c"), integer(1ll << 40)},
                                     {text("d"), none()},
                                     {text("e"), list({yes(), no()})},
                                     {text("f"), tuple({integer(1), integer(2), integer(3), integer(300)})},
                                     {text("g"), "G\x3f\xf0\0\0\0\0\0\0"s}}));
    const auto document = unpickle("x", bytes);
    REQUIRE(document.ok());
    REQUIRE(document->root.kind == Kind::dict);
    const auto &items = document->dicts[document->root.index];
    REQUIRE(items.size() == 7);
    CHECK(items[0].first.text == "a");
    CHECK(items[0].second.integer == 7);
    CHECK(items[1].second.integer == -70000);
    CHECK(items[2].second.integer == 1ll << 40);
    CHECK(items[3].second.kind == Kind::none);
    CHECK(document->sequences[items[4].second.index].size() == 2);
    CHECK(document->sequences[items[5].second.index][3].integer == 300);
    CHECK(items[6].second.kind == Kind::real);
}

TEST_CASE("pickle: protocols 2 to 5") {
    for (int protocol = 0; protocol < 8; ++protocol) {
        CAPTURE(protocol);
        const Bytes bytes = pickle(dict({}), protocol);
        const auto document = unpickle("x", bytes);
        CHECK(document.ok() == (protocol >= 2 && protocol <= 5));
        if (!document.ok())
            check_error(document.error(), "x", Status::unsupported, {"protocol " + std::to_string(protocol)});
    }
    // Protocol 4 and 5: frames, memoised short texts, names taken from the stack, 8-byte lengths.
    const Bytes bytes =
        pickle("\x95\x02\0\0\0\0\0\0\0"s + "}\x94(" + "\x8c\x01k\x94" + "\x8c\x0b"s + "collections\x94" + "\x8c\x0b"s +
                   "OrderedDict\x94" + "\x93\x94)R\x94" + "\x8d\x01\0\0\0\0\0\0\0k"s + "h\x01" + "u",
               4);
    const auto document = unpickle("x", bytes);
    REQUIRE_MESSAGE(document.ok(), (document.ok() ? "" : document.error().message));
    const auto &items = document->dicts[document->root.index];
    REQUIRE(items.size() == 2);
    CHECK(items[0].first.text == "k");
    CHECK(items[0].second.kind == Kind::dict);
    CHECK(items[1].second.text == "k");
}

TEST_CASE("pickle: the memo, by value and by reference") {
    // q0 remembers the dict, and an item set through h0 is seen in it.
    const Bytes bytes =
        pickle("}q\0("s + text("a") + "r\x05\0\0\0"s + integer(1) + "u" + "h\0"s + "j\x05\0\0\0"s + integer(2) + "s0");
    const auto document = unpickle("x", bytes);
    REQUIRE(document.ok());
    CHECK(document->dicts[document->root.index].size() == 2);
    check_damaged("h\x03", {"never stored"});
    check_damaged("}q\x05h\x03", {"never stored"});
    check_damaged("}r\xff\xff\xff\xff", {"more than 250000 remembered"});
    check_damaged("q\0"s, {"not there"});
}

TEST_CASE("pickle: a tensor is a description, never a call") {
    const Bytes bytes = pickle(parameter(tensor("BFloat16Storage", "17", 100, 4, {3, 5}, {10, 2})));
    const auto document = unpickle("x", bytes);
    REQUIRE(document.ok());
    REQUIRE(document->root.kind == Kind::tensor);
    const PickledTensor &found = document->tensors[document->root.index];
    CHECK(found.offset == 4);
    CHECK(found.shape == std::vector<std::uint64_t>{3, 5});
    CHECK(found.strides == std::vector<std::uint64_t>{10, 2});
    CHECK(document->storages[found.storage].key == "17");
    CHECK(document->storages[found.storage].dtype == DType::bf16);
    CHECK(document->storages[found.storage].elements == 100);
}

TEST_CASE("pickle: attributes of a dictionary are dropped") {
    const Bytes bytes =
        pickle(ordered_dict() + "(" + text("a") + integer(1) + "u" + dict({{text("_metadata"), ordered_dict()}}) + "b");
    const auto document = unpickle("x", bytes);
    REQUIRE(document.ok());
    CHECK(document->dicts[document->root.index].size() == 1);
    check_damaged(integer(1) + dict({}) + "b", {"where it needs a dictionary"});
    check_damaged(dict({}) + integer(1) + "b", {"sets attributes from an integer"});
}

TEST_CASE("pickle: names outside the list") {
    const auto check = [](const std::string &value, std::string_view name) {
        CAPTURE(name);
        check_error(pickle_error(value), "x: data.pkl", Status::unsupported, {name});
    };
    check(dict({{text("a"), call(global("posix", "system"), {text("true")})}}), "posix.system");
    check(global("os", "system"), "os.system");
    check(global("builtins", "eval"), "builtins.eval");
    check(global("torch", "load"), "torch.load");
    check(global("torch", "DoubleStorage"), "torch.DoubleStorage");
    check(global("torch", "LongStorage"), "torch.LongStorage");
    check(global("torch._utils", "_rebuild_tensor_v2 "), "torch._utils._rebuild_tensor_v2 ");
    check(global("torch._utils", "_rebuild_tensor_v3"), "_rebuild_tensor_v3");
    check(global("", ""), "wants to use .");
    check(global("a\x1b", "b"), "a\\x1b.b");
    check(text("nt") + text("system") + "\x93", "nt.system");
    check(text("a") + "i", "0x69");                                // INST
    check("(" + text("a") + "o", "0x6f");                          // OBJ
    check(global("collections", "OrderedDict") + ")\x81", "0x81"); // NEWOBJ
    check("\x82\x01", "0x82");                                     // EXT1
    check("P0\n", "0x50");                                         // PERSID
    check("I1\n", "0x49");                                         // INT, of protocol 0
    check("\x8f", "0x8f");                                         // EMPTY_SET
    check("\x8b\xff\xff\xff\x7f", "0x8b");                         // LONG4
}

TEST_CASE("pickle: calls with wrong arguments") {
    const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
    const std::string storage =
        tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(4)}) + "Q";
    const auto shaped = [&](const std::string &shape, const std::string &strides) {
        return call(rebuild, {storage, integer(0), shape, strides, no(), ordered_dict()});
    };
    const auto check = [](const std::string &value, std::string_view part) {
        CAPTURE(part);
        check_error(pickle_error(value), "x: in data.pkl", Status::model_file, {part});
    };
    check(call(rebuild, {storage}), "1 values");
    check(call(rebuild, {integer(0), integer(0), tuple({}), tuple({}), no(), none()}), "storage is an integer");
    check(call(rebuild, {storage, integer(-1), tuple({}), tuple({}), no(), none()}), "offset");
    check(shaped(integer(1), tuple({integer(1)})), "shape is an integer");
    check(shaped(tuple({integer(-1)}), tuple({integer(1)})), "contains -1");
    check(shaped(tuple({integer(1)}), tuple({integer(-1)})), "contains -1");
    check(shaped(tuple({text("1")}), tuple({integer(1)})), "contains a text");
    check(shaped(tuple({integer(1)}), tuple({})), "1 axes and 0 strides");
    check(shaped(tuple(std::vector<std::string>(9, integer(1))), tuple({})), "9 axes");
    check(call(global("torch", "FloatStorage"), {}), "storage type is called");
    check(call(global("collections", "OrderedDict"), {list({})}), "OrderedDict");
    check(global("collections", "OrderedDict") + none() + "R", "arguments of a call");
    check(call(global("torch._utils", "_rebuild_parameter"), {integer(1), no(), none()}), "parameter");
    check(integer(1) + "Q", "storage is named by an integer");
    check(tuple({integer(1)}) + "Q", "named by 1 values");
    const auto id = [](const std::string &tag, const std::string &type, const std::string &key,
                       const std::string &size) {
        return tuple({tag, type, key, text("cpu"), size}) + "Q";
    };
    const std::string floats = global("torch", "FloatStorage");
    check(id(text("module"), floats, text("0"), integer(1)), "persistent id");
    check(id(text("storage"), text("FloatStorage"), text("0"), integer(1)), "type is a text");
    check(id(text("storage"), global("collections", "OrderedDict"), text("0"), integer(1)), "storage's type");
    check(id(text("storage"), floats, integer(0), integer(1)), "key and location");
    check(id(text("storage"), floats, text("0"), integer(-5)), "length");
    check_damaged(integer(1) + ")R", {"calls an integer"});
}

TEST_CASE("pickle: instructions without their operands") {
    for (const std::string_view opcode :
         {"0", "2", "\x85", "\x86", "\x87", "R", "b", "Q", "\x93", "a", "s", "t", "u", "e", "d", "l", "1"}) {
        CAPTURE(opcode);
        check_damaged(std::string(opcode), {});
    }
    check_damaged("", {"not there"}); // STOP with nothing
    check_damaged("}(u(", {"not there"});
    check_damaged("}(K\x01u", {"key without a value"});
    check_damaged("](K\x01"s + "a", {}); // APPEND through a mark
    check_damaged("K\x01K\x02K\x03s", {"where it needs a dictionary"});
    check_damaged("\x8a\x09" + std::string(9, '\1'), {"9 bytes"});
}

TEST_CASE("pickle: cut at every byte") {
    const Bytes bytes =
        pickle(dict({{text("a"), parameter(tensor("HalfStorage", "0", 100000, 70000, {300, 5}, {5, 1}))},
                     {text("b"), integer(1ll << 40)}}));
    REQUIRE(unpickle("x", bytes).ok());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        check_sentence(error_of(unpickle("x", std::span(bytes).first(size))), "x");
    }
}

TEST_CASE("pickle: what would exhaust memory or the stack") {
    const std::size_t many = kPickleObjectLimit + 1;
    check_damaged(std::string(many, 'N'), {"values on its stack"});
    check_damaged(std::string(many, '('), {"open groups"});
    check_damaged(std::string(many, '}'), {"more than"});
    check_damaged(std::string(many, ')'), {"more than"});
    check_damaged("N" + std::string(2 * many, '\x85'), {"more than"}); // one tuple inside the other
    std::string appended = "]";
    for (std::size_t i = 0; i < many; ++i) appended += "Na";
    check_damaged(appended, {"items"});
    check_damaged("X\xff\xff\xff\xff", {"text of 4294967295 bytes"});
    check_damaged("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", {"ends inside a text"});
    check_damaged("\x95\xff\xff\xff\xff\xff\xff\xff\xff", {"frame"});
    // A list that contains itself is nothing special.
    const Bytes cycle = pickle("]q\0h\0a"s);
    CHECK(unpickle("x", cycle).ok());
}
