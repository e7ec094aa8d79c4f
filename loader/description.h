// What model a set of tensors is, from names and shapes alone. The labels are ChatRWKV's: 5.0 has no gate and one
// decay a head, 5.1 a gate and one decay a head, 5.2 a gate and one decay a channel, 7a is 7 with DeepEmbed.
#pragma once

#include "loader/tensor_source.h"

#include <optional>

namespace ff::loader {

enum class Version : std::uint8_t { v4_0, v5_0, v5_1, v5_2, v6_0, v7_0, v7a };
std::string_view label_of(Version version); // "4.0" ... "7.0", "7a"

struct ModelDescription {
    Version version = Version::v7_0;
    std::uint32_t layers = 0;          // L
    std::uint32_t width = 0;           // C, n_embd
    std::uint32_t attention_width = 0; // rows of att.key: C in every published model
    std::uint32_t heads = 0;           // H; 0 for version 4
    std::uint32_t head_size = 0;       // N; 0 for version 4
    std::uint32_t ffn_width = 0;       // F, rows of ffn.key
    std::uint32_t vocabulary = 0;      // V, rows of emb and head
    // Low-rank sizes, the same in every layer (0 where the version has no such pair).
    // 7: w, a, v, g. 6: mix (D of time_maa_w1 [C, 5D]) and w (E of time_decay_w1 [C, E]).
    std::uint32_t rank_w = 0, rank_a = 0, rank_v = 0, rank_g = 0, rank_mix = 0;
    bool gate = false;              // 5.1 and up: att.gate (or 7's g pair)
    bool exponential_bonus = false; // 5 with time_first: the bonus is exp(time_first), not time_faaaa as it is
    std::uint64_t parameters = 0;
    std::uint64_t bytes = 0; // of all tensors as stored
    std::map<DType, std::uint64_t> bytes_by_dtype;
};

// Names the first tensor that is missing, of another shape (expected and found), or unknown: nothing is skipped
// silently, except layer 0's att.v0, v1, v2 of version 7, which no engine uses.
// Fails with model_file for an inconsistent file; with unsupported for 7b and 8, naming the tensor that gave it away.
Result<ModelDescription> describe(const TensorSource &source);

// Index into source.tensors(), or nothing.
std::optional<std::size_t> find_tensor(const TensorSource &source, std::string_view name);

} // namespace ff::loader
