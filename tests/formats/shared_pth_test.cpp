// Checkpoints written by torch itself, with what real ones may contain.
#include "tests/formats/support.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("shared: pth-features has exactly the recorded values") {
    const auto path = shared_file("golden/pth-features.pth"), golden = shared_file("golden/pth-features.json");
    if (!path || !golden) return;
    const auto source = open_tensor_source(*path);
    REQUIRE_MESSAGE(source.ok(), (source.ok() ? "" : source.error().message));
    const auto expected = nlohmann::json::parse(std::ifstream(*golden));
    CHECK((*source)->tensors().size() == expected.size());
    for (const auto &item : expected.items()) {
        const std::string &name = item.key();
        const auto &want = item.value();
        CAPTURE(name);
        CHECK(values_of(**source, name) == want.at("values").get<std::vector<float>>());
        for (const TensorInfo &info : (*source)->tensors()) {
            if (info.name != name) continue;
            CHECK(info.shape == want.at("shape").get<std::vector<std::uint64_t>>());
            const std::string dtype = want.at("dtype");
            CHECK(name_of(info.dtype) == (dtype == "float32" ? "f32" : dtype == "float16" ? "f16" : "bf16"));
        }
    }
}

TEST_CASE("shared: pth-refuse is refused, naming what it would call") {
    if (const auto path = shared_file("golden/pth-refuse.pth"))
        check_error(error_of(open_tensor_source(*path)), *path, Status::unsupported, {"posix.system"});
}
