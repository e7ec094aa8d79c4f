#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/support.h"

#include <functional>
#include <nlohmann/json.hpp>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::uint32_t>;

// A tokenizer.json with the 256 bytes as ids 2 to 257, "he" 258, "hell" after "ll", and the two kinds of added tokens.
Json small_json() {
    Json vocab;
    int hidden = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
        const bool visible = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
        const int code = visible ? byte : hidden++;
        std::string character;
        if (code < 0x80)
            character = static_cast<char>(code);
        else
            character = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
        vocab[character] = byte + 2;
    }
    vocab["he"] = 258;
    vocab["ll"] = 259;
    vocab["hell"] = 260;
    const auto added = [](int id, const char *content, bool normalized) {
        return Json{{"id", id},
                    {"content", content},
                    {"normalized", normalized},
                    {"special", !normalized},
                    {"single_word", false},
                    {"lstrip", false},
                    {"rstrip", false}};
    };
    return {{"normalizer", {{"type", "NFC"}}},
            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}}},
            {"added_tokens", {added(0, "<|end|>", false), added(261, "   ", true), added(262, "  ", true)}},
            {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"h e", "l l", "he ll"}}}}};
}

std::unique_ptr<Tokenizer> tokenizer_of(const Json &json) {
    auto tokenizer = make_20b_tokenizer("v", json.dump());
    REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer.ok() ? "" : tokenizer.error().message));
    return std::move(tokenizer).value();
}

void check_refused(const Json &json, Status status, std::initializer_list<std::string_view> parts) {
    check_error(error_of(make_20b_tokenizer("v", json.dump())), "v", status, parts);
}

} // namespace

TEST_CASE("20b: added tokens, NFC, words, merges") {
    const auto tokenizer = tokenizer_of(small_json());
    CHECK(tokenizer->name() == "20b");
    CHECK(tokenizer->vocabulary() == 263);
    CHECK(*tokenizer->encode("") == Ids{});
    CHECK(*tokenizer->encode("hell") == Ids{260});
    CHECK(*tokenizer->encode("heal") == Ids{258, 'a' + 2, 'l' + 2});
    CHECK(*tokenizer->encode("he ll") == Ids{258, ' ' + 2, 259});
    CHECK(*tokenizer->encode("he<|end|>ll") == Ids{258, 0, 259});
    CHECK(*tokenizer->encode("<|end|") == Ids{'<' + 2, '|' + 2, 'e' + 2, 'n' + 2, 'd' + 2, '|' + 2});
    CHECK(*tokenizer->encode("     he") == Ids{261, 262, 258});        // leftmost, then longest
    CHECK(*tokenizer->encode("e\xcc\x81") == Ids{0xC3 + 2, 0xA9 + 2}); // e and an acute accent become one character
    CHECK(*tokenizer->encode("\xff\xc3he\x80") == Ids{0xFF + 2, 0xC3 + 2, 258, 0x80 + 2});
    CHECK(*tokenizer->encode(std::string_view("\0", 1)) == Ids{2});
    CHECK(*tokenizer->decode(260) == "hell");
    CHECK(*tokenizer->decode(0) == "<|end|>");
    CHECK(tokenizer->decode(1)->empty());
    CHECK(tokenizer->decode(50303)->empty()); // a padded row of RWKV-7 Pile models
    CHECK(error_of(tokenizer->decode(50304)).status == Status::argument);
}

TEST_CASE("20b: any bytes that are in NFC come back") {
    const auto tokenizer = tokenizer_of(small_json());
    std::string all;
    for (int repeat = 0; repeat < 3; ++repeat)
        for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte * (2 * repeat + 1));
    std::string back;
    const auto ids = tokenizer->encode(all);
    REQUIRE(ids.ok());
    for (const std::uint32_t id : *ids) back += *tokenizer->decode(id);
    CHECK(back == all);
}

TEST_CASE("20b: a byte that the vocabulary lacks is named") { // the published one lacks those that UTF-8 never has
    Json json = small_json();
    json["model"]["vocab"].erase("a");
    const auto tokenizer = tokenizer_of(json);
    CHECK(*tokenizer->encode("hell") == Ids{260});
    check_error(error_of(tokenizer->encode("he <|end|>bad")), "20B tokenizer", Status::argument, {"0x61", "UTF-8"});
}

