// The model shapes whose kernels are looked at: every version, in two layers (the first differs from all others).
#pragma once

#include "loader/presets.h"
#include "loader/tensor_source.h"

namespace ff::test {

inline constexpr loader::Version kVersions[] = {loader::Version::v4_0, loader::Version::v5_0, loader::Version::v5_1,
                                                loader::Version::v5_2, loader::Version::v6_0, loader::Version::v7_0,
                                                loader::Version::v7a};
inline constexpr loader::DType kWeights[] = {
    loader::DType::f32,  loader::DType::f16,  loader::DType::bf16, loader::DType::q8_0, loader::DType::q4_0, loader::DType::q4_1,
    loader::DType::q5_0, loader::DType::q5_1, loader::DType::q4_k, loader::DType::q5_k, loader::DType::q6_k, loader::DType::nf4};

inline loader::Preset two_layers(loader::Version version, std::uint32_t width) {
    return {"two layers", version, 2, width, 65536};
}

} // namespace ff::test
