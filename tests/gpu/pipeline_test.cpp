#include "tests/gpu/fixture.h"

#include <chrono>
#include <future>

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

TEST_CASE("pipelines come in order, and equal descriptions share one") {
    for (const char *profile : kProfiles) {
        CAPTURE(profile);
        Scope scope;
        auto set = must(PipelineSet::create(scope.device({.profile = profile}), {}));
        PipelineDescription renamed = add_description(64, 1);
        renamed.name = "another name";
        const PipelineDescription descriptions[] = {add_description(64, 1), scale_description(), renamed,
                                                    add_description(64, 2), add_description(32, 1)};
        std::optional<unsigned long long> last;
        const auto made =
            must(set->compile(descriptions, [&](std::string_view, unsigned long long done, unsigned long long total) {
                CHECK(total == 4);
                CHECK((last ? done > *last : done == 0));
                last = done;
                return true;
            }));
        REQUIRE(made.size() == 5);
        CHECK(last == 4);
        CHECK(made[0] == made[2]);
        CHECK(made[0] != made[3]);
        CHECK(made[3] != made[4]);
        CHECK(made[1]->name == "scale");
        CHECK(made[0]->layout == made[3]->layout);
        CHECK(set->statistics().compiled == 4);
        CHECK(must(set->compile(descriptions, {})) == made); // nothing is made twice
        CHECK(set->statistics().compiled == 4);
    }
}

TEST_CASE("a description that does not fit the shader or the device is refused by name") {
    Scope scope;
    const auto device = scope.device();
    auto set = must(PipelineSet::create(device, {}));
    const auto refusal = [&](const PipelineDescription &description) {
        const auto result = set->compile({&description, 1}, {});
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().message.starts_with("pipeline " + description.name + ": "));
        return result.error();
    };
    PipelineDescription block = add_description();
    block.push_constant_bytes = 12;
    CHECK(refusal(block).message == "pipeline add: the shader's push constants are 8 bytes, the host's 12");
    PipelineDescription bindings = add_description();
    bindings.bindings = 2;
    CHECK(refusal(bindings).message == "pipeline add: the shader has binding 2, the host names 2 bindings");
    CHECK(refusal(bindings).status == Status::internal);
    CHECK(refusal(add_description(1U << 20)).status == Status::unsupported);
    CHECK(refusal(add_description(0)).status == Status::unsupported);
    PipelineDescription subgroup = add_description();
    subgroup.required_subgroup_size = 3;
    CHECK(refusal(subgroup).status == Status::unsupported);
    PipelineDescription garbage = add_description();
    garbage.spirv = garbage.spirv.first(30);
    CHECK(refusal(garbage).status == Status::internal);
    CHECK(set->statistics().compiled == 0);
}

TEST_CASE("a subgroup size is required where the device lets one choose") {
    Scope scope;
    const auto device = scope.device();
    const DeviceTraits &traits = device->traits();
    auto set = must(PipelineSet::create(device, {}));
    PipelineDescription full = add_description(traits.subgroup_size_max * 2);
    full.full_subgroups = true;
    must(set->compile({&full, 1}, {}));
    if (!traits.subgroup_size_control) return;
    for (std::uint32_t size = traits.subgroup_size_min; size <= traits.subgroup_size_max; size *= 2) {
        PipelineDescription sized = full;
        sized.required_subgroup_size = size;
        must(set->compile({&sized, 1}, {}));
    }
}

TEST_CASE("compiling can be stopped") {
    Scope scope;
    auto set = must(PipelineSet::create(scope.device(), {.threads = 1}));
    std::vector<PipelineDescription> descriptions;
    for (std::uint32_t factor = 0; factor < 50; ++factor) descriptions.push_back(add_description(64, factor));
    const auto stopped =
        set->compile(descriptions, [](std::string_view, unsigned long long, unsigned long long) { return false; });
    REQUIRE_FALSE(stopped.ok());
    CHECK(stopped.error().status == Status::cancelled);
    CHECK(set->statistics().compiled == 0);
    const auto after_one = set->compile(
        descriptions, [](std::string_view, unsigned long long done, unsigned long long) { return done == 0; });
    REQUIRE_FALSE(after_one.ok());
    CHECK(after_one.error().status == Status::cancelled);
    CHECK(set->statistics().compiled > 0);
    CHECK(must(set->compile(descriptions, {})).size() == 50);
}

TEST_CASE("pipelines that are made are had while others are compiled") {
    Scope scope;
    auto set = must(PipelineSet::create(scope.device(), {}));
    const std::vector<PipelineDescription> made = {add_description(64, 1)}, others = {add_description(64, 2)};
    must(set->compile(made, {}));
    std::future_status had = std::future_status::timeout;
    must(set->compile(others, [&](std::string_view, unsigned long long, unsigned long long) {
        const auto again = std::async(std::launch::async, [&] { return set->compile(made, {}).ok(); });
        had = again.wait_for(std::chrono::seconds(30));
        return had == std::future_status::ready;
    }));
    CHECK(had == std::future_status::ready);
}
