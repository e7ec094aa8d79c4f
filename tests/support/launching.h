// Weights for a kernel, and running its launches twice.
#pragma once

#include "runtime/kernels/matrix.h"
#include "runtime/kernels/parameters.h"
#include "tests/support/guarded_memory.h"

namespace ff::test {

// The weight type a variant was built for, by its name; f32 for kernels without weights.
kernels::WeightType weight_type(const kernels::Variant &variant);
// The variants of `kernel` that this device runs, all of them: the chosen one and those behind it.
std::vector<const kernels::Variant *> every_variant(std::string_view kernel);
// Of these, the ones for weights of 32 and 16 bits, whose rows have any length.
std::vector<const kernels::Variant *> runnable_variants(std::string_view kernel);
// And those of block formats. They differ in how weights are read alone: fewer shapes do, beside walks of whole plans (tests/plans).
std::vector<const kernels::Variant *> block_variants(std::string_view kernel);

// Values as weights of `type` hold them: the reference computes with these. Block formats: whole blocks.
std::vector<float> rounded(std::span<const float> values, kernels::WeightType type);
// Puts values [rows, columns] into `memory` as weights: rows padded with zeros to whole groups, or of whole blocks.
kernels::Matrix put_matrix(GuardedMemory &memory, std::string name, std::span<const float> values, std::uint32_t rows,
                           std::uint32_t columns, kernels::WeightType type);
// The same as the strips of a matrix kept by input.
std::vector<std::uint32_t> packed_strips(std::span<const float> values, std::uint32_t rows, std::uint32_t columns,
                                         kernels::WeightType type);
std::uint64_t matrix_bytes(std::uint32_t rows, std::uint32_t columns, kernels::WeightType type); // with its guards

// Parameters with NaN between the vectors.
class GuardedParameters {
  public:
    explicit GuardedParameters(std::uint64_t floats);
    std::uint32_t put(std::span<const float> vector);
    // One after the other without anything between, each padded to whole groups.
    std::uint32_t put_together(std::initializer_list<std::span<const float>> vectors);
    kernels::Parameters &get() { return parameters_; }

  private:
    kernels::Parameters parameters_;
};

// Records the launches once and replays them twice from the same start. Checks that both leave the same bits in every
// memory and that nothing changed but what may, inside what the launches' uses say.
void run_twice(std::span<const kernels::Launch> launches, GuardedParameters &parameters,
               std::span<GuardedMemory *const> memories);

// Replaces a specialisation constant, to force what tuning did not choose.
void force_constant(kernels::Launch &launch, std::uint32_t id, std::uint32_t value);

} // namespace ff::test
