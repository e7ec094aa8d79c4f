// Weight types by name, and what becomes of a tensor with them.
#include "runtime/api/objects.h"

#include "loader/quant/formats.h"
#include "loader/quant/policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace ff;

Result<loader::DType> api::weight_type_named(std::string_view name) {
    if (const auto type = loader::dtype_named(name)) return *type;
    std::vector<std::string_view> names;
    for (const loader::Format &format : loader::formats()) names.push_back(format.name);
    return Error{Status::argument, fmt::format("there is no weight type \"{}\"; weights are as-stored, or {}", name,
                                               fmt::join(names, ", "))};
}

Result<std::optional<loader::DType>> api::weights_named(const char *name) {
    if (!name || std::string_view(name) == "as-stored") return std::optional<loader::DType>();
    FF_TRY_ASSIGN(const loader::DType type, weight_type_named(name));
    return std::optional(type);
}

int ff_weight_type(size_t index, const char **name) {
    if (index >= loader::formats().size()) return 0;
    *name = loader::formats()[index].name.data(); // literals: they end with a zero
    return 1;
}

ff_status ff_checkpoint_loaded_type(const ff_checkpoint *checkpoint, size_t index, const char *weights,
                                    const char **type, int *fallback, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!checkpoint || !type) return api::null_argument(checkpoint ? "type" : "checkpoint");
        FF_TRY_ASSIGN(const std::optional<loader::DType> wanted, api::weights_named(weights));
        if (index >= checkpoint->source->tensors().size())
            return Error{Status::argument, fmt::format("tensor {} of {}", index, checkpoint->source->tensors().size())};
        const loader::Storage storage = loader::loaded_as(checkpoint->source->tensors()[index], wanted);
        *type = loader::name_of(storage.dtype).data();
        if (fallback) *fallback = storage.fallback ? 1 : 0;
        return {};
    });
}
