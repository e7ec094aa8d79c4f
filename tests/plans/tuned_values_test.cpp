// What was measured on a device is read back from a file that is the user's: whatever is wrong with it is said, what is right of
// it is used, and nothing that the tuning table does not allow.
#include "runtime/doctor/first_test.h"
#include "runtime/engine/tuned_check.h"
#include "runtime/engine/tuned_values.h"
#include "runtime/kernels/tuning.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

using namespace ff;
using engine::TunedValues;

namespace {

const gpu::CacheIdentity kIdentity{.vendor_id = 1, .device_id = 2, .driver_version = 3, .cache_uuid = {}, .device_uuid = "4"};

class Folder : public test::TemporaryFolder {
  public:
    Folder() : TemporaryFolder("tuned") { std::filesystem::create_directories(path()); }
    void write(std::string_view text) const {
        std::ofstream out(path() + fmt::format("/tuned-{}.json", kIdentity.key()), std::ios::binary);
        out << text;
    }
    struct Read {
        TunedValues values;
        std::vector<std::string> warnings;
    };
    Read read() const {
        Read read;
        read.values = engine::read_tuned_values(path(), kIdentity, [&](LogLevel level, std::string_view message) {
            CHECK(level == LogLevel::warning);
            read.warnings.emplace_back(message);
        });
        return read;
    }
};

std::string file_of(std::string_view entries, std::string_view schema = "firefinch-tuned/1") {
    return fmt::format(R"({{"schema": "{}", "device": "{}", "tuned": {}}})", schema, kIdentity.key(), entries);
}

constexpr const char *kGood = R"({"key": "good", "values": [64, 2]})";

} // namespace

TEST_CASE("tuned values: what is written is read") {
    const Folder folder;
    CHECK(folder.read().values.empty()); // no file
    const TunedValues values = {{"project_add.f16, 5 x 8", {64, 2}}, {"other", {}}};
    REQUIRE(engine::write_tuned_values(folder.path(), kIdentity, values).ok());
    const Folder::Read read = folder.read();
    CHECK(read.warnings.empty());
    REQUIRE(read.values.size() == 2);
    CHECK(read.values[0].key == values[0].key);
    CHECK(read.values[0].values == values[0].values);
    CHECK(read.values[1].key == "other");
}

TEST_CASE("tuned values: a damaged file is ignored, and named") {
    const Folder folder;
    const std::string whole = file_of(fmt::format("[{}]", kGood));
    for (const std::string &text :
         {std::string("{"), std::string("null"), std::string("\0\xff\x80", 3), whole + "x", std::string(100000, '['),
          file_of("{}"), file_of("7"), file_of("[]", "firefinch-tuned/2"), file_of("[]", "firefinch-denied/1"),
          std::string(R"({"schema": "firefinch-tuned/1", "device": "0123456789abcdef", "tuned": []})"),
          whole + std::string(2 << 20, ' ')}) {
        CAPTURE(text.substr(0, 80));
        folder.write(text);
        const Folder::Read read = folder.read();
        CHECK(read.values.empty());
        REQUIRE(read.warnings.size() == 1);
        CHECK(read.warnings[0].find(folder.path()) == 0);
        CHECK(read.warnings[0].find("it is ignored") != std::string::npos);
    }
    for (std::size_t length = 1; length < whole.size(); ++length) { // cut off anywhere
        folder.write(std::string_view(whole).substr(0, length));
        CHECK(folder.read().values.empty());
        CHECK(folder.read().warnings.size() == 1);
    }
    folder.write(whole);
    CHECK(folder.read().values.size() == 1);
}

TEST_CASE("tuned values: an entry that is none is ignored, and the others are used") {
    const Folder folder;
    for (const std::string &entry :
         {std::string("1"), std::string("null"), std::string("[]"), std::string("{}"), std::string(R"({"key": "a"})"),
          std::string(R"({"key": "", "values": [1]})"), std::string(R"({"key": 5, "values": [1]})"),
          std::string(R"({"key": "a", "values": 1})"), std::string(R"({"key": "a", "values": [-1]})"),
          std::string(R"({"key": "a", "values": [1.5]})"), std::string(R"({"key": "a", "values": ["1"]})"),
          std::string(R"({"key": "a", "values": [4294967297]})"),
          std::string(R"({"key": "a", "values": [1, 1, 1, 1, 1, 1, 1, 1, 1]})"),
          fmt::format(R"({{"key": "{}", "values": [1]}})", std::string(300, 'k'))}) {
        CAPTURE(entry);
        folder.write(file_of(fmt::format("[{}, {}]", entry, kGood)));
        const Folder::Read read = folder.read();
        REQUIRE(read.values.size() == 1);
        CHECK(read.values[0].key == "good");
        REQUIRE(read.warnings.size() == 1);
        CHECK(read.warnings[0].find("no tuned values are ignored (1)") != std::string::npos);
    }
}

