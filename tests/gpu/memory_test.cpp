#include "tests/gpu/fixture.h"

#include "runtime/gpu/memory_types.h"

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

namespace {

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                kHost = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

struct Heap {
    std::uint64_t bytes;
    std::vector<VkMemoryPropertyFlags> types;
};

VkPhysicalDeviceMemoryProperties memory_of(const std::vector<Heap> &heaps) {
    VkPhysicalDeviceMemoryProperties out{};
    for (const Heap &heap : heaps) {
        for (const VkMemoryPropertyFlags flags : heap.types)
            out.memoryTypes[out.memoryTypeCount++] = {flags, out.memoryHeapCount};
        out.memoryHeaps[out.memoryHeapCount++].size = heap.bytes;
    }
    return out;
}

using Types = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("memory types of a card with a small BAR") {
    // 0 video memory; 1, 2 host memory; 3 the BAR; 4 AMD's uncached kind of video memory
    const auto memory = memory_of({{8ULL << 30, {kLocal}},
                                   {16ULL << 30, {kHost, kHost | kCached}},
                                   {256ULL << 20, {kLocal | kHost}},
                                   {8ULL << 30, {kLocal | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD}}});
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::device, false) == Types{0, 3});
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::upload, false) == Types{1, 2, 3});
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::readback, false) == Types{2, 1, 3});
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::shared, false) == Types{3, 2, 1});
    CHECK(rank_memory_types(memory, 0b0110, MemoryKind::shared, false) == Types{2, 1});
    CHECK(rank_memory_types(memory, 0b0110, MemoryKind::device, false).empty());
    CHECK_FALSE(is_mapped(memory, 3, MemoryKind::device, false));
    CHECK(is_mapped(memory, 3, MemoryKind::shared, false));
}

TEST_CASE("memory types of a unified device") {
    const auto memory = memory_of({{16ULL << 30, {kLocal, kLocal | kHost, kLocal | kHost | kCached}}});
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::device, true) == Types{1, 2, 0});
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::readback, true) == Types{2, 1});
    CHECK(is_mapped(memory, 1, MemoryKind::device, true));
    // The same device, told to behave as if it were not.
    CHECK(rank_memory_types(memory, ~0U, MemoryKind::device, false) == Types{0, 1, 2});
    CHECK_FALSE(is_mapped(memory, 1, MemoryKind::device, false));
}

TEST_CASE("buffers of every kind") {
    for (const char *profile : kProfiles)
        for (const MemoryKind kind :
             {MemoryKind::device, MemoryKind::upload, MemoryKind::readback, MemoryKind::shared}) {
            CAPTURE(profile);
            CAPTURE(static_cast<int>(kind));
            Scope scope;
            const auto device = scope.device({.profile = profile});
            Buffer buffer = must(Buffer::create(device, kind, 1001, "odd"));
            CHECK(buffer.bytes() == 1001);
            CHECK(buffer.view().bytes == 1001);
            const bool mapped = kind != MemoryKind::device || device->traits().unified_memory;
            CHECK((buffer.view().mapped != nullptr) == mapped);
            if (mapped) std::memset(buffer.view().mapped, 0x5a, 1001);
            CHECK(device->allocation_count() == 1);

            Buffer moved = std::move(buffer);
            CHECK(buffer.bytes() == 0);
            moved = Buffer();
            CHECK(device->allocation_count() == 0);
            CHECK(device->allocated_bytes() == 0);
        }
}

TEST_CASE("a buffer of no bytes, or of more than the device allocates, is refused") {
    Scope scope;
    const auto device = scope.device({.mask = [](DeviceTraits &traits) { traits.max_allocation_bytes = 1U << 20; }});
    const auto none = Buffer::create(device, MemoryKind::device, 0, "empty");
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().status == Status::argument);
    const auto large = Buffer::create(device, MemoryKind::device, (1U << 20) + 1, "head");
    REQUIRE_FALSE(large.ok());
    CHECK(large.error().status == Status::unsupported);
    CHECK(large.error().message.find("head") != std::string::npos);
}

