#include "runtime/kernels/roofline.h"

#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {
namespace {

// Enough turns that starting an invocation and writing its sum (4 bytes) is little beside what it reads (1 KiB), but
// not at the cost of a grid that leaves a large device idle.
constexpr std::uint32_t kReadTurns = 16;
constexpr std::uint64_t kTurnBytes = 4 * 16; // of an invocation
static_assert(kRooflineReadGrain % (kTurnBytes * kReadTurns * kRooflineLocalSize) == 0);

} // namespace

std::uint64_t invocations_of(const Launch &roofline) {
    return std::uint64_t{roofline.groups[0]} * roofline.constants.front().value;
}

Launch roofline_read(const gpu::DeviceTraits &traits, const gpu::BufferView &data, const gpu::BufferView &sums,
                     std::uint32_t sums_at) {
    Launch launch;
    launch.variant = &variant_for("roofline_read", traits);
    // Loads for all lanes: the workgroup is one subgroup, and reads as much.
    const std::uint32_t size = launch.variant->needs_address ? traits.subgroup_size : kRooflineLocalSize;
    const std::uint32_t turns = kReadTurns * (kRooflineLocalSize / size);
    launch.constants = {{shader::kSpecLocalSize, size}}; // first: invocations_of
    launch.groups[0] = static_cast<std::uint32_t>(data.bytes / (std::uint64_t{size} * kTurnBytes * turns));
    launch.buffers = {data, sums};
    launch.set_params(shader::RooflineReadParams{.turns = turns, .sums_at = sums_at});
    const gpu::BufferView written = sums.slice(std::uint64_t{4} * sums_at, 4 * invocations_of(launch));
    launch.uses = {{"data", data, gpu::Access::read}, {"sums", written, gpu::Access::write}};
    launch.bytes = data.bytes;
    return launch;
}

Launch roofline_fma(const gpu::DeviceTraits &traits, const gpu::BufferView &sums, std::uint32_t turns) {
    Launch launch;
    launch.variant = &variant_for("roofline_fma", traits);
    launch.constants = {{shader::kSpecLocalSize, kRooflineLocalSize}};
    launch.groups[0] = kRooflineFmaGroups;
    launch.buffers = {sums};
    launch.set_params(
        shader::RooflineFmaParams{.turns = turns, .factor = kRooflineFmaFactor, .addend = kRooflineFmaAddend});
    launch.uses = {{"sums", sums, gpu::Access::write}};
    return launch;
}

std::uint64_t multiply_adds_of(const Launch &roofline_fma) {
    return invocations_of(roofline_fma) * shader::kRooflineFmaPerTurn *
           roofline_fma.params<shader::RooflineFmaParams>().turns;
}

std::optional<MatrixRoofline> roofline_matrix(const gpu::DeviceTraits &traits, const gpu::BufferView &sums,
                                              std::uint32_t turns) {
    const std::optional<CoopmatTuning> tuning = tune_coopmat(traits, kMostTileTokens);
    if (!tuning || traits.matrices_slow) return std::nullopt;
    constexpr float kElement = 1.0F / 16; // of both matrices: all sums are exact
    constexpr std::uint64_t kChains = 4;
    const std::uint64_t elements = std::uint64_t{tuning->matrix.rows} * tuning->matrix.columns;
    const std::uint64_t subgroups = tuning->local_size / tuning->subgroup_size; // of a workgroup
    MatrixRoofline out;
    out.launch.variant = &variant_for("roofline_matrix", traits);
    out.launch.constants = constants_of(*tuning);
    out.launch.subgroup_size = traits.subgroup_size_control ? tuning->subgroup_size : 0;
    out.launch.groups[0] = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(kMostMatrixSums / (subgroups * elements), traits.max_workgroup_count_x));
    out.launch.buffers = {sums};
    out.launch.set_params(shader::RooflineFmaParams{.turns = turns, .factor = kElement, .addend = kElement});
    out.launch.uses = {{"sums", sums, gpu::Access::write}};
    out.sums = out.launch.groups[0] * subgroups * elements;
    const float grown = kElement * kElement * static_cast<float>(tuning->matrix.depth) * static_cast<float>(turns);
    out.end = static_cast<float>(kChains) * grown + 0 + 1 + 2 + 3;
    out.multiply_adds = out.sums * tuning->matrix.depth * kChains * turns;
    return out;
}

} // namespace ff::kernels