TEST_CASE("tuned values: a device is given them, and kernels those that the table allows") {
    const Folder folder;
    engine::EngineOptions options;
    if (const char *device = std::getenv("FIREFINCH_TEST_DEVICE")) options.device = device;
    options.cache_directory = folder.path();
    options.log = [](LogLevel, std::string_view) {};
    const auto traits_of_engine = [&] {
        const auto engine = doctor::engine_with_first_test(options, false);
        REQUIRE_MESSAGE(engine.ok(), (engine.ok() ? "" : engine.error().message));
        return std::pair{(*engine)->device()->traits(), gpu::cache_identity(*(*engine)->device())};
    };
    const auto [before, identity] = traits_of_engine();
    const kernels::Variant &variant = kernels::variant_for("project_add", kernels::WeightType::f16, before);
    const auto tuned = [&](const gpu::DeviceTraits &traits) { return kernels::tune_matvec(traits, variant, 768, 96, false); };
    const kernels::MatvecTuning table = tuned(before);
    REQUIRE(table.origin.tunable);
    const auto &candidates = table.origin.tunable->candidates;
    REQUIRE(candidates.size() > 1);
    const std::string key = table.origin.tunable->key;

    REQUIRE(engine::write_tuned_values(folder.path(), identity, {{key, candidates.back()}}).ok());
    const kernels::MatvecTuning measured = tuned(traits_of_engine().first);
    CHECK(measured.origin.measured);
    CHECK(std::vector{measured.local_size, measured.rows, measured.unroll, measured.neighbours} == candidates.back());
    for (const std::vector<std::uint32_t> &never : {std::vector<std::uint32_t>{0, 0}, {65536, 65536}, {}, {64}, {7, 3}}) {
        REQUIRE(engine::write_tuned_values(folder.path(), identity, {{key, never}}).ok());
        const kernels::MatvecTuning chosen = tuned(traits_of_engine().first);
        CHECK_FALSE(chosen.origin.measured);
        CHECK(chosen.local_size == table.local_size);
        CHECK(chosen.rows == table.rows);
    }
    options.ignore_tuning = true;
    REQUIRE(engine::write_tuned_values(folder.path(), identity, {{key, candidates.back()}}).ok());
    CHECK_FALSE(tuned(traits_of_engine().first).origin.measured);
}

TEST_CASE("tuned values: logits that differ by more than the order of sums are found") {
    const std::vector<float> table = {0.0F, 1.0F, -20.0F};
    const auto differs = [&](const std::vector<float> &tuned) { return !engine::difference_of(tuned, table).empty(); };
    CHECK_FALSE(differs(table));
    CHECK_FALSE(differs({1e-4F, 1.0001F, -20.004F}));
    CHECK(differs({1e-3F, 1.0F, -20.0F}));
    CHECK(differs({0.0F, 1.0F, -20.02F}));
    CHECK(differs({0.0F, NAN, -20.0F}));
    CHECK(engine::difference_of(std::vector{0.0F, 1.0F, 20.0F}, table) == "a logit is 20, with the table's numbers -20");
}

TEST_CASE("tuned values: those with which a model computes something else are found out") {
    const TunedValues values = {{"a", {1}}, {"b", {2}}, {"c", {3}}};
    // A model that goes wrong if it has all of one of these lists.
    const auto wrong_if = [&](const std::vector<std::string> &lists) {
        const auto found = engine::wrong_ones(values, [&](const TunedValues &some) -> Result<std::string> {
            for (const std::string &list : lists)
                if (std::ranges::all_of(list, [&](char key) {
                        return std::ranges::any_of(some, [&](const auto &each) { return each.key == std::string(1, key); });
                    }))
                    return "with " + list;
            return std::string();
        });
        REQUIRE(found.ok());
        std::string keys;
        for (const engine::WrongValue &each : *found) {
            CHECK(each.why.starts_with("with "));
            keys += each.key;
        }
        return keys;
    };
    CHECK(wrong_if({}).empty());
    CHECK(wrong_if({"b"}) == "b");
    CHECK(wrong_if({"a", "c"}) == "ac");
    CHECK(wrong_if({"ac"}) == "abc"); // only together: which of them is not known
    CHECK(wrong_if({"b", "ac"}) == "bac");
    CHECK(wrong_if({"b", "ab"}) == "b");
    const auto failed = engine::wrong_ones(values, [](const TunedValues &) -> Result<std::string> {
        return Error{Status::device_lost, "lost"};
    });
    CHECK_FALSE(failed.ok());
}
