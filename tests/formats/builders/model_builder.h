// Small models of every version, for the description. The list of tensors is written out here and not taken from the
// loader, so that the two can disagree.
#pragma once

#include "tests/formats/builders/safetensors_builder.h"

namespace ff::loader::test {

// Version label as in label_of. L = 2 layers, C = 16, H = 4 heads of N = 4, F = 24, V = 11; ranks w 2, a 3, v 5, g 6
// (7), mix 3 and w 2 (6). f32 zeros.
std::vector<NamedTensor> small_model(std::string_view version);
// The same with values that differ everywhere, decays and bonuses in the range of trained models.
std::vector<NamedTensor> filled_model(std::string_view version);

NamedTensor &tensor_named(std::vector<NamedTensor> &model, std::string_view name);
void set_shape(std::vector<NamedTensor> &model, std::string_view name, std::vector<std::uint64_t> shape);
void remove(std::vector<NamedTensor> &model, std::string_view name);
void rename(std::vector<NamedTensor> &model, std::string_view part, std::string_view with); // in every name
void add(std::vector<NamedTensor> &model, std::string name, std::vector<std::uint64_t> shape);

} // namespace ff::loader::test
