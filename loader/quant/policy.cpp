#include "loader/quant/policy.h"

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

Storage storage_of(const TensorInfo &tensor, std::optional<DType> wanted) {
    const Role role = role_of(tensor.name);
    if (!wanted || role == Role::parameter) return {tensor.dtype};
    DType dtype = *wanted;
    if (role == Role::table && !plain(dtype)) return {tensor.dtype == DType::f32 ? DType::f16 : tensor.dtype};
    if (role == Role::head && low(dtype)) dtype = DType::q6_k;
    Storage storage{dtype};
    const std::uint64_t columns = tensor.shape.empty() ? 1 : tensor.shape.back();
    while (columns % block_elements(storage.dtype) != 0) storage = {next_smaller_block(storage.dtype), true};
    return storage;
}

} // namespace ff::loader
