// Which type a tensor gets: a table of decisions.
#include "loader/quant/policy.h"
#include "tests/formats/support.h"

using namespace ff::loader;
using namespace ff::loader::test;

namespace {

Storage decide(std::string name, DType stored, std::uint64_t columns, std::optional<DType> wanted) {
    return storage_of({std::move(name), stored, {8, columns}}, wanted);
}

} // namespace

TEST_CASE("roles by official names") {
    for (const char *name : {"blocks.0.att.receptance.weight", "blocks.11.att.key.weight", "blocks.3.att.output.weight",
                             "blocks.3.att.gate.weight", "blocks.3.ffn.value.weight", "blocks.3.ffn.receptance.weight"})
        CHECK(role_of(name) == Role::matrix);
    CHECK(role_of("head.weight") == Role::head);
    CHECK(role_of("emb.weight") == Role::table);
    CHECK(role_of("blocks.3.ffn.s_emb.weight") == Role::table);
    for (const char *name : {"blocks.0.ln0.weight", "ln_out.bias", "blocks.3.att.w1", "blocks.3.att.time_maa_w2",
                             "blocks.3.att.time_decay", "blocks.3.att.r_k", "blocks.3.att.ln_x.weight",
                             "blocks.3.ffn.s_emb_x.weight", "blocks.3.ffn.s1", "anything"})
        CHECK(role_of(name) == Role::parameter);
}

TEST_CASE("storage: nothing wanted, nothing changed") {
    for (const DType stored : {DType::f32, DType::bf16, DType::q4_0})
        for (const char *name : {"emb.weight", "head.weight", "blocks.0.att.key.weight", "blocks.0.att.w1"}) {
            const Storage storage = decide(name, stored, 256, std::nullopt);
            CHECK(storage.dtype == stored);
            CHECK_FALSE(storage.fallback);
        }
}

TEST_CASE("storage: every role for every type") {
    for (const DType wanted : {DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q4_k,
                               DType::q5_k, DType::q6_k, DType::nf4}) {
        CAPTURE(name_of(wanted));
        CHECK(decide("blocks.0.ffn.key.weight", DType::f16, 256, wanted).dtype == wanted);
        CHECK(decide("head.weight", DType::f16, 256, wanted).dtype == (wanted == DType::q8_0 ? wanted : DType::q6_k));
        CHECK(decide("emb.weight", DType::f32, 256, wanted).dtype == DType::f16);
        CHECK(decide("emb.weight", DType::bf16, 256, wanted).dtype == DType::bf16);
        CHECK(decide("emb.weight", DType::q8_0, 256, wanted).dtype == DType::q8_0);
        CHECK(decide("blocks.0.att.w1", DType::bf16, 256, wanted).dtype == DType::bf16);
        CHECK(decide("blocks.0.ln1.weight", DType::f32, 256, wanted).dtype == DType::f32);
    }
    for (const DType wanted : {DType::f32, DType::f16, DType::bf16}) {
        for (const char *name : {"emb.weight", "head.weight", "blocks.0.att.key.weight"})
            CHECK(decide(name, DType::q4_k, 256, wanted).dtype == wanted);
        CHECK(decide("blocks.0.att.time_decay", DType::f32, 256, wanted).dtype == DType::f32);
    }
}

TEST_CASE("storage: rows that are no whole blocks fall back, and say so") {
    struct Row {
        DType wanted, at_32, at_16; // what becomes of rows of 32 x odd, and of 16
    };
    for (const Row &row : {Row{DType::q8_0, DType::q8_0, DType::f16}, Row{DType::q4_0, DType::q4_0, DType::f16},
                           Row{DType::q5_1, DType::q5_1, DType::f16}, Row{DType::q4_k, DType::q5_0, DType::f16},
                           Row{DType::q5_k, DType::q5_1, DType::f16}, Row{DType::q6_k, DType::q8_0, DType::f16},
                           Row{DType::nf4, DType::q5_0, DType::f16}}) {
        CAPTURE(name_of(row.wanted));
        const Storage at_32 = decide("blocks.0.att.key.weight", DType::f32, 96, row.wanted);
        CHECK(at_32.dtype == row.at_32);
        CHECK(at_32.fallback == (row.at_32 != row.wanted));
        const Storage at_16 = decide("blocks.0.att.key.weight", DType::f32, 48, row.wanted);
        CHECK(at_16.dtype == row.at_16);
        CHECK(at_16.fallback);
    }
    CHECK(decide("head.weight", DType::f32, 96, DType::q4_k).dtype == DType::q8_0);
    CHECK(decide("head.weight", DType::f32, 96, DType::q4_k).fallback);
}

