#include "loader/formats/torch_globals.h"

#include "loader/text.h"

#include <fmt/format.h>
#include <optional>

namespace ff::loader {

namespace {

using Kind = PickleValue::Kind;

struct Name {
    std::string_view module, name;
    PickleGlobal global;
};
constexpr Name kNames[] = {
    {"collections", "OrderedDict", PickleGlobal::ordered_dict},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::rebuild_tensor},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::rebuild_parameter},
    {"torch", "FloatStorage", PickleGlobal::float_storage},
    {"torch", "HalfStorage", PickleGlobal::half_storage},
    {"torch", "BFloat16Storage", PickleGlobal::bfloat16_storage},
};

Error malformed(const std::string &what) {
    return Error{Status::model_file, fmt::format("{}; the file is damaged, get it again", what)};
}

std::optional<DType> dtype_of(const PickleValue &value) {
    if (value.kind != Kind::global) return std::nullopt;
    switch (value.global) {
    case PickleGlobal::float_storage:
        return DType::f32;
    case PickleGlobal::half_storage:
        return DType::f16;
    case PickleGlobal::bfloat16_storage:
        return DType::bf16;
    default:
        return std::nullopt;
    }
}

// A tuple of non-negative integers: a shape, or strides.
Result<std::vector<std::uint64_t>> sizes_of(const PickleDocument &document, const PickleValue &value,
                                            std::string_view what) {
    if (value.kind != Kind::tuple)
        return malformed(fmt::format("a tensor's {} is {}, expected a tuple", what, name_of(value.kind)));
    const auto &items = document.sequences[value.index];
    if (items.size() > kPickleRankLimit)
        return malformed(
            fmt::format("a tensor's {} has {} axes, expected at most {}", what, items.size(), kPickleRankLimit));
    std::vector<std::uint64_t> sizes;
    for (const PickleValue &item : items) {
        if (item.kind != Kind::integer)
            return malformed(fmt::format("a tensor's {} contains {}, expected integers", what, name_of(item.kind)));
        if (item.integer < 0)
            return malformed(fmt::format("a tensor's {} contains {}, expected 0 or more", what, item.integer));
        sizes.push_back(static_cast<std::uint64_t>(item.integer));
    }
    return sizes;
}

// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks, metadata=None)
Result<PickleValue> rebuild_tensor(PickleDocument &document, const std::vector<PickleValue> &arguments) {
    if (arguments.size() != 6 && arguments.size() != 7)
        return malformed(fmt::format("a tensor is described by {} values, expected 6 or 7", arguments.size()));
    if (arguments[0].kind != Kind::storage)
        return malformed(fmt::format("a tensor's storage is {}", name_of(arguments[0].kind)));
    if (arguments[1].kind != Kind::integer || arguments[1].integer < 0)
        return malformed("a tensor's offset is not an integer of 0 or more");
    PickledTensor tensor;
    tensor.storage = arguments[0].index;
    tensor.offset = static_cast<std::uint64_t>(arguments[1].integer);
    FF_TRY_ASSIGN(tensor.shape, sizes_of(document, arguments[2], "shape"));
    FF_TRY_ASSIGN(tensor.strides, sizes_of(document, arguments[3], "strides"));
    if (tensor.shape.size() != tensor.strides.size())
        return malformed(
            fmt::format("a tensor has {} axes and {} strides", tensor.shape.size(), tensor.strides.size()));
    if (document.tensors.size() >= kPickleTensorLimit)
        return malformed(fmt::format("there are more than {} tensors", kPickleTensorLimit));
    document.tensors.push_back(std::move(tensor));
    return PickleValue{.kind = Kind::tensor, .index = static_cast<std::uint32_t>(document.tensors.size() - 1)};
}

} // namespace

Result<PickleGlobal> find_torch_global(std::string_view module, std::string_view name) {
    for (const Name &known : kNames)
        if (known.module == module && known.name == name) return known.global;
    const std::string full = printable(fmt::format("{}.{}", module, name));
    if (module == "torch" && name.ends_with("Storage"))
        return Error{Status::unsupported,
                     fmt::format("holds tensors of type {}, expected FloatStorage, HalfStorage or BFloat16Storage; "
                                 "convert them with .float(), .half() or .bfloat16() and save again",
                                 full)};
    return Error{Status::unsupported,
                 fmt::format("wants to use {}, which a checkpoint of tensors has no need for; nothing was executed, "
                             "save the plain state dict",
                             full)};
}

Result<PickleValue> call_torch_global(PickleDocument &document, PickleGlobal callable, const PickleValue &arguments) {
    if (arguments.kind != Kind::tuple)
        return malformed(fmt::format("the arguments of a call are {}, expected a tuple", name_of(arguments.kind)));
    const std::vector<PickleValue> &values = document.sequences[arguments.index];
    switch (callable) {
    case PickleGlobal::ordered_dict:
        if (!values.empty()) return malformed("an OrderedDict is made from values, expected an empty one");
        if (document.dicts.size() >= kPickleObjectLimit) return malformed("there are too many dictionaries");
        document.dicts.emplace_back();
        return PickleValue{.kind = Kind::dict, .index = static_cast<std::uint32_t>(document.dicts.size() - 1)};
    case PickleGlobal::rebuild_tensor:
        return rebuild_tensor(document, values);
    case PickleGlobal::rebuild_parameter: // (tensor, requires_grad, backward_hooks)
        if (values.size() != 3 || values[0].kind != Kind::tensor)
            return malformed("a parameter is not made from a tensor and two flags");
        return values[0];
    default:
        return malformed("a storage type is called as if it were a function");
    }
}

Result<PickleValue> load_torch_storage(PickleDocument &document, const PickleValue &id) {
    if (id.kind != Kind::tuple)
        return malformed(fmt::format("a storage is named by {}, expected a tuple", name_of(id.kind)));
    const std::vector<PickleValue> &values = document.sequences[id.index];
    if (values.size() != 5) return malformed(fmt::format("a storage is named by {} values, expected 5", values.size()));
    if (values[0].kind != Kind::text || values[0].text != "storage")
        return malformed("a persistent id does not begin with \"storage\"");
    const auto dtype = dtype_of(values[1]);
    if (!dtype)
        return malformed(fmt::format("a storage's type is {}, expected a torch storage", name_of(values[1].kind)));
    if (values[2].kind != Kind::text || values[3].kind != Kind::text)
        return malformed("a storage's key and location are not text");
    if (values[4].kind != Kind::integer || values[4].integer < 0)
        return malformed("a storage's length is not an integer of 0 or more");
    if (document.storages.size() >= kPickleObjectLimit) return malformed("there are too many storages");
    document.storages.push_back({*dtype, values[2].text, static_cast<std::uint64_t>(values[4].integer)});
    return PickleValue{.kind = Kind::storage, .index = static_cast<std::uint32_t>(document.storages.size() - 1)};
}

} // namespace ff::loader
