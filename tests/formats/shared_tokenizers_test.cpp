// The published vocabularies against the recorded ids, case by case.
#include "loader/tokenizer/packed_vocabulary.h"
#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/support.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::uint32_t>;

std::string from_base64(std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0, count = 0;
    for (const char c : text.substr(0, text.find('='))) {
        bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
        count += 6;
        if (count >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
    }
    return out;
}

std::string decoded(const Tokenizer &tokenizer, const Ids &ids) {
    std::string out;
    for (const std::uint32_t id : ids) {
        const auto text = tokenizer.decode(id);
        REQUIRE(text.ok());
        out += *text;
    }
    return out;
}

void check_golden(const Tokenizer &tokenizer, const std::string &golden_path) {
    const Json golden = Json::parse(std::ifstream(golden_path));
    CHECK(golden.at("cases").size() > 200);
    for (const Json &one : golden.at("cases")) {
        const std::string text =
            one.contains("text") ? one.at("text").get<std::string>() : from_base64(one.at("base64").get<std::string>());
        const Ids want = one.at("ids");
        CAPTURE(one.dump());
        const auto ids = tokenizer.encode(text);
        REQUIRE(ids.ok());
        CHECK(*ids == want);
        CHECK(decoded(tokenizer, want) == (one.contains("decoded") ? one.at("decoded").get<std::string>() : text));
    }
    for (const Json &one : golden.at("decode"))
        CHECK(decoded(tokenizer, one.at("ids")) == from_base64(one.at("base64").get<std::string>()));
}

} // namespace

TEST_CASE("shared: world tokenizer, every recorded case") {
    const auto vocabulary = shared_file("vocab/rwkv_vocab_v20230424.txt"),
               golden = shared_file("golden/tokenizer-world.json");
    if (!vocabulary || !golden) return;
    for (const auto &tokenizer : {make_world_tokenizer(), make_world_tokenizer(*vocabulary)}) {
        REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer.ok() ? "" : tokenizer.error().message));
        CHECK((*tokenizer)->vocabulary() == 65536);
        CHECK((*tokenizer)->special(TokenRole::end_of_text) == 0);
        CHECK_FALSE((*tokenizer)->special(TokenRole::end_of_turn));
        check_golden(**tokenizer, *golden);
    }
}

TEST_CASE("shared: 20B tokenizer, every recorded case") {
    const auto vocabulary = shared_file("vocab/20B_tokenizer.json"), golden = shared_file("golden/tokenizer-20b.json");
    if (!vocabulary || !golden) return;
    for (const auto &tokenizer : {make_20b_tokenizer(), make_20b_tokenizer(*vocabulary)}) {
        REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer.ok() ? "" : tokenizer.error().message));
        CHECK((*tokenizer)->vocabulary() == 50277);
        CHECK((*tokenizer)->special(TokenRole::end_of_text) == 0);
        check_golden(**tokenizer, *golden);
    }
}

TEST_CASE("shared: the library's vocabularies are the published ones") {
    const auto world = shared_file("vocab/rwkv_vocab_v20230424.txt"), twenty = shared_file("vocab/20B_tokenizer.json");
    if (!world || !twenty) return;
    const auto published = make_world_tokenizer(*world), ours = make_world_tokenizer();
    REQUIRE((published.ok() && ours.ok()));
    int different = 0;
    for (std::uint32_t id = 0; id < 65536; ++id)
        if (*(*published)->decode(id) != *(*ours)->decode(id)) ++different;
    CHECK(different == 0);

    std::ifstream file(*twenty);
    const std::string json((std::istreambuf_iterator<char>(file)), {});
    const auto want = parse_neox_vocabulary("20b", json), found = unpack_20b("20b", packed_20b());
    REQUIRE((want.ok() && found.ok()));
    CHECK(found->texts == want->texts);
    CHECK(found->raw_tokens == want->raw_tokens);
    CHECK(found->normalized_tokens == want->normalized_tokens);
    CHECK(found->bpe.byte_ids == want->bpe.byte_ids);
    CHECK(found->bpe.merges.size() == want->bpe.merges.size());
    for (const auto &[pair, merge] : want->bpe.merges) {
        const auto other = found->bpe.merges.find(pair);
        if (other == found->bpe.merges.end() || other->second.rank != merge.rank || other->second.id != merge.id)
            ++different;
    }
    CHECK(different == 0);

    CHECK((*make_tokenizer_from(*world))->name() == "world");
    CHECK((*make_tokenizer_from(*twenty))->name() == "20b");
}
