#include "runtime/kernels/tuning.h"

#include "shaders/lib/interface.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace ff::kernels {
namespace {

std::uint32_t largest_workgroup(const gpu::DeviceTraits &traits) {
    return std::min(traits.max_workgroup_invocations, traits.max_workgroup_size_x);
}

// What reduce.glsl itself takes of shared memory at most, in bytes, and a little for the rest of the kernel.
std::uint64_t reduction_bytes(std::uint32_t local_size) {
    return std::uint64_t{16} * (local_size + 1) + 256;
}

constexpr std::uint32_t kAmd = 0x1002, kNvidia = 0x10DE, kIntel = 0x8086, kQualcomm = 0x5143;

bool on_processor(const gpu::DeviceTraits &traits) {
    return traits.driver == "llvmpipe" || traits.driver == "swiftshader";
}

// The subgroup size that teams of a matrix's rows are counted by and pipelines required to have, where the device has several. The
// reported one is not what runs: Intel's compiler takes 8 or 16 where 32 is reported (32 or 16 on Xe2), Adreno's 64 where 128 is,
// by the registers that a kernel wants. Teams counted by the report leave half of a workgroup without rows.
std::uint32_t required_size(const gpu::DeviceTraits &traits, const Variant &variant) {
    if (!variant.needs_subgroup || !traits.subgroup_size_control || traits.subgroup_size_fixed) return 0;
    switch (traits.vendor_id) {
    case kIntel: // 16, as ggml-vulkan has it; 32 sums of matmul_few spill with that before Xe2, whose least is 16 (Mesa 26.2)
        return variant.kernel == "matmul_few" ? traits.subgroup_size_min
                                              : std::clamp(16U, traits.subgroup_size_min, traits.subgroup_size_max);
    case kQualcomm: // what Turnip chooses for most of them
        return traits.subgroup_size_min;
    default: // AMD: 64 for rows of a matrix, as ggml-vulkan has it
        return traits.subgroup_size;
    }
}

// For rows of `groups` weight groups. Loads by lane are joined of whole subgroups whose size is known.
std::uint32_t uniform_lanes(const gpu::DeviceTraits &traits, std::uint32_t groups) {
    const std::uint32_t size = traits.subgroup_size;
    const bool known = traits.subgroup_size_fixed && traits.subgroup_shuffle && size >= 4 && size <= 16;
    return traits.lane_loads_slow && known && groups % size == 0 ? size : 0;
}

// Whether a workgroup of rows is a single subgroup.
bool one_subgroup(const gpu::DeviceTraits &traits, const Variant &variant) {
    return variant.needs_subgroup && traits.lane_loads_slow && traits.subgroup_size_fixed && traits.subgroup_size >= 4;
}

// Where loads are each lane's own, nothing is said of it: pipelines and what is kept of them stay as they are.
std::vector<gpu::SpecConstant> with_uniform_lanes(std::vector<gpu::SpecConstant> constants, std::uint32_t lanes) {
    if (lanes != 0) constants.push_back({shader::kSpecUniformLanes, lanes});
    return constants;
}

// The five vectors of a head that wkv7.comp shares.
std::uint64_t wkv7_vector_bytes(std::uint32_t head_size) {
    return std::uint64_t{20} * head_size;
}

using Values = std::vector<std::uint32_t>;

// Puts the measured values into the first of `candidates`, which becomes the tunable's, and says whether there were any.
TuningOrigin choose(const gpu::DeviceTraits &traits, std::string key, std::vector<Values> candidates, Values &values) {
    values = candidates.front();
    TuningOrigin origin;
    for (const gpu::DeviceTraits::Tuned &tuned : traits.tuned)
        if (tuned.key == key && std::find(candidates.begin(), candidates.end(), tuned.values) != candidates.end()) {
            values = tuned.values;
            origin.measured = true;
        }
    origin.tunable = std::make_shared<const Tunable>(Tunable{std::move(key), std::move(candidates)});
    return origin;
}

// Once.
void add(std::vector<Values> &candidates, Values values) {
    if (std::find(candidates.begin(), candidates.end(), values) == candidates.end()) candidates.push_back(std::move(values));
}

// A workgroup of a variant that this device runs: whole subgroups, and no less than llvmpipe's vectors of 512 bits.
bool fits(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t local_size) {
    const std::uint32_t required = required_size(traits, variant);
    return local_size <= largest_workgroup(traits) && local_size >= 16 &&
           (!variant.needs_subgroup || local_size % std::max(1U, required ? required : traits.subgroup_size_max) == 0);
}

// Rows at once, unrolling and load width of matvecs whose lanes take several groups of eight columns in a turn: more loads are under
// way, of as many or of fewer rows, or a load has 16 bytes of a row's quants.
std::vector<std::array<std::uint32_t, 3>> more_columns(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t lanes,
                                                       std::uint32_t groups) {
    const std::uint32_t team = variant.needs_subgroup ? traits.subgroup_size_max : lanes;
    if (traits.lane_loads_slow || groups < 2 * team) return {};
    std::vector<std::array<std::uint32_t, 3>> columns = {{4, 2, 1}, {2, 2, 1}};
    if (groups >= 4 * team) columns.push_back({2, 4, 1});
    const std::optional<WeightType> type = weight_type_of(variant);
    const std::uint32_t wide = !type || !is_block(*type) ? 1 : *type == WeightType::q8_0 ? 2 : 4; // blocks are at least 4 groups
    if (wide > 1 && groups % wide == 0) columns.push_back({4, 1, wide});
    return columns;
}

// The rows of a workgroup, and what it stages.
void finish_matvec(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t rows, std::uint64_t stage,
                   bool prologue, MatvecTuning &tuning) {
    tuning.subgroup_size = required_size(traits, variant);
    const std::uint32_t subgroup = tuning.subgroup_size ? tuning.subgroup_size : traits.subgroup_size;
    const std::uint32_t team = variant.needs_subgroup ? std::max(4U, subgroup) : tuning.lanes;
    const std::uint32_t teams = std::max(1U, tuning.local_size / team);
    // Every workgroup of a kernel with a prologue reads the input again: more rows make that a smaller share, but fewer
    // workgroups. Below some 500 of them a wide GPU has idle cores, so the rows grow only with the matrix.
    tuning.group_rows = teams * tuning.rows;
    if (one_subgroup(traits, variant))
        while (tuning.group_rows < 64 && rows / (2 * tuning.group_rows) >= 8) tuning.group_rows *= 2;
    if (prologue)
        while (tuning.group_rows < 64 && rows / (2 * tuning.group_rows) >= 512) tuning.group_rows *= 2;
    // An odd number of workgroups too many would break the device's limit: only a head of millions of rows gets there.
    while ((rows + tuning.group_rows - 1) / tuning.group_rows > traits.max_workgroup_count_x) tuning.group_rows *= 2;
    tuning.stage_floats = 0;
    if (prologue && 4 * stage + reduction_bytes(tuning.local_size) <= traits.max_shared_memory_bytes)
        tuning.stage_floats = static_cast<std::uint32_t>(stage);
    // An input that is computed where it is read is the lane's own. Where loads by lane are slow, no four bytes are multiplied
    // in one instruction: those variants have them each lane's own.
    if (variant.needs_subgroup && !variant.needs_dot && (!prologue || tuning.stage_floats != 0))
        tuning.uniform_lanes = uniform_lanes(traits, static_cast<std::uint32_t>(stage / 8));
}

} // namespace

