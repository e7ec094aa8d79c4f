#include "runtime/kernels/kernel.h"

#include "runtime/kernels/embedded_spirv.h"
#include "runtime/kernels/tuning.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::kernels {
namespace {

struct Needs {
    bool subgroup = false, coopmat = false, address = false, dot = false;
};
constexpr Needs needs_none, needs_subgroup{.subgroup = true}, needs_coopmat{.coopmat = true},
    needs_address{.subgroup = true, .address = true}, needs_dot{.subgroup = true, .dot = true};

// Unpacked once for the process: what all engines read, and nobody writes.
struct Table {
    EmbeddedSpirv spirv = unpack_spirv();
    std::vector<Variant> variants;
    Table() {
        std::size_t row = 0;
#define FF_VARIANT(kernel, variant, needs, definitions)                                                                \
    variants.push_back(                                                                                                \
        {#kernel, #variant, needs_##needs.subgroup, needs_##needs.coopmat, needs_##needs.address, needs_##needs.dot,       \
         #definitions, spirv.modules[row++]});
#include "shaders/variants.def"
#undef FF_VARIANT
    }
};

const std::vector<Variant> &table() {
    static const Table made;
    return made.variants;
}

// What it needs is there, and slower than doing without.
bool is_slow(const Variant &variant, const gpu::DeviceTraits &traits) {
    return (variant.needs_coopmat && traits.matrices_slow) ||
           (variant.needs_dot && !(traits.integer_dot_accelerated && integer_dot_pays(traits, variant.kernel)));
}

const Variant &first_that_runs(std::string_view kernel, std::string_view prefix, const gpu::DeviceTraits &traits) {
    const auto &variants = table();
    const auto runs = [&](const Variant &variant) {
        return variant.kernel == kernel && variant.name.starts_with(prefix) && runs_on(variant, traits) &&
               !is_slow(variant, traits);
    };
    const auto usable = std::find_if(variants.begin(), variants.end(), [&](const Variant &variant) {
        return runs(variant) && !is_denied(variant, traits);
    });
    if (usable != variants.end()) return *usable;
    const auto any = std::find_if(variants.begin(), variants.end(), runs);
    assert(any != variants.end()); // every kernel has a row in variants.def that needs nothing
    return *any;
}

} // namespace

std::span<const Variant> all_variants() {
    return table();
}

bool runs_on(const Variant &variant, const gpu::DeviceTraits &traits) {
    if (variant.needs_coopmat) return tune_coopmat(traits, kMostTileTokens).has_value();
    if (variant.needs_address && !gpu::weights_by_address(traits)) return false;
    if (variant.needs_dot && !traits.integer_dot_product) return false;
    // Partial sums have room for subgroups of 4 and more.
    return !variant.needs_subgroup ||
           (traits.subgroup_arithmetic && traits.subgroup_shuffle && traits.subgroup_size_min >= 4);
}

std::vector<const Variant *> candidates(const gpu::DeviceTraits &traits) {
    std::vector<const Variant *> found;
    for (const Variant &variant : table())
        if (runs_on(variant, traits) && !is_slow(variant, traits) &&
            !variant.kernel.starts_with("roofline_")) // which no step has, and whose results are checked where they are used
            found.push_back(&variant);
    return found;
}

bool is_denied(const Variant &variant, const gpu::DeviceTraits &traits) {
    return !traits.denied.empty() &&
           std::find(traits.denied.begin(), traits.denied.end(), full_name(variant)) != traits.denied.end();
}

bool is_usable(std::string_view kernel, WeightType type, const gpu::DeviceTraits &traits) {
    return !is_denied(variant_for(kernel, type, traits), traits);
}

bool is_usable(std::string_view kernel, const gpu::DeviceTraits &traits) {
    return !is_denied(variant_for(kernel, traits), traits);
}

const Variant &variant_for(std::string_view kernel, WeightType type, const gpu::DeviceTraits &traits) {
    return first_that_runs(kernel, name_of(type), traits);
}

std::optional<WeightType> weight_type_of(const Variant &variant) {
    for (int i = 0; i <= static_cast<int>(WeightType::nf4); ++i) {
        const auto type = static_cast<WeightType>(i);
        const std::string_view name = name_of(type),
                               rest = variant.name.substr(std::min(name.size(), variant.name.size()));
        if (variant.name.starts_with(name) && (rest.empty() || rest.front() == '_')) return type;
    }
    return std::nullopt;
}

const Variant &variant_for(std::string_view kernel, const gpu::DeviceTraits &traits) {
    return first_that_runs(kernel, "", traits);
}

std::string reason_for(const Variant &chosen, const gpu::DeviceTraits &traits) {
    if (chosen.needs_coopmat)
        if (const auto tuning = tune_coopmat(traits, kMostTileTokens))
            return fmt::format("cooperative matrices {}x{}x{}, subgroups of {}", tuning->matrix.rows,
                               tuning->matrix.columns, tuning->matrix.depth, tuning->subgroup_size);
    if (chosen.needs_address) return "slow loads by lane, and weights have addresses";
    if (chosen.needs_subgroup) {
        const std::string sizes = traits.subgroup_size_min == traits.subgroup_size_max
                                      ? fmt::format("{}", traits.subgroup_size)
                                      : fmt::format("{} to {}", traits.subgroup_size_min, traits.subgroup_size_max);
        return fmt::format("{}, subgroups of {}",
                           chosen.needs_dot ? "dot products of four bytes in one instruction" : "subgroup arithmetic and shuffle", sizes);
    }
    for (const Variant &other : table()) {
        if (&other == &chosen) break; // what is behind it would only take its place
        if (other.kernel != chosen.kernel || weight_type_of(other) != weight_type_of(chosen)) continue;
        if (runs_on(other, traits) && !is_slow(other, traits)) return fmt::format("{} is ruled out", full_name(other));
        if (other.needs_address || other.needs_dot) continue; // which make it faster on some devices
        if (other.needs_coopmat) {
            if (traits.matrix_shapes.empty()) return "no cooperative matrices";
            if (traits.matrices_slow) return "cooperative matrices are slow here";
            return "no cooperative matrices that fit its tiles";
        }
        if (other.needs_subgroup) {
            if (!traits.subgroup_arithmetic) return "no subgroup arithmetic";
            if (!traits.subgroup_shuffle) return "no subgroup shuffle";
            return fmt::format("subgroups of {}, 4 are needed", traits.subgroup_size_min);
        }
    }
    return "needs no feature";
}

std::string source_name(const Variant &variant) {
    return std::string(variant.kernel) + (variant.needs_coopmat ? "_coopmat.comp" : ".comp");
}

std::string full_name(const Variant &variant) {
    return std::string(variant.kernel) + "." + std::string(variant.name);
}

gpu::PipelineDescription pipeline_of(const Launch &launch) {
    return {
        .name = full_name(*launch.variant),
        .spirv = launch.variant->spirv,
        .bindings = static_cast<std::uint32_t>(launch.buffers.size()),
        .push_constant_bytes = static_cast<std::uint32_t>(launch.push_constants.size()),
        .constants = launch.constants,
        .required_subgroup_size = launch.subgroup_size,
        .full_subgroups = launch.subgroup_size != 0,
    };
}

LaunchCounts counts_of(std::span<const Launch> launches) {
    LaunchCounts counts{.all = static_cast<std::uint32_t>(launches.size())};
    for (const Launch &launch : launches) {
        counts.tunable += launch.tuning.tunable ? 1 : 0;
        counts.measured += launch.tuning.measured ? 1 : 0;
    }
    return counts;
}

Result<void> check_not_denied(std::span<const Launch> launches, const gpu::DeviceTraits &traits) {
    for (const Launch &launch : launches)
        if (is_denied(*launch.variant, traits))
            return Error{Status::unsupported,
                         fmt::format("{} is ruled out on this device with this driver, by its deny list or by a known error of the "
                                     "driver, and no other variant can take its place; try another driver version, or other weights "
                                     "(--weights)",
                                     full_name(*launch.variant))};
    return {};
}

} // namespace ff::kernels
