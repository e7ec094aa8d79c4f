// A kernel's variants and the launches made of them, as plain data: no Vulkan call is made in this room.
#pragma once

#include "runtime/base/result.h"
#include "runtime/gpu/barriers.h"
#include "runtime/gpu/pipeline.h"
#include "runtime/gpu/traits.h"
#include "runtime/kernels/weight_layout.h"

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ff::kernels {

// One row of shaders/variants.def.
struct Variant {
    std::string_view kernel, name;
    bool needs_subgroup; // arithmetic and shuffle
    bool needs_coopmat;  // cooperative matrices; its source is kernel_coopmat.comp
    bool needs_address;  // weights are read through their address (gpu::weights_by_address)
    bool needs_dot;      // integer dot products; computes with integers
    std::string_view definitions;
    std::span<const std::uint32_t> spirv;
};

std::span<const Variant> all_variants();
bool runs_on(const Variant &variant, const gpu::DeviceTraits &traits);
std::string source_name(const Variant &variant); // "mix_project.comp", in shaders/
// Every variant that a device with these traits could choose for some model, those included that only denied ones make way
// for. In the order of variants.def.
std::vector<const Variant *> candidates(const gpu::DeviceTraits &traits);
bool is_denied(const Variant &variant, const gpu::DeviceTraits &traits);
// The first row of `kernel` for weights of `type` whose traits the device has and that is not denied, or, where all are,
// the first whose traits it has; every kernel has one that needs none.
const Variant &variant_for(std::string_view kernel, WeightType type, const gpu::DeviceTraits &traits);
const Variant &variant_for(std::string_view kernel, const gpu::DeviceTraits &traits); // kernels without weights
// Why these traits choose it, for people: what it takes that another device may lack, or what this one lacks for a better one.
std::string reason_for(const Variant &chosen, const gpu::DeviceTraits &traits);
// Whether the row that variant_for gives is not denied.
bool is_usable(std::string_view kernel, WeightType type, const gpu::DeviceTraits &traits);
bool is_usable(std::string_view kernel, const gpu::DeviceTraits &traits);
// The weight type a variant was built for; nothing for kernels without weights.
std::optional<WeightType> weight_type_of(const Variant &variant);

// Numbers of a kernel for a shape that may be measured instead of taken from the table (tuning.h). Every candidate runs on the
// device; the first is the table's.
struct Tunable {
    std::string key; // "head.f16_subgroup, 65536 x 2048"
    std::vector<std::vector<std::uint32_t>> candidates;
};
struct TuningOrigin {
    std::shared_ptr<const Tunable> tunable; // nullptr: there is nothing to choose
    bool measured = false;                  // the numbers are not the table's
};
// Of the launches of a step: all, those whose numbers may be measured, and those whose numbers were.
struct LaunchCounts {
    std::uint32_t all = 0, tunable = 0, measured = 0;
};

// What a launch touches, by the name a person knows it by: for barriers, plans and messages.
struct NamedUse {
    std::string name;
    gpu::BufferView view;
    gpu::Access access;
};

// One dispatch, ready to be recorded.
struct Launch {
    const Variant *variant = nullptr;
    std::int32_t layer = -1; // -1: outside the layers
    std::vector<gpu::SpecConstant> constants;
    std::vector<gpu::BufferView> buffers; // by binding number
    std::vector<std::byte> push_constants;
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    std::uint32_t subgroup_size = 0; // required; 0: the driver's choice
    std::vector<NamedUse> uses;
    std::uint64_t bytes = 0; // that it must move: weights and state; activations do not count
    TuningOrigin tuning = {};

    // Last of all: where weights are read through their address, which the first buffer has, that follows the parameters, and
    // the address of scratch, where inputs are read likewise.
    template <class Params>
    void set_params(const Params &params, const gpu::BufferView &scratch = {}) {
        push_constants.resize(sizeof params);
        std::memcpy(push_constants.data(), &params, sizeof params);
        if (!variant->needs_address) return;
        const std::array<std::uint64_t, 2> addresses = {buffers.front().address, scratch.address};
        const auto bytes = std::as_bytes(std::span(addresses));
        push_constants.insert(push_constants.end(), bytes.begin(), bytes.end());
    }
    template <class Params>
    Params params() const { // FF_ASSERT-free: the caller names the kernel's own block
        Params params{};
        std::memcpy(&params, push_constants.data(), std::min(sizeof params, push_constants.size()));
        return params;
    }
};

// "mix_project.f16_subgroup": pipelines, labels and messages.
std::string full_name(const Variant &variant);
gpu::PipelineDescription pipeline_of(const Launch &launch);
LaunchCounts counts_of(std::span<const Launch> launches);
// Fails with unsupported, naming the first denied variant among them: nothing else can take its place.
Result<void> check_not_denied(std::span<const Launch> launches, const gpu::DeviceTraits &traits);

} // namespace ff::kernels
