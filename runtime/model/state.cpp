#include "runtime/model/state.h"

#include "runtime/kernels/places.h"

#include <cstring>
#include <fmt/format.h>

namespace ff::model {

std::uint64_t StateStore::bytes(const loader::ModelDescription &description, std::uint32_t slots) {
    return state_layout(description).slot_bytes * slots * description.layers;
}

Result<StateStore> StateStore::create(const std::shared_ptr<gpu::Device> &device,
                                      const loader::ModelDescription &description, std::uint32_t slots) {
    StateStore store;
    store.layout_ = state_layout(description);
    store.slots_ = slots;
    const std::uint64_t layer_bytes = store.layout_.slot_bytes * slots;
    if (layer_bytes > device->traits().max_storage_buffer_range)
        return Error{Status::unsupported,
                     fmt::format("{} sessions: a layer's states take {} bytes, this device binds {} at most; ask for "
                                 "{} sessions or fewer",
                                 slots, layer_bytes, device->traits().max_storage_buffer_range,
                                 device->traits().max_storage_buffer_range / store.layout_.slot_bytes)};
    const std::uint64_t chunk =
        std::min<std::uint64_t>(device->traits().max_allocation_bytes, (layer_bytes + 256) * description.layers);
    store.arena_.emplace_back(device, gpu::MemoryKind::device, "states", chunk);
    for (std::uint32_t layer = 0; layer < description.layers; ++layer) {
        FF_TRY_ASSIGN(const gpu::BufferView view,
                      store.arena_.front().allocate(layer_bytes, fmt::format("state.{}", layer)));
        store.layers_.push_back(view);
    }
    return store;
}

kernels::LayerState StateStore::layer(std::uint32_t layer) const {
    return {fmt::format("state.{}", layer), layers_[layer], layout_.slot_bytes};
}

gpu::BufferView StateStore::slot(std::uint32_t layer, std::uint32_t slot) const {
    return layers_[layer].slice(layout_.slot_bytes * slot, layout_.slot_bytes);
}

std::vector<std::byte> StateStore::initial_layer() const {
    std::vector<std::byte> bytes(layout_.slot_bytes, std::byte{0});
    for (const StatePart &part : layout_.parts) {
        if (part.initial == 0.0F) continue;
        for (std::uint64_t copy = 0; copy < (part.copy_stride ? 2U : 1U); ++copy)
            for (std::uint32_t i = 0; i < part.elements(); ++i)
                std::memcpy(bytes.data() + part.offset + copy * part.copy_stride + 4ULL * i, &part.initial, 4);
    }
    return bytes;
}

} // namespace ff::model
