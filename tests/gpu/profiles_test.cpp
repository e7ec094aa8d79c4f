#include "runtime/gpu/captured_devices.h"
#include "runtime/gpu/workarounds.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace ff::gpu;

namespace {

DeviceTraits rich() {
    DeviceTraits out;
    out.subgroup_size = 32;
    out.subgroup_size_min = 8;
    out.subgroup_size_max = 64;
    out.subgroup_size_control = out.subgroup_basic = out.subgroup_arithmetic = out.subgroup_shuffle =
        out.subgroup_clustered = true;
    out.storage16 = out.storage8 = out.float16 = out.int16 = out.int8 = true;
    out.integer_dot_product = out.integer_dot_accelerated = out.integer_dot_mixed_accelerated = true;
    out.matrix_shapes = {{16, 16, 16}, {16, 8, 16}};
    out.buffer_addresses = out.unified_memory = out.memory_budget = out.timeline_semaphore = true;
    out.timestamp_valid_bits = 64;
    out.max_workgroup_invocations = out.max_workgroup_size_x = 2048;
    out.max_workgroup_count_x = ~0U;
    out.max_shared_memory_bytes = 1U << 17;
    out.max_push_constant_bytes = 4096;
    out.max_storage_buffers = 1U << 24;
    out.max_storage_buffer_range = out.max_allocation_bytes = out.most_submission_work = ~0ULL;
    out.storage_offset_alignment = 4;
    return out;
}

// Whether everything `masked` offers is offered by `full` too.
void check_takes_only(const DeviceTraits &full, const DeviceTraits &masked) {
    const auto flag = [](bool before, bool after) { CHECK((before || !after)); };
    flag(full.subgroup_size_control, masked.subgroup_size_control);
    flag(full.subgroup_size_fixed, masked.subgroup_size_fixed);
    flag(full.subgroup_basic, masked.subgroup_basic);
    flag(full.subgroup_arithmetic, masked.subgroup_arithmetic);
    flag(full.subgroup_shuffle, masked.subgroup_shuffle);
    flag(full.subgroup_clustered, masked.subgroup_clustered);
    flag(full.storage16, masked.storage16);
    flag(full.storage8, masked.storage8);
    flag(full.float16, masked.float16);
    flag(full.int16, masked.int16);
    flag(full.int8, masked.int8);
    flag(full.integer_dot_product, masked.integer_dot_product);
    flag(full.integer_dot_accelerated, masked.integer_dot_accelerated);
    flag(full.integer_dot_mixed_accelerated, masked.integer_dot_mixed_accelerated);
    for (const MatrixShape &shape : masked.matrix_shapes)
        CHECK(std::find(full.matrix_shapes.begin(), full.matrix_shapes.end(), shape) != full.matrix_shapes.end());
    flag(full.buffer_addresses, masked.buffer_addresses);
    flag(full.unified_memory, masked.unified_memory);
    flag(full.memory_budget, masked.memory_budget);
    flag(full.timeline_semaphore, masked.timeline_semaphore);
    CHECK(masked.subgroup_size == full.subgroup_size);
    CHECK(masked.subgroup_size_min >= full.subgroup_size_min);
    CHECK(masked.subgroup_size_max <= full.subgroup_size_max);
    CHECK(masked.timestamp_valid_bits <= full.timestamp_valid_bits);
    CHECK(masked.max_workgroup_invocations <= full.max_workgroup_invocations);
    CHECK(masked.max_workgroup_size_x <= full.max_workgroup_size_x);
    CHECK(masked.max_workgroup_count_x <= full.max_workgroup_count_x);
    CHECK(masked.max_shared_memory_bytes <= full.max_shared_memory_bytes);
    CHECK(masked.max_push_constant_bytes <= full.max_push_constant_bytes);
    CHECK(masked.max_storage_buffers <= full.max_storage_buffers);
    CHECK(masked.max_storage_buffer_range <= full.max_storage_buffer_range);
    CHECK(masked.max_allocation_bytes <= full.max_allocation_bytes);
    CHECK(masked.storage_offset_alignment >= full.storage_offset_alignment);
    CHECK(masked.most_submission_work <= full.most_submission_work);
    CHECK(masked.vendor_id == full.vendor_id);
}

} // namespace