TEST_CASE("storage: the first rule that fits decides, whatever the role") {
    const std::vector<TypeRule> rules = {{"blocks.*.att.key.weight", DType::q8_0},
                                         {"blocks.*.att.*", DType::f16},
                                         {"head.weight", DType::q4_k},
                                         {"*emb.weight", DType::q4_0}};
    const auto decide_by_rules = [&](std::string name, std::uint64_t columns) {
        return storage_of({std::move(name), DType::f32, {8, columns}}, DType::q6_k, rules);
    };
    CHECK(decide_by_rules("blocks.3.att.key.weight", 256).dtype == DType::q8_0);
    CHECK(decide_by_rules("blocks.3.att.value.weight", 256).dtype == DType::f16);
    CHECK(decide_by_rules("blocks.3.att.w1", 256).dtype == DType::f16); // a parameter
    CHECK(decide_by_rules("blocks.3.ffn.key.weight", 256).dtype == DType::q6_k);
    CHECK(decide_by_rules("head.weight", 256).dtype == DType::q4_k); // no six bits for who asks for four
    CHECK(decide_by_rules("emb.weight", 256).dtype == DType::q4_0);
    CHECK(decide_by_rules("blocks.3.ffn.s_emb.weight", 256).dtype == DType::q4_0);
    CHECK(decide_by_rules("head.weight", 96).dtype == DType::q5_0);
    CHECK(decide_by_rules("head.weight", 96).fallback);
    CHECK(decide_by_rules("blocks.3.att.key.weight", 48).dtype == DType::f16);
    CHECK(decide_by_rules("blocks.3.att.key.weight", 48).fallback);
}

TEST_CASE("patterns: a star stands for any text, all else for itself") {
    const auto fits = [](std::string pattern, std::string_view name) {
        const std::vector<TypeRule> rules = {{std::move(pattern), DType::f16}};
        return rule_for(name, rules) != nullptr;
    };
    CHECK(fits("*", "emb.weight"));
    CHECK(fits("emb.weight", "emb.weight"));
    CHECK(fits("emb.weight*", "emb.weight"));
    CHECK(fits("**weight", "emb.weight"));
    CHECK(fits("blocks.*.weight", "blocks.1.att.key.weight"));
    CHECK(fits("*.key.*ght", "blocks.1.att.key.weight"));
    CHECK(fits("*a*a*a", "aaaa"));
    CHECK_FALSE(fits("*a*a*a*", "aa"));
    CHECK_FALSE(fits("", "emb.weight"));
    CHECK_FALSE(fits("emb", "emb.weight"));
    CHECK_FALSE(fits("emb?weight", "emb.weight"));
    CHECK_FALSE(fits("*.bias", "ln_out.bias.x"));
    CHECK_FALSE(fits("emb.weigh*t.", "emb.weight"));
}

TEST_CASE("loading: matrices and head as wanted, whole blocks or not at all, everything else as it is") {
    const auto tensor = [](const char *name, DType dtype, std::uint64_t columns) {
        return TensorInfo{name, dtype, {64, columns}};
    };
    const auto loaded = [&](const char *name, DType stored, std::uint64_t columns, std::optional<DType> wanted) {
        const Storage storage = loaded_as(tensor(name, stored, columns), wanted);
        return std::pair(storage.dtype, storage.fallback);
    };
    using Kept = std::pair<DType, bool>;
    CHECK(loaded("blocks.0.att.key.weight", DType::f16, 256, DType::q4_k) == Kept(DType::q4_k, false));
    CHECK(loaded("head.weight", DType::f16, 256, DType::q4_k) == Kept(DType::q4_k, false));
    CHECK(loaded("blocks.0.att.key.weight", DType::f16, 192, DType::q4_k) == Kept(DType::f16, true));
    CHECK(loaded("blocks.0.att.key.weight", DType::q8_0, 192, DType::q4_k) == Kept(DType::f16, true));
    CHECK(loaded("emb.weight", DType::f16, 256, DType::q4_k) == Kept(DType::f16, false));
    CHECK(loaded("emb.weight", DType::q8_0, 256, DType::q4_k) == Kept(DType::q8_0, false));
    CHECK(loaded("blocks.0.att.w1", DType::bf16, 256, DType::q4_k) == Kept(DType::bf16, false));
    CHECK(loaded("blocks.0.att.w1", DType::bf16, 256, DType::f32) == Kept(DType::f32, false));
    CHECK(loaded("blocks.0.att.key.weight", DType::q4_0, 256, std::nullopt) == Kept(DType::q4_0, false));
}
