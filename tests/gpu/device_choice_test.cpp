#include "runtime/gpu/device_choice.h"
#include "runtime/gpu/device_query.h"

#include <doctest/doctest.h>

using namespace ff;
using namespace ff::gpu;

namespace {

DeviceInfo device(std::string name, DeviceType type, std::uint64_t gigabytes, std::string driver, char uuid_digit) {
    DeviceInfo out;
    out.name = std::move(name);
    out.type = type;
    out.memory_bytes = gigabytes << 30;
    out.traits.driver = std::move(driver);
    out.uuid = std::string(32, uuid_digit);
    return out;
}

std::vector<std::string> names(const std::vector<DeviceInfo> &devices) {
    std::vector<std::string> out;
    for (const DeviceInfo &each : devices) out.push_back(each.name + "/" + each.traits.driver);
    return out;
}
using Names = std::vector<std::string>;

VkQueueFamilyProperties family(VkQueueFlags flags, std::uint32_t timestamp_bits) {
    VkQueueFamilyProperties out{};
    out.queueFlags = flags;
    out.queueCount = 1;
    out.timestampValidBits = timestamp_bits;
    return out;
}

} // namespace

TEST_CASE("devices come by type, then by memory; software last") {
    const auto arranged = arrange_devices(
        {device("cpu", DeviceType::software, 64, "llvmpipe", 'a'), device("phone", DeviceType::other, 4, "arm", 'b'),
         device("apu", DeviceType::integrated, 16, "radv", 'c'), device("small", DeviceType::discrete, 8, "radv", 'd'),
         device("guest", DeviceType::virtual_gpu, 32, "venus", 'e'),
         device("large", DeviceType::discrete, 24, "nvidia", 'f')});
    CHECK(names(arranged) ==
          Names{"large/nvidia", "small/radv", "apu/radv", "guest/venus", "phone/arm", "cpu/llvmpipe"});
}

TEST_CASE("of two drivers of one GPU the preferred one is kept, whatever came first") {
    const std::pair<const char *, const char *> better_and_worse[] = {
        {"radv", "amdvlk"}, {"amdvlk", "amd"},      {"radv", "amd"},      {"anv", "intel-windows"},
        {"nvidia", "nvk"},  {"qualcomm", "turnip"}, {"nvidia", "dozen"},  {"intel-windows", "dozen"},
        {"arm", "dozen"},   {"nvk", "dozen"},       {"unknown", "dozen"},
    };
    for (const auto &[better, worse] : better_and_worse) {
        CAPTURE(better);
        CAPTURE(worse);
        const DeviceInfo a = device("gpu", DeviceType::discrete, 8, better, '1');
        const DeviceInfo b = device("gpu", DeviceType::discrete, 8, worse, '1');
        CHECK(names(arrange_devices({a, b})) == Names{std::string("gpu/") + better});
        CHECK(names(arrange_devices({b, a})) == Names{std::string("gpu/") + better});
    }
}

TEST_CASE("two cards are two entries, and a UUID of zeros says nothing") {
    CHECK(arrange_devices(
              {device("a", DeviceType::discrete, 8, "radv", '1'), device("a", DeviceType::discrete, 8, "radv", '2')})
              .size() == 2);
    CHECK(arrange_devices(
              {device("a", DeviceType::discrete, 8, "x", '0'), device("b", DeviceType::integrated, 8, "y", '0')})
              .size() == 2);
}

TEST_CASE("a GPU seen through Direct3D comes after one seen directly") {
    CHECK(names(arrange_devices({device("far", DeviceType::discrete, 24, "dozen", '1'),
                                 device("near", DeviceType::integrated, 8, "intel-windows", '2'),
                                 device("cpu", DeviceType::software, 8, "llvmpipe", '3')})) ==
          Names{"near/intel-windows", "far/dozen", "cpu/llvmpipe"});
}

TEST_CASE("a selector is an index, a UUID or a part of a name") {
    auto devices = arrange_devices({device("AMD Radeon RX 7900 XTX", DeviceType::discrete, 24, "radv", 'a'),
                                    device("Intel(R) Arc(tm) A380", DeviceType::discrete, 6, "anv", 'b'),
                                    device("llvmpipe (LLVM 15)", DeviceType::software, 32, "llvmpipe", 'c')});
    const auto chosen = [&](std::string_view selector) { return choose_device(devices, selector).value(); };
    CHECK(chosen("") == 0);
    CHECK(chosen("2") == 2);
    CHECK(chosen("arc") == 1);
    CHECK(chosen("7900") == 0); // no such index, but a part of a name
    CHECK(chosen("LLVM") == 2);
    CHECK(chosen(std::string(32, 'b')) == 1);
    CHECK(chosen("CCCCCCCC-CCCC-CCCC-CCCC-CCCCCCCCCCCC") == 2);

    const auto none = choose_device(devices, "GeForce");
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().status == Status::no_device);
    CHECK(none.error().message.find("GeForce") != std::string::npos);
    CHECK(none.error().message.find("1: Intel(R) Arc(tm) A380 (discrete, anv)") != std::string::npos);
    CHECK_FALSE(choose_device(devices, "3").ok());
    CHECK_FALSE(choose_device({}, "").ok());
}

TEST_CASE("without a selector a software driver is taken only where nothing else is") {
    const DeviceInfo cpu = device("llvmpipe", DeviceType::software, 512, "llvmpipe", 'a');
    const DeviceInfo gpu = device("tiny", DeviceType::other, 1, "unknown", 'b');
    auto both = arrange_devices({cpu, gpu});
    CHECK(both[choose_device(both, "").value()].name == "tiny");
    CHECK(both[choose_device(both, "llvmpipe").value()].name == "llvmpipe");
    auto alone = arrange_devices({cpu});
    CHECK(choose_device(alone, "").value() == 0);
}

TEST_CASE("an async compute family is taken if it has the timestamps") {
    constexpr VkQueueFlags kDraw = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT, kCompute = VK_QUEUE_COMPUTE_BIT,
                           kCopy = VK_QUEUE_TRANSFER_BIT;
    const auto chosen = [](std::initializer_list<VkQueueFamilyProperties> families, bool graphics = false) {
        const auto found = choose_compute_family({families.begin(), families.size()}, graphics);
        return found ? static_cast<int>(found->index) : -1;
    };
    CHECK(chosen({family(kDraw, 64)}) == 0);
    CHECK(chosen({family(kDraw, 64), family(kCompute, 64)}) == 1);
    CHECK(chosen({family(kDraw, 64), family(kCompute, 64)}, true) == 0);
    CHECK(chosen({family(kDraw, 36), family(kCompute, 0)}) == 0);
    CHECK(chosen({family(kDraw, 0), family(kCompute, 0)}) == 1);
    CHECK(chosen({family(kCopy, 64), family(kCompute, 0)}) == 1);
    CHECK(chosen({family(VK_QUEUE_GRAPHICS_BIT, 64), family(kCopy, 64)}) == -1);
    CHECK(chosen({}) == -1);
}