bool integer_dot_pays(const gpu::DeviceTraits &traits, std::string_view kernel) {
    // ggml-vulkan measured it slower there for rows of up to 4,096 inputs, which nearly all models have.
    if (traits.vendor_id == kNvidia) return false;
    // By the estimates of Mesa 26.2's compilers the head takes 0.96 of its time on Intel, head and project_add 0.85 on AMD. Elsewhere
    // making integers of an input costs more than the rows of a workgroup win.
    if (traits.vendor_id == kIntel) return kernel == "head";
    if (traits.vendor_id == kAmd) return kernel == "head" || kernel == "project_add";
    return true;
}

MatvecTuning tune_matvec(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t rows,
                         std::uint32_t groups, bool prologue) {
    prologue = prologue || variant.needs_dot;
    MatvecTuning tuning{};
    const std::uint64_t stage = std::uint64_t{8} * groups; // floats
    // A staged input belongs to the whole workgroup. With more than 8 KiB of it, 128 invocations leave AMD's SIMDs with
    // two to six waves; 256 double that (C = 4096, the compilers of Mesa 26.2).
    const bool large_stage = prologue && 4 * stage > 8192;
    tuning.local_size = std::min(large_stage ? 256U : 128U, largest_workgroup(traits));
    // A thread runs a workgroup there, a subgroup after the other from barrier to barrier: one is quickest (a tenth).
    if (one_subgroup(traits, variant)) tuning.local_size = traits.subgroup_size;
    // Inputs that all lanes load together cost as much as weights: 8 rows need half as many of them (a fifth quicker).
    tuning.rows = traits.lane_loads_slow ? 8 : 4;
    tuning.lanes = 32;
    // A team wider than a row has groups leaves lanes idle.
    while (tuning.lanes > 4 && tuning.lanes >= 2 * groups) tuning.lanes /= 2;
    // Smaller workgroups spread a small matrix over more cores, larger ones share a staged input among more rows; fewer rows
    // at once leave more registers to hide latency with, more read the input less often.
    std::vector<Values> candidates = {{tuning.local_size, tuning.rows, 1, 1}};
    for (const std::uint32_t local_size : {64U, 128U, 256U})
        for (const std::uint32_t at_once : {2U, 4U, 8U})
            if (fits(traits, variant, local_size)) add(candidates, {local_size, at_once, 1, 1});
    for (const auto &[at_once, unroll, neighbours] : more_columns(traits, variant, tuning.lanes, groups))
        add(candidates, {tuning.local_size, at_once, unroll, neighbours});
    Values values;
    tuning.origin = choose(traits, fmt::format("{}, {} x {}{}", full_name(variant), rows, 8 * groups, prologue ? ", staged" : ""),
                           std::move(candidates), values);
    tuning.local_size = values[0];
    tuning.rows = values[1];
    tuning.unroll = values[2];
    tuning.neighbours = values[3];
    finish_matvec(traits, variant, rows, stage, prologue, tuning);
    return tuning;
}