TEST_CASE("20b: long texts take no quadratic time") {
    const auto tokenizer = tokenizer_of(small_json());
    for (const char *piece : {"a", " ", "a ", "\xe4\xb8\xad", "\xff", "'", "\n"}) {
        std::string text;
        while (text.size() < 300'000) text += piece;
        std::string back;
        const auto ids = tokenizer->encode(text);
        REQUIRE(ids.ok());
        for (const std::uint32_t id : *ids) back += *tokenizer->decode(id);
        CHECK(back == text);
    }
}

TEST_CASE("20b: newer files write merges as pairs") {
    Json json = small_json();
    json["model"]["merges"] =
        Json::array({Json::array({"h", "e"}), Json::array({"l", "l"}), Json::array({"he", "ll"})});
    CHECK(*tokenizer_of(json)->encode("hell") == Ids{260});
}

TEST_CASE("20b: tokenizers that work otherwise are refused by the setting") {
    const auto with = [](const char *pointer, const Json &value) {
        Json json = small_json();
        json[Json::json_pointer(pointer)] = value;
        return json;
    };
    check_refused(with("/model/type", "Unigram"), Status::unsupported, {"model.type", "Unigram", "BPE"});
    check_refused(with("/normalizer", nullptr), Status::unsupported, {"normalizer.type"});
    check_refused(with("/normalizer/type", "NFKC"), Status::unsupported, {"normalizer.type", "NFKC"});
    check_refused(with("/pre_tokenizer/type", "Sequence"), Status::unsupported, {"pre_tokenizer.type"});
    check_refused(with("/pre_tokenizer/add_prefix_space", true), Status::unsupported, {"add_prefix_space"});
    check_refused(with("/pre_tokenizer/use_regex", false), Status::unsupported, {"use_regex"});
    check_refused(with("/model/dropout", 0.5), Status::unsupported, {"dropout"});
    check_refused(with("/model/byte_fallback", true), Status::unsupported, {"byte_fallback"});
    check_refused(with("/added_tokens/0/lstrip", true), Status::unsupported, {"<|end|>", "lstrip"});
}

TEST_CASE("20b: damaged vocabularies") {
    const auto bad = [](const std::function<void(Json &)> &damage, std::initializer_list<std::string_view> parts) {
        Json json = small_json();
        damage(json);
        check_refused(json, Status::model_file, parts);
    };
    bad([](Json &j) { j["model"].erase("vocab"); }, {"vocab"});
    bad([](Json &j) { j["model"]["vocab"] = 7; }, {"vocab"});
    bad([](Json &j) { j["model"]["merges"] = Json::object(); }, {"merges"});
    bad([](Json &j) { j["model"]["vocab"].erase("h"); }, {"merge 0"});
    bad([](Json &j) { j["model"]["vocab"]["a"] = -1; }, {"token a"});
    bad([](Json &j) { j["model"]["vocab"]["a"] = 1.5; }, {"token a"});
    bad([](Json &j) { j["model"]["vocab"]["a"] = 1 << 20; }, {"token a"});
    bad([](Json &j) { j["model"]["vocab"]["a"] = 4000000000u; }, {"token a"});
    bad([](Json &j) { j["model"]["vocab"]["a"] = 258; }, {"id 258"});
    bad([](Json &j) { j["model"]["merges"][1] = "l"; }, {"merge 1"});
    bad([](Json &j) { j["model"]["merges"][1] = "l x"; }, {"merge 1"});
    bad([](Json &j) { j["model"]["merges"][1] = 7; }, {"merge 1"});
    bad([](Json &j) { j["model"]["merges"][1] = {"l"}; }, {"merge 1"});
    bad([](Json &j) { j["added_tokens"] = 7; }, {"added_tokens"});
    bad([](Json &j) { j["added_tokens"][0] = 7; }, {"added token"});
    bad([](Json &j) { j["added_tokens"][0]["content"] = ""; }, {"added token"});
    bad([](Json &j) { j["added_tokens"][0]["id"] = "0"; }, {"added token"});
    bad([](Json &j) { j["added_tokens"][0]["id"] = 258; }, {"id 258"});
    bad([](Json &j) { j["added_tokens"][1]["content"] = "  "; }, {"twice"});
    for (const std::string &text :
         {std::string(), std::string("7"), std::string("[]"), std::string("{"), std::string("{\"\xff\":1}")})
        check_error(error_of(make_20b_tokenizer("v", text)), "v", Status::model_file, {"JSON object"});
    check_error(error_of(make_20b_tokenizer("v", std::string(100000, '['))), "v", Status::model_file, {"nested"});
    check_error(error_of(make_20b_tokenizer("v", std::string(17 << 20, ' '))), "v", Status::model_file, {"at most"});
    const TemporaryPath nowhere;
    check_error(error_of(make_20b_tokenizer(nowhere.path())), nowhere.path(), Status::io, {"No such file"});
}

TEST_CASE("20b: cut at many places") {
    const std::string text = small_json().dump();
    for (std::size_t size = 0; size < text.size(); size += 7)
        check_sentence(error_of(make_20b_tokenizer("v", std::string_view(text).substr(0, size))), "v");
}
