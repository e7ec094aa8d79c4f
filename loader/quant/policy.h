// Which type each tensor of a model gets when it is written with other weights: a decision on names and shapes alone.
#pragma once

#include "loader/tensor_source.h"

#include <optional>
#include <span>

namespace ff::loader {

enum class Role : std::uint8_t {
    matrix,    // of a layer, read whole for every token: receptance, key, value, output, gate
    head,      // read whole too, and what it loses shows in every logit
    table,     // emb, and 7a's s_emb: one row a token is read, so that smaller types save no time
    parameter, // norms, mixes, decays, bonuses, low-rank pairs: small, and sensitive
};
Role role_of(std::string_view name); // an official one

struct Storage {
    DType dtype;
    bool fallback = false; // the tensor's rows are no whole blocks of what its role would get
};

// For `wanted` weights: matrices get it; the head does, but no fewer than six bits (q6_k); tables and parameters stay
// as they are stored, tables of f32 becoming f16 beside blocks. For a plain float type everything but parameters gets
// it. Nothing wanted: everything stays as it is. Where rows are no whole blocks: q4_k becomes q5_0, q5_k q5_1, q6_k
// q8_0, nf4 q5_0, and the types of 32 elements f16.
// A tensor that a rule names gets the rule's type instead, whatever its role, and falls back from it in the same way.
struct TypeRule {
    std::string pattern; // an official name, in which * stands for any text
    DType type;
};
Storage storage_of(const TensorInfo &tensor, std::optional<DType> wanted, std::span<const TypeRule> rules = {});

// How a tensor is kept when a model is loaded with `wanted` weights: matrices and the head get that type, or where
// their rows are no whole blocks of it stay plain. Tables and parameters stay as they are beside blocks, and become a
// plain type that is wanted. Parameters that are vectors are float32 on the device in any case.
Storage loaded_as(const TensorInfo &tensor, std::optional<DType> wanted);

// The first rule that fits; nothing if none does.
const TypeRule *rule_for(std::string_view name, std::span<const TypeRule> rules);
// Fails with argument, naming the pattern, if one fits no tensor at all.
Result<void> check_rules(const TensorSource &source, std::span<const TypeRule> rules);

} // namespace ff::loader