std::vector<gpu::SpecConstant> constants_of(const MatvecTuning &tuning) {
    auto constants = with_uniform_lanes({{shader::kSpecLocalSize, tuning.local_size},
                                         {shader::kSpecLanes, tuning.lanes},
                                         {shader::kSpecRows, tuning.rows},
                                         {shader::kSpecGroupRows, tuning.group_rows},
                                         {shader::kSpecStageFloats, tuning.stage_floats}},
                                        tuning.uniform_lanes);
    if (tuning.unroll != 1) constants.push_back({shader::kSpecUnroll, tuning.unroll});
    if (tuning.neighbours != 1) constants.push_back({shader::kSpecNeighbours, tuning.neighbours});
    return constants;
}

MatmulTuning tune_matmul(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t tokens) {
    // Tiles of 64 x 64 take 16 KiB of shared memory, which every device has. 4 rows by 8 tokens an invocation are 80 to
    // 110 registers on the compilers of Mesa 26.2, without a spill; 8 by 8 would leave AMD's older SIMDs one wave.
    MatmulTuning tuning{.local_size = 128, .tile_rows = 64, .tile_tokens = 64, .thread_rows = 1, .thread_tokens = 2};
    // A processor reads shared memory lane by lane: 16 by 16 take two thirds of the time of 4 by 8 (llvmpipe 26.2).
    if (on_processor(traits))
        tuning.local_size = 16, tuning.thread_rows = 4, tuning.thread_tokens = 4;
    // Fewer invocations with more sums each read shared memory less often, and leave fewer to hide latency with.
    std::vector<Values> candidates = {{tuning.local_size, tuning.thread_rows, tuning.thread_tokens}};
    for (const Values &each : {Values{128, 1, 2}, Values{64, 2, 2}, Values{32, 2, 4}, Values{16, 4, 4}})
        if (fits(traits, variant, each[0])) add(candidates, each);
    Values values;
    tuning.origin = choose(traits, fmt::format("{}, {} tokens", full_name(variant), tuning.tile_tokens >= 2 * tokens ? 32 : 64),
                           std::move(candidates), values);
    tuning.local_size = values[0];
    tuning.thread_rows = values[1];
    tuning.thread_tokens = values[2];
    if (tuning.tile_tokens >= 2 * tokens) {
        tuning.tile_tokens /= 2;
        // A workgroup below a vector goes wrong on llvmpipe with 512 bits (Mesa 22.3, 8 invocations of 16).
        if (on_processor(traits) || tuning.thread_tokens > 2) tuning.thread_tokens /= 2;
        else tuning.local_size /= 2;
    }
    return tuning;
}

