#include "tests/support/launching.h"

#include "loader/quant/formats.h"
#include "runtime/gpu/recorder.h"
#include "shaders/lib/interface.h"
#include "tests/support/gpu_fixture.h"
#include "tests/support/small_floats.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace ff::test {

using kernels::WeightType;

WeightType weight_type(const kernels::Variant &variant) {
    return kernels::weight_type_of(variant).value_or(WeightType::f32);
}

std::vector<const kernels::Variant *> every_variant(std::string_view kernel) {
    std::vector<const kernels::Variant *> found;
    for (const kernels::Variant &variant : kernels::all_variants())
        if (variant.kernel == kernel && kernels::runs_on(variant, device()->traits())) found.push_back(&variant);
    REQUIRE(!found.empty());
    return found;
}

std::vector<const kernels::Variant *> runnable_variants(std::string_view kernel) {
    auto found = every_variant(kernel);
    std::erase_if(found, [](const kernels::Variant *variant) { return kernels::is_block(weight_type(*variant)); });
    REQUIRE(!found.empty());
    return found;
}

std::vector<const kernels::Variant *> block_variants(std::string_view kernel) {
    auto found = every_variant(kernel);
    std::erase_if(found, [](const kernels::Variant *variant) { return !kernels::is_block(weight_type(*variant)); });
    REQUIRE(!found.empty());
    return found;
}

namespace {

// In the order of the file format.
std::vector<std::byte> encoded(std::span<const float> values, WeightType type) {
    const loader::Format &format = loader::format_of(static_cast<loader::DType>(type));
    std::vector<std::byte> blocks(values.size() / format.elements * format.bytes);
    loader::encode(format.dtype, values, blocks);
    return blocks;
}

} // namespace

std::vector<float> rounded(std::span<const float> values, WeightType type) {
    std::vector<float> out(values.begin(), values.end());
    if (kernels::is_block(type)) {
        const std::vector<std::byte> blocks = encoded(values, type);
        loader::decode(static_cast<loader::DType>(type), blocks, out);
    }
    for (float &value : out) {
        if (type == WeightType::f16) value = from_half(to_half(value));
        if (type == WeightType::bf16) value = from_bfloat16(to_bfloat16(value));
    }
    return out;
}

kernels::Matrix put_matrix(GuardedMemory &memory, std::string name, std::span<const float> values, std::uint32_t rows,
                           std::uint32_t columns, WeightType type) {
    kernels::Matrix matrix{std::move(name), type, rows, columns, {}};
    const std::size_t row_words = matrix.row_bytes() / 4;
    std::vector<std::uint32_t> words(rows * row_words, 0);
    for (std::size_t row = 0; row < rows && kernels::is_block(type); ++row)
        kernels::pack_row(type, encoded(values.subspan(row * columns, columns), type), columns,
                          std::as_writable_bytes(std::span(words).subspan(row * row_words, row_words)));
    for (std::size_t row = 0; row < rows && !kernels::is_block(type); ++row)
        for (std::size_t column = 0; column < columns; ++column) {
            const float value = values[row * columns + column];
            std::uint32_t *at = words.data() + row * row_words;
            if (type == WeightType::f32)
                at[column] = std::bit_cast<std::uint32_t>(value);
            else
                at[column / 2] |= std::uint32_t{type == WeightType::f16 ? to_half(value) : to_bfloat16(value)}
                                  << (column % 2 * 16);
        }
    matrix.parts = {{memory.put(std::span<const std::uint32_t>(words)), 0, rows}};
    return matrix;
}

std::vector<std::uint32_t> packed_strips(std::span<const float> values, std::uint32_t rows, std::uint32_t columns,
                                         WeightType type) {
    std::vector<std::uint32_t> words(columns / kernels::block_elements(type) * kernels::strip_bytes(type, rows) / 4);
    kernels::pack_strips(type, encoded(values, type), rows, columns, 0, std::as_writable_bytes(std::span(words)));
    return words;
}

std::uint64_t matrix_bytes(std::uint32_t rows, std::uint32_t columns, WeightType type) {
    const kernels::Matrix matrix{"", type, rows, columns, {}};
    return rows * matrix.row_bytes() + 512;
}

GuardedParameters::GuardedParameters(std::uint64_t floats)
    : parameters_(must(kernels::Parameters::create(device(), 4 * floats + 8192))) {}

std::uint32_t GuardedParameters::put_together(std::initializer_list<std::span<const float>> vectors) {
    std::uint32_t first = 0;
    bool begun = false;
    for (const std::span<const float> vector : vectors) {
        const std::uint32_t at = must(parameters_.append(vector));
        if (!begun) first = at;
        begun = true;
    }
    const std::vector<float> guard(8, std::numeric_limits<float>::quiet_NaN());
    must(parameters_.append(std::span<const float>(guard)));
    return first;
}

std::uint32_t GuardedParameters::put(std::span<const float> vector) {
    return put_together({vector});
}

void force_constant(kernels::Launch &launch, std::uint32_t id, std::uint32_t value) {
    for (gpu::SpecConstant &constant : launch.constants)
        if (constant.id == id) constant.value = value;
}

void run_twice(std::span<const kernels::Launch> launches, GuardedParameters &parameters,
               std::span<GuardedMemory *const> memories) {
    std::vector<gpu::PipelineDescription> descriptions;
    for (const kernels::Launch &launch : launches) descriptions.push_back(kernels::pipeline_of(launch));
    const auto compiled = must(pipelines().compile(descriptions, {}));

    gpu::Recorder recorder = must(gpu::Recorder::create(device(), "test", true));
    std::vector<gpu::BufferView> written;
    for (std::size_t i = 0; i < launches.size(); ++i) {
        std::vector<gpu::Use> uses;
        for (const kernels::NamedUse &use : launches[i].uses) {
            uses.push_back({use.view, use.access});
            if (use.access != gpu::Access::read) written.push_back(use.view);
        }
        must(recorder.launch({.pipeline = compiled[i],
                              .buffers = launches[i].buffers,
                              .push_constants = launches[i].push_constants,
                              .groups = launches[i].groups,
                              .indirect = {},
                              .uses = uses,
                              .label = descriptions[i].name}));
    }
    const gpu::CommandBuffer commands = must(recorder.finish());
    const VkCommandBuffer handle = commands.handle();

    must(parameters.get().upload(uploader()));
    std::vector<std::vector<std::uint32_t>> first;
    for (int replay = 0; replay < 2; ++replay) {
        for (const GuardedMemory *memory : memories) memory->upload();
        const std::uint64_t done = must(timeline().submit(std::span(&handle, 1)));
        must(timeline().wait(done));
        for (GuardedMemory *memory : memories) memory->download();
        for (std::size_t m = 0; m < memories.size(); ++m) {
            if (replay == 0) {
                first.emplace_back(memories[m]->after().begin(), memories[m]->after().end());
                const std::string stray = memories[m]->stray(written);
                CHECK_MESSAGE(stray.empty(), stray);
            } else {
                CHECK_MESSAGE(std::equal(first[m].begin(), first[m].end(), memories[m]->after().begin()),
                              "a replay left other bits than the first run");
            }
        }
    }
}

} // namespace ff::test