TEST_CASE("the budget is kept, and a refusal is a sentence with both numbers") {
    Scope scope;
    const auto device = scope.device({.memory_budget_bytes = 10'000'000});
    CHECK(device->free_memory_bytes() == 10'000'000);
    must(device->check_memory("weights", 10'000'000));
    const auto refused = device->check_memory("weights", 5'900'000'000);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().status == Status::out_of_device_memory);
    CHECK(refused.error().message ==
          "weights needs 5.9 GB, " + device->info().name + " has 10.0 MB free within its budget of 10.0 MB");

    const Buffer first = must(Buffer::create(device, MemoryKind::device, 6'000'000, "first"));
    CHECK(device->allocated_bytes() >= 6'000'000);
    CHECK(device->free_memory_bytes() == 10'000'000 - device->allocated_bytes());
    const auto second = Buffer::create(device, MemoryKind::device, 6'000'000, "second");
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().status == Status::out_of_device_memory);
    CHECK(second.error().message.starts_with("second needs 6.0 MB, "));
    CHECK(device->allocation_count() == 1);
}

TEST_CASE("more than all memory is refused before the driver is asked") {
    Scope scope;
    const auto device = scope.device({.mask = [](DeviceTraits &traits) { traits.max_allocation_bytes = ~0ULL; }});
    const auto refused = Buffer::create(device, MemoryKind::device, 1ULL << 50, "universe");
    REQUIRE_FALSE(refused.ok());
}

TEST_CASE("an arena's parts are aligned, apart, and in few buffers") {
    for (const char *profile : kProfiles) {
        CAPTURE(profile);
        Scope scope;
        const auto device = scope.device({.profile = profile});
        Arena arena(device, MemoryKind::device, "weights", 1U << 16);
        std::vector<BufferView> parts;
        for (std::uint64_t bytes = 1; bytes < 20000; bytes = bytes * 3 + 1)
            parts.push_back(must(arena.allocate(bytes, "part")));
        for (std::size_t i = 0; i < parts.size(); ++i) {
            CHECK(parts[i].offset % device->traits().storage_offset_alignment == 0);
            CHECK(parts[i].offset % 16 == 0);
            CHECK((parts[i].mapped != nullptr) == device->traits().unified_memory);
            for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(parts[i].overlaps(parts[j]));
        }
        CHECK(device->allocation_count() == 1);
        CHECK(arena.allocated_bytes() == 1U << 16);
    }
}

TEST_CASE("an arena gives large requests a buffer of their own and goes on in the open one") {
    Scope scope;
    const auto device = scope.device();
    Arena arena(device, MemoryKind::device, "states", 4096);
    const BufferView before = must(arena.allocate(100, "small"));
    const BufferView large = must(arena.allocate(10000, "large"));
    const BufferView after = must(arena.allocate(100, "small again"));
    CHECK(large.buffer != before.buffer);
    CHECK(large.offset == 0);
    CHECK(large.bytes == 10000);
    CHECK(after.buffer == before.buffer);
    const BufferView full = must(arena.allocate(4096, "a whole one"));
    CHECK(full.buffer != before.buffer);
    CHECK(device->allocation_count() == 3);

    Arena first_large(device, MemoryKind::device, "other", 4096);
    const BufferView own = must(first_large.allocate(5000, "large first"));
    const BufferView next = must(first_large.allocate(16, "small next"));
    CHECK_FALSE(own.overlaps(next));
}

TEST_CASE("an arena tells who must split") {
    Scope scope;
    const auto device = scope.device({.mask = [](DeviceTraits &traits) { traits.max_allocation_bytes = 1U << 16; }});
    Arena arena(device, MemoryKind::device, "weights", 1ULL << 40); // cut to what the device allocates
    const auto refused = arena.allocate((1U << 16) + 1, "head.weight");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().status == Status::unsupported);
    CHECK(refused.error().message.starts_with("head.weight is 65.5 KB"));
    CHECK(must(arena.allocate(1U << 16, "fits")).bytes == 1U << 16);
    CHECK_FALSE(arena.allocate(0, "nothing").ok());
}