std::vector<gpu::SpecConstant> constants_of(const MatmulTuning &tuning) {
    return {{shader::kSpecLocalSize, tuning.local_size},
            {shader::kSpecTileRows, tuning.tile_rows},
            {shader::kSpecTileTokens, tuning.tile_tokens},
            {shader::kSpecThreadRows, tuning.thread_rows},
            {shader::kSpecThreadTokens, tuning.thread_tokens}};
}

FewTuning tune_few(const gpu::DeviceTraits &traits, const Variant &variant, std::span<const Matrix *const> matrices,
                   std::uint32_t tokens) {
    std::uint32_t groups = 0, rows = 0;
    for (const Matrix *matrix : matrices) groups = std::max(groups, matrix->groups()), rows = std::max(rows, matrix->rows);
    const MatvecTuning one = tune_matvec(traits, variant, rows, groups, false);
    // 4 rows by 8 tokens are 32 sums an invocation, beside 32 weights.
    FewTuning tuning{.local_size = one.local_size, .lanes = one.lanes, .rows = one.rows, .group_rows = one.group_rows,
                     .tokens = 2, .uniform_lanes = one.uniform_lanes, .subgroup_size = one.subgroup_size};
    for (const Matrix *matrix : matrices)
        if (uniform_lanes(traits, matrix->groups()) == 0) tuning.uniform_lanes = 0;
    // Inputs come lane by lane on a processor, and 8 rows need half as many of them (llvmpipe 26.2: a tenth quicker).
    if (on_processor(traits)) tuning.rows = 8;
    if (on_processor(traits) && !one_subgroup(traits, variant)) tuning.local_size /= 2;
    // Adrenos before 660 spill 8 tokens (turnip 26.2).
    const std::uint32_t most = traits.vendor_id == kQualcomm ? 4 : kFewTokens;
    while (tuning.tokens < std::min(tokens, most)) tuning.tokens *= 2;
    return tuning;
}

std::vector<gpu::SpecConstant> constants_of(const FewTuning &tuning) {
    return with_uniform_lanes({{shader::kSpecLocalSize, tuning.local_size},
                               {shader::kSpecLanes, tuning.lanes},
                               {shader::kSpecRows, tuning.rows},
                               {shader::kSpecGroupRows, tuning.group_rows},
                               {shader::kSpecFewTokens, tuning.tokens}},
                              tuning.uniform_lanes);
}

