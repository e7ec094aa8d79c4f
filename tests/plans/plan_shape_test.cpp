// How many launches and barriers a decode step has: the budget that makes small models fast.
#include "runtime/model/plan.h"
#include "runtime/doctor/random_model.h"
#include "tests/support/gpu_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace ff;
using namespace ff::test;

TEST_CASE("plan: launches of a layer stay within the budget") {
    using loader::Version;
    const std::pair<Version, int> budgets[] = {{Version::v4_0, 4}, {Version::v5_0, 5}, {Version::v5_2, 5},
                                               {Version::v6_0, 7}, {Version::v7_0, 5}, {Version::v7a, 6}};
    for (const auto &[version, budget] : budgets) {
        CAPTURE(loader::label_of(version));
        const std::vector<std::byte> file = doctor::random_model(doctor::odd_shape(version), loader::DType::f16, 5);
        const auto source = must(loader::open_tensor_source("[synthetic]", std::span(file)));
        const auto model = must(model::LoadedModel::load(device(), *source, must(loader::describe(*source)), {}));
        std::map<std::int32_t, int> launches;
        for (const kernels::Launch &launch : model->plan().launches) ++launches[launch.layer];
        CHECK(launches[-1] == (version == Version::v7a ? 4 : 3)); // embed, head, sample; 7a: s_emb_x of all layers
        for (const auto &[layer, count] : launches)
            if (layer >= 0) CHECK(count == budget);
        // A chain: every launch but the first reads what the one before it wrote.
        const std::vector<bool> barriers = model->plan().barriers_before();
        CHECK(std::count(barriers.begin(), barriers.end(), true) == static_cast<std::ptrdiff_t>(barriers.size()) - 1);
    }
}