TEST_CASE("a profile takes away and never grants") {
    for (const Profile &profile : profiles())
        for (const DeviceTraits &full : {rich(), DeviceTraits{}}) {
            CAPTURE(profile.name);
            DeviceTraits masked = full;
            profile.mask(masked);
            check_takes_only(full, masked);
            if (profile.name != "gpu") CHECK(masked.driver == full.driver); // by which sizes go
        }
}

TEST_CASE("the floor is Vulkan 1.1 without any optional feature") {
    DeviceTraits traits = rich();
    find_profile("floor")->mask(traits);
    const DeviceTraits least;
    CHECK(traits.max_workgroup_invocations == 128);
    CHECK(traits.max_shared_memory_bytes == 16384);
    CHECK(traits.max_push_constant_bytes == 128);
    CHECK(traits.max_storage_buffers == 4);
    CHECK(traits.max_storage_buffer_range == 128ULL << 20);
    CHECK(traits.max_allocation_bytes == least.max_allocation_bytes);
    CHECK(traits.max_workgroup_count_x == 65535);
    CHECK(traits.storage_offset_alignment == 256);
    CHECK_FALSE(traits.subgroup_arithmetic);
    CHECK_FALSE(traits.storage16);
    CHECK(traits.matrix_shapes.empty());
    CHECK_FALSE(traits.unified_memory);
    CHECK_FALSE(traits.timeline_semaphore);
    CHECK(traits.timestamp_valid_bits == 0);
    CHECK(traits.subgroup_basic); // Vulkan 1.1 demands it of compute
}

TEST_CASE("profiles of drivers have the workarounds for these") {
    const auto masked = [](const char *profile) {
        DeviceTraits traits = rich();
        find_profile(profile)->mask(traits);
        return traits;
    };
    CHECK_FALSE(masked("adreno").subgroup_arithmetic);
    CHECK_FALSE(masked("adreno").subgroup_clustered);
    CHECK(masked("adreno").most_submission_work == 1ULL << 32);
    CHECK(masked("mali").subgroup_arithmetic);
    CHECK(masked("mali").most_submission_work == 1ULL << 32);
    CHECK_FALSE(masked("intel").integer_dot_mixed_accelerated);
    CHECK(masked("intel").matrix_shapes.empty()); // subgroups of 8: before Xe2
    CHECK(masked("intel").most_submission_work == rich().most_submission_work);
}

TEST_CASE("a captured profile marks what is slow or denied on its device") {
    DeviceTraits traits = rich();
    traits.denied = {"head.f16_subgroup", "wide_wkv7.subgroup"};
    mask_to(traits, find_captured_device("mali-g310")->info.traits);
    std::ranges::sort(traits.denied);
    CHECK(traits.denied == std::vector<std::string>{"head.f16_subgroup", "wide_wkv6.subgroup", "wide_wkv7.subgroup"});
    CHECK_FALSE(traits.lane_loads_slow);
    mask_to(traits, find_captured_device("sid-lavapipe-256")->info.traits);
    CHECK(traits.lane_loads_slow);
    CHECK(traits.denied.size() == 3);
}

TEST_CASE("profiles are found by name") {
    for (const Profile &profile : profiles()) {
        CHECK(find_profile(profile.name) == &profile);
        CHECK_FALSE(profile.description.empty());
    }
    CHECK(find_profile("Native") == nullptr);
    CHECK(find_profile("") == nullptr);
}

TEST_CASE("captured devices: one of each name, and what was read can be") {
    CHECK(captured_devices().size() >= 50);
    std::set<std::string_view> names;
    for (const CapturedDevice &device : captured_devices()) {
        CAPTURE(device.profile);
        const DeviceTraits &traits = device.info.traits;
        CHECK(names.insert(device.profile).second);
        CHECK(find_captured_device(device.profile) == &device);
        CHECK(find_profile(device.profile) != nullptr);
        CHECK_FALSE(device.info.name.empty());
        CHECK_FALSE(traits.driver.empty());
        CHECK(traits.subgroup_size_min <= traits.subgroup_size_max);
        CHECK(traits.subgroup_basic); // Vulkan 1.1 demands it of compute
        CHECK(traits.max_workgroup_invocations >= 128);
        CHECK(traits.max_shared_memory_bytes >= 16384);
        CHECK(traits.max_storage_buffers >= 4);
        CHECK(traits.max_storage_buffer_range >= 1ULL << 27);
        CHECK(traits.storage_offset_alignment <= 256);
        CHECK(lacking(traits, traits).empty());
        // Workarounds were applied when it was read.
        DeviceInfo again = device.info;
        apply_workarounds(again);
        CHECK(lacking(again.traits, traits).empty());
        CHECK(again.traits.most_submission_work == traits.most_submission_work);
    }
}

