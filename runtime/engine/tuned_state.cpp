#include "runtime/engine/tuned_state.h"

#include "loader/text.h"

#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ff::engine {
namespace {

std::string tensor_name(std::uint32_t layer) {
    return fmt::format("blocks.{}.att.time_state", layer);
}

} // namespace

bool is_tuned_state(const loader::TensorSource &file) {
    return loader::find_tensor(file, tensor_name(0)).has_value();
}

Result<Snapshot> read_tuned_state(const loader::TensorSource &file, const StateShape &shape,
                                  const model::StateLayout &layout) {
    const std::string path = loader::printable(file.path());
    if (shape.heads == 0)
        return Error{Status::unsupported,
                     fmt::format("{}: this is a state-tuned file, which there is for versions 5 to 7a; the model is {}",
                                 path, text_of(shape))};
    if (file.tensors().size() != shape.layers)
        return Error{Status::model_file,
                     fmt::format("{}: a state-tuned file has one tensor blocks.N.att.time_state for each layer and "
                                 "nothing else: expected {}, found {} tensors",
                                 path, shape.layers, file.tensors().size())};
    const model::StatePart &part = layout.part("wkv");
    Snapshot snapshot;
    snapshot.shape = shape;
    snapshot.states.assign(layout.slot_bytes * shape.layers, std::byte{0});
    std::vector<float> values(part.elements());
    for (std::uint32_t layer = 0; layer < shape.layers; ++layer) {
        const auto index = loader::find_tensor(file, tensor_name(layer));
        if (!index) return Error{Status::model_file, fmt::format("{}: tensor {} is missing", path, tensor_name(layer))};
        const loader::TensorInfo &info = file.tensors()[*index];
        if (!std::equal(part.shape.begin(), part.shape.end(), info.shape.begin(), info.shape.end()))
            return Error{Status::model_file,
                         fmt::format("{}: tensor {} is [{}], this model needs [{}]", path, info.name,
                                     fmt::join(info.shape, ", "), fmt::join(part.shape, ", "))};
        // web-rwkv's converter writes float16 alone, and turns these matrices; their shape does not tell.
        if (file.container() == "safetensors" && info.dtype == loader::DType::f16)
            return Error{Status::unsupported,
                         fmt::format("{}: tensor {} is f16 in a .safetensors file, as web-rwkv's converter writes it, "
                                     "turned; other programs do not turn it: use the .pth it was made from",
                                     path, info.name)};
        FF_TRY_ASSIGN(const loader::TensorBytes stored, file.read(*index));
        loader::to_float32(info.dtype, stored.bytes(), values);
        // [head, value, key] in every version, as on the device.
        std::memcpy(snapshot.states.data() + layer * layout.slot_bytes + part.offset, values.data(),
                    values.size() * sizeof(float));
    }
    return snapshot;
}

} // namespace ff::engine