SparseTuning tune_sparse(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t inputs,
                         std::uint32_t outputs, std::uint32_t tokens) {
    // 8 lanes of 8 float16 outputs are a cache line of 128 bytes for each input, 4 lanes half of one: enough for a
    // transaction anywhere, and twice the workgroups where a narrow matrix would leave a wide GPU idle.
    SparseTuning tuning{.tiled = false,
                        .local_size = std::min(256U, largest_workgroup(traits)),
                        .lanes = outputs >= 4096 ? 8U : 4U,
                        .input_words = (inputs + 31) / 32,
                        .tokens = 1};
    // One thread runs a workgroup there, and a subgroup is one vector, of which no lane may wait for another's inputs.
    if (on_processor(traits)) {
        tuning.lanes = std::max(8U, traits.subgroup_size);
        tuning.local_size = std::min(tuning.lanes, largest_workgroup(traits));
    }
    // More lanes read longer runs of a strip, fewer make more workgroups; more teams share the inputs of a workgroup.
    std::vector<Values> candidates = {{tuning.local_size, tuning.lanes}};
    for (const std::uint32_t local_size : {64U, 128U, 256U})
        for (const std::uint32_t lanes : {4U, 8U, 16U})
            if (fits(traits, variant, local_size)) add(candidates, {local_size, lanes});
    // What one token of several wants is read for all of them, so the more there are the less zeros save.
    constexpr std::uint32_t kTiled = 0;
    const std::optional<WeightType> type = weight_type_of(variant);
    if (tokens > 1 && type && is_usable("matmul", *type, traits)) add(candidates, {kTiled, kTiled});
    Values values;
    tuning.origin = choose(traits,
                           fmt::format("{}, {} x {}{}", full_name(variant), inputs, outputs,
                                       tokens > 1 ? fmt::format(", {} tokens", tokens) : ""),
                           std::move(candidates), values);
    tuning.tiled = values[0] == kTiled;
    if (!tuning.tiled) {
        tuning.local_size = values[0];
        tuning.lanes = values[1];
    }
    // A team without a word of inputs has nothing to do.
    while (tuning.local_size > 32 && tuning.local_size / tuning.lanes > tuning.input_words) tuning.local_size /= 2;
    // 4 tokens are 32 sums an invocation, beside 32 weights; 8 spill on Intel (Mesa 26.2).
    const std::uint32_t most = on_processor(traits) ? kFewTokens : 4;
    while (tuning.tokens < std::min(tokens, most)) tuning.tokens *= 2;
    const std::uint32_t groups = (outputs + 7) / 8; // of outputs
    if (uniform_lanes(traits, groups) != 0 && tuning.local_size == tuning.lanes && groups % tuning.lanes == 0)
        tuning.uniform_lanes = tuning.lanes;
    // A processor waits for each input's row, which is far from the last one's, but less for what lies behind it.
    if (variant.needs_address && tuning.uniform_lanes != 0 && tuning.tokens == 1 && groups % (2 * tuning.lanes) == 0)
        tuning.lane_groups = 2;
    return tuning;
}

std::vector<gpu::SpecConstant> constants_of(const SparseTuning &tuning) {
    auto constants = with_uniform_lanes({{shader::kSpecLocalSize, tuning.local_size},
                                         {shader::kSpecLanes, tuning.lanes},
                                         {shader::kSpecInputWords, tuning.input_words},
                                         {shader::kSpecFewTokens, tuning.tokens}},
                                        tuning.uniform_lanes);
    if (tuning.lane_groups != 1) constants.push_back({shader::kSpecLaneGroups, tuning.lane_groups});
    return constants;
}

Result<WkvTuning> tune_wkv(const gpu::DeviceTraits &traits, std::uint32_t head_size) {
    // Lanes that share a row compute its gates each for itself: work to a processor (wkv7 takes a third less time with one).
    const std::uint32_t most = traits.lane_loads_slow ? 1 : 4;
    for (std::uint32_t lanes : {4U, 2U, 1U})
        if (lanes <= most && head_size % (4 * lanes) == 0 && head_size * lanes <= largest_workgroup(traits) &&
            wkv7_vector_bytes(head_size) + reduction_bytes(head_size * lanes) <= traits.max_shared_memory_bytes)
            return WkvTuning{head_size * lanes, lanes};
    return Error{Status::unsupported,
                 fmt::format("heads of {} channels: this device runs {} invocations in a workgroup with {} bytes of "
                             "shared memory, and a head needs a multiple of 4 channels, one invocation and 36 bytes "
                             "for each",
                             head_size, largest_workgroup(traits), traits.max_shared_memory_bytes)};
}

std::uint32_t most_prompt_rows(const gpu::DeviceTraits &traits) {
    // Tiles of 64 by 64: a matrix of 1,024 rows has 32 of them for 128 tokens, which fills a dozen cores, and 128 for 512. More
    // tokens take memory, and submissions grow with them; a processor gains nothing.
    constexpr std::uint64_t kShortSubmissions = 1ULL << 32; // gpu/workarounds.cpp: mobile devices
    if (on_processor(traits) || traits.most_submission_work <= kShortSubmissions) return 128;
    return traits.unified_memory ? 256 : shader::kMostRows;
}

std::uint32_t single_workgroup_size(const gpu::DeviceTraits &traits) {
    return std::min(256U, largest_workgroup(traits));
}

} // namespace ff::kernels
