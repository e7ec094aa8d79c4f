#include "loader/quant/policy.h"

#include "loader/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::loader {

namespace {

bool plain(DType dtype) {
    return block_elements(dtype) == 1;
}

// Fewer than six bits a weight, factors aside.
bool low(DType dtype) {
    return dtype != DType::q8_0 && dtype != DType::q6_k && !plain(dtype);
}

DType next_smaller_block(DType dtype) {
    switch (dtype) {
    case DType::q4_k:
    case DType::nf4:
        return DType::q5_0;
    case DType::q5_k:
        return DType::q5_1;
    case DType::q6_k:
        return DType::q8_0;
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::q8_0:
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q5_1:
        break;
    }
    return DType::f16;
}

// A star first stands for nothing, then for more and more; only the last one met may need to grow.
bool fits(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = pattern.npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != pattern.npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

Storage whole_blocks(const TensorInfo &tensor, DType wanted) {
    Storage storage{wanted};
    const std::uint64_t columns = tensor.shape.empty() ? 1 : tensor.shape.back();
    while (columns % block_elements(storage.dtype) != 0) storage = {next_smaller_block(storage.dtype), true};
    return storage;
}

} // namespace

Role role_of(std::string_view name) {
    if (name == "head.weight") return Role::head;
    if (name == "emb.weight" || name.ends_with(".ffn.s_emb.weight")) return Role::table;
    if (!name.starts_with("blocks.")) return Role::parameter;
    for (const std::string_view matrix :
         {".receptance.weight", ".key.weight", ".value.weight", ".output.weight", ".gate.weight"})
        if (name.ends_with(matrix)) return Role::matrix;
    return Role::parameter;
}

const TypeRule *rule_for(std::string_view name, std::span<const TypeRule> rules) {
    const auto found = std::ranges::find_if(rules, [&](const TypeRule &rule) { return fits(rule.pattern, name); });
    return found == rules.end() ? nullptr : &*found;
}

Result<void> check_rules(const TensorSource &source, std::span<const TypeRule> rules) {
    for (const TypeRule &rule : rules)
        if (std::ranges::none_of(source.tensors(), [&](const TensorInfo &t) { return fits(rule.pattern, t.name); }))
            return Error{Status::argument,
                         fmt::format("{}: no tensor fits the pattern {}; names are like blocks.0.att.key.weight, and * "
                                     "stands for any text",
                                     printable(source.path()), printable(rule.pattern))};
    return {};
}

Storage storage_of(const TensorInfo &tensor, std::optional<DType> wanted, std::span<const TypeRule> rules) {
    if (const TypeRule *rule = rule_for(tensor.name, rules)) return whole_blocks(tensor, rule->type);
    const Role role = role_of(tensor.name);
    if (!wanted || role == Role::parameter) return {tensor.dtype};
    if (role == Role::table && !plain(*wanted)) return {tensor.dtype == DType::f32 ? DType::f16 : tensor.dtype};
    return whole_blocks(tensor, role == Role::head && low(*wanted) ? DType::q6_k : *wanted);
}

Storage loaded_as(const TensorInfo &tensor, std::optional<DType> wanted) {
    if (!wanted || plain(*wanted)) return {wanted.value_or(tensor.dtype)};
    const DType stay = plain(tensor.dtype) ? tensor.dtype : DType::f16;
    const Role role = role_of(tensor.name);
    if (role == Role::table && !plain(tensor.dtype)) return {tensor.dtype};
    if (role == Role::table || role == Role::parameter) return {stay};
    const std::uint64_t columns = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (columns % block_elements(*wanted) != 0) return {stay, true};
    return {*wanted};
}

} // namespace ff::loader