TEST_CASE("what a captured device has and this one lacks is said") {
    DeviceTraits here; // no subgroups, no small types
    const DeviceTraits &radeon = find_captured_device("radv-navi31")->info.traits;
    const std::string text = lacking(here, radeon);
    for (const char *part : {"subgroups of 32 to 64 (here 1)", "16-bit storage", "cooperative matrices 16x16x16",
                             "65536 bytes of shared memory (here 16384)"})
        CHECK_MESSAGE(text.find(part) != text.npos, text);
    CHECK(lacking(radeon, here).empty());
}

TEST_CASE("workarounds take away, each from its own driver, and say why") {
    for (const Workaround &workaround : workarounds()) {
        CHECK_FALSE(workaround.symptom.empty());
        CHECK_FALSE(workaround.source.empty());
        DeviceTraits traits = rich();
        workaround.apply(traits);
        check_takes_only(rich(), traits);
    }
    DeviceInfo device;
    device.traits = rich();
    device.traits.driver = "qualcomm";
    apply_workarounds(device);
    CHECK_FALSE(device.traits.subgroup_arithmetic);
    CHECK(device.traits.most_submission_work <= 1ULL << 32);
    device.traits = rich();
    device.traits.driver = "turnip";
    apply_workarounds(device);
    CHECK(device.traits.subgroup_arithmetic);
    CHECK(device.traits.most_submission_work <= 1ULL << 32);
    device.traits = rich();
    device.traits.driver = "panvk";
    apply_workarounds(device);
    CHECK(device.traits.denied.size() == 2);
    CHECK(find_captured_device("mali-g610")->info.traits.denied == device.traits.denied);
    CHECK(find_captured_device("v3d-71")->info.traits.denied.empty());
    device.traits = rich();
    device.traits.driver = "radv";
    apply_workarounds(device);
    CHECK(device.traits.most_submission_work == rich().most_submission_work);
}

TEST_CASE("cooperative matrices: who claims them falsely, and who has them slowly") {
    DeviceInfo device;
    const auto left = [&](std::string_view driver, std::uint32_t vendor, std::uint32_t narrowest, bool mixed) {
        device.traits = rich();
        device.traits.driver = driver;
        device.traits.vendor_id = vendor;
        device.traits.subgroup_size_min = narrowest;
        device.traits.integer_dot_mixed_accelerated = mixed;
        apply_workarounds(device);
        return device.traits;
    };
    device.type = DeviceType::discrete;
    CHECK(left("amd", 0x1002, 32, false).matrix_shapes.empty()); // RDNA 1 and 2
    CHECK_FALSE(left("amd", 0x1002, 32, true).matrix_shapes.empty());
    CHECK_FALSE(left("radv", 0x1002, 32, false).matrix_shapes.empty()); // lists none where there are none
    CHECK(left("anv", 0x8086, 8, true).matrix_shapes.empty());          // Arc A770
    CHECK_FALSE(left("anv", 0x8086, 16, true).matrix_shapes.empty());
    CHECK_FALSE(left("anv", 0x8086, 16, true).matrices_slow);
    device.type = DeviceType::software;
    const DeviceTraits software = left("llvmpipe", 0x10005, 8, false);
    CHECK_FALSE(software.matrix_shapes.empty());
    CHECK(software.matrices_slow);
    CHECK_FALSE(software.lane_loads_slow);
    device.driver_version = VK_MAKE_API_VERSION(0, 26, 2, 6);
    CHECK(left("llvmpipe", 0x10005, 8, false).lane_loads_slow);
    CHECK_FALSE(left("radv", 0x1002, 32, false).lane_loads_slow);
    DeviceTraits asked = software;
    find_profile("matrices")->mask(asked);
    CHECK_FALSE(asked.matrices_slow);
    CHECK(asked.matrix_shapes == software.matrix_shapes);
}

TEST_CASE("a summary names what there is") {
    CHECK(summary(rich()).starts_with("subgroups 8-64 (arithmetic, shuffle, clustered, size control), 16-bit storage"));
    CHECK(summary(DeviceTraits{}).starts_with("subgroups 1 (no operations), 128 invocations, 16 KiB shared"));
}
