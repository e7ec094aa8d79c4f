#include "runtime/model/scratch.h"

#include "runtime/kernels/places.h"

#include <cassert>

namespace ff::model {

void Scratch::declare(const std::string &name, std::uint32_t floats, std::uint32_t copies) {
    const std::uint64_t bytes = copies * kernels::padded_bytes(floats);
    regions_.push_back({name, bytes_, bytes});
    bytes_ += (bytes + 255) / 256 * 256;
}

Result<void> Scratch::create(const std::shared_ptr<gpu::Device> &device, gpu::Uploader &uploader) {
    FF_TRY_ASSIGN(buffer_, gpu::Buffer::create(device, gpu::MemoryKind::device, bytes_, "scratch"));
    return uploader.zero(view()); // vectors are padded to whole groups, and the padding must be zero
}

kernels::Activation Scratch::get(const std::string &name) const {
    for (const Region &region : regions_)
        if (region.name == name) return {name, view().slice(region.offset, region.bytes)};
    assert(false);
    return {};
}

} // namespace ff::model
