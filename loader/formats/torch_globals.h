// What the few names that a checkpoint may use mean: the part of the unpickler that knows torch.
#pragma once

#include "loader/formats/unpickler.h"

namespace ff::loader {

// Messages of these three begin without the path; the unpickler puts it in front.

// Fails with unsupported, naming module.name.
Result<PickleGlobal> find_torch_global(std::string_view module, std::string_view name);

// callable(*arguments): an empty OrderedDict, a tensor, or the tensor inside a parameter.
Result<PickleValue> call_torch_global(PickleDocument &document, PickleGlobal callable, const PickleValue &arguments);

// ("storage", torch.XStorage, key, location, elements), as torch.save identifies the bytes of a tensor.
Result<PickleValue> load_torch_storage(PickleDocument &document, const PickleValue &id);

} // namespace ff::loader
