#include "tests/kernels/scene.h"

#include <cmath>
#include <limits>

namespace ff::test {

std::vector<std::uint32_t> StepHeader::words() const {
    std::vector<std::uint32_t> words(shader::kStepWords, 0);
    words[shader::kStepRun] = run;
    words[shader::kStepToken] = token;
    words[shader::kStepParity] = parity;
    words[shader::kStepSlot] = slot;
    words[shader::kStepLogits] = logits;
    words[shader::kStepSample] = sample;
    words[shader::kStepEntry] = entry;
    words[shader::kStepPrompt] = prompt;
    return words;
}

// Every region may lose a guard and an alignment, 512 bytes at most; no test has more than 32 of them in one memory.
Scene::Scene(const SceneSize &size)
    : traits(device()->traits()), scratch("scratch", 4 * size.scratch_floats + 32 * 512),
      state("state", 4 * size.state_floats + 1024), weights("weights", size.weight_bytes + 1024),
      parameters(size.parameter_floats) {
    std::vector<std::uint32_t> words = StepHeader{}.words();
    words.resize(size.header_words, 0);
    header = scratch.put(std::span<const std::uint32_t>(words));
}

kernels::StepBuffers Scene::step() {
    return {&traits, &parameters.get(), scratch.whole()};
}

kernels::StepBuffers Scene::wide_step(std::uint32_t rows) {
    kernels::StepBuffers buffers = step();
    buffers.rows = buffers.runs = rows;
    buffers.tables = buffers.parameters;
    return buffers;
}

kernels::Activation Scene::array(std::string name, std::span<const float> values, std::uint32_t floats,
                                 std::uint32_t most) {
    const std::uint32_t stride = padded(floats);
    std::vector<float> padded_values(std::size_t{most} * stride, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t t = 0; t < values.size() / floats; ++t)
        for (std::uint32_t i = 0; i < stride; ++i)
            padded_values[t * stride + i] = i < floats ? values[t * floats + i] : 0.0F;
    return activation(std::move(name), padded_values);
}

kernels::Activation Scene::activation(std::string name, std::span<const float> values) {
    return {std::move(name), scratch.put(values)};
}

kernels::Activation Scene::output(std::string name, std::uint32_t floats) {
    const std::vector<float> unset(floats, std::numeric_limits<float>::quiet_NaN());
    kernels::Activation made = activation(std::move(name), unset);
    scratch.may_change(made.view);
    return made;
}

void Scene::run(std::span<const kernels::Launch> launches, std::initializer_list<GuardedMemory *> more) {
    std::vector<GuardedMemory *> memories = {&scratch, &state, &weights};
    memories.insert(memories.end(), more);
    run_twice(launches, parameters, memories);
}

bool join_lanes(Scene &scene) {
    scene.traits.buffer_addresses = gpu::weights_by_address(device()->traits()); // what the device was made for
    scene.traits.lane_loads_slow = true;
    const std::uint32_t size = scene.traits.subgroup_size;
    if (scene.traits.subgroup_size_fixed && scene.traits.subgroup_shuffle && size >= 4 && size <= 16) return true;
    MESSAGE("SKIPPED: subgroups here are not of one size from 4 to 16");
    return false;
}

bool joins_lanes(const kernels::Launch &launch) {
    return std::any_of(launch.constants.begin(), launch.constants.end(), [](const gpu::SpecConstant &constant) {
        return constant.id == shader::kSpecUniformLanes && constant.value != 0;
    });
}

std::vector<const kernels::Variant *> address_variants(std::string_view kernel) {
    auto found = every_variant(kernel);
    std::erase_if(found, [](const kernels::Variant *variant) { return !variant->needs_address; });
    if (found.empty()) MESSAGE("SKIPPED: this device does not read weights by address");
    return found;
}

double tolerance_of(const kernels::Variant &variant, double float32) {
    return variant.needs_dot ? 1e-4 : float32;
}

std::vector<float> random_matrix(Random &random, std::uint32_t rows, std::uint32_t columns) {
    return random.vector(std::size_t{rows} * columns, 1 / std::sqrt(static_cast<double>(columns)));
}

std::uint32_t padded(std::uint32_t floats) {
    return (floats + 7) / 8 * 8;
}

} // namespace ff::test
