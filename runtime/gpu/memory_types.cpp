#include "runtime/gpu/memory_types.h"

#include <algorithm>
#include <optional>

namespace ff::gpu {
namespace {

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                kCoherent = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
// Memory with a purpose of its own: tile memory, protected content, and AMD's uncached types, which are slow.
constexpr VkMemoryPropertyFlags kUnsuitable =
    VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
    VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

// How badly a type fits; nothing if it does not serve at all.
std::optional<int> penalty(VkMemoryPropertyFlags flags, MemoryKind kind, bool unified) {
    const bool local = (flags & kLocal) != 0, coherent = (flags & kCoherent) == kCoherent,
               cached = (flags & kCached) != 0;
    switch (kind) {
    case MemoryKind::device:
        // Never host memory behind a bus: weights there would be read at a tenth of the speed, silently.
        if (!local) return std::nullopt;
        // Unified: visible, to be written in place; not cached, since the host only streams into it. Otherwise the
        // type the host cannot see, so that a small BAR is left to others.
        return unified ? (coherent ? 0 : 2) + (cached ? 1 : 0) : (coherent ? 1 : 0);
    case MemoryKind::upload: // host memory; a BAR is scarce, and written through the bus either way
        if (!coherent) return std::nullopt;
        return (local && !unified ? 2 : 0) + (cached ? 1 : 0);
    case MemoryKind::readback: // uncached reads are some 100 MB/s
        if (!coherent) return std::nullopt;
        return (cached ? 0 : 2) + (local && !unified ? 1 : 0);
    case MemoryKind::shared: // device-local: shaders look at it every launch; cached helps the polling host
        if (!coherent) return std::nullopt;
        return (local ? 0 : 2) + (cached ? 0 : 1);
    }
    return std::nullopt;
}

} // namespace

std::vector<std::uint32_t> rank_memory_types(const VkPhysicalDeviceMemoryProperties &memory, std::uint32_t allowed,
                                             MemoryKind kind, bool unified) {
    struct Candidate {
        std::uint32_t type;
        int penalty;
        VkDeviceSize heap;
    };
    std::vector<Candidate> candidates;
    for (std::uint32_t type = 0; type < memory.memoryTypeCount; ++type) {
        const VkMemoryPropertyFlags flags = memory.memoryTypes[type].propertyFlags;
        if ((allowed & (1U << type)) == 0 || (flags & kUnsuitable) != 0) continue;
        if (const auto cost = penalty(flags, kind, unified))
            candidates.push_back({type, *cost, memory.memoryHeaps[memory.memoryTypes[type].heapIndex].size});
    }
    // Among equals the larger heap, then the driver's own order, which is best first by the specification.
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) {
        return a.penalty != b.penalty ? a.penalty < b.penalty : a.heap > b.heap;
    });
    std::vector<std::uint32_t> types;
    for (const Candidate &candidate : candidates) types.push_back(candidate.type);
    return types;
}

bool is_mapped(const VkPhysicalDeviceMemoryProperties &memory, std::uint32_t type, MemoryKind kind, bool unified) {
    const bool coherent = (memory.memoryTypes[type].propertyFlags & kCoherent) == kCoherent;
    return kind == MemoryKind::device ? unified && coherent : coherent;
}

} // namespace ff::gpu
