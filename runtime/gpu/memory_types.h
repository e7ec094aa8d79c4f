// Which memory types suit a kind of buffer, best first: decided on plain data.
#pragma once

#include "runtime/gpu/memory.h"

namespace ff::gpu {

// `allowed`: VkMemoryRequirements::memoryTypeBits. Empty if none suits.
std::vector<std::uint32_t> rank_memory_types(const VkPhysicalDeviceMemoryProperties &memory, std::uint32_t allowed,
                                             MemoryKind kind, bool unified);
// Whether a buffer of this kind is to have a host address.
bool is_mapped(const VkPhysicalDeviceMemoryProperties &memory, std::uint32_t type, MemoryKind kind, bool unified);

} // namespace ff::gpu
