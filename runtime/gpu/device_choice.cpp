#include "runtime/gpu/device_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ff::gpu {
namespace {

// Of several drivers for one GPU the first named is kept. The order is ggml-vulkan's, which its users arrived at.
int preference(std::string_view driver) {
    constexpr std::string_view kOrder[] = {"radv",   "amdvlk", "amd",      "anv",    "intel-windows",
                                           "nvidia", "nvk",    "qualcomm", "turnip", ""};
    if (driver == "dozen") return 100; // Vulkan on Direct3D 12: a layer above somebody else's driver
    int place = 0;
    for (const std::string_view name : kOrder) {
        if (name == driver) break;
        ++place;
    }
    return place;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
    return out;
}

std::string hexadecimal_only(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != '-') out.push_back(lower(c));
    return out;
}

bool says_something(std::string_view uuid) {
    return uuid.find_first_not_of('0') != std::string_view::npos;
}

std::string list_of(std::span<const DeviceInfo> devices) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < devices.size(); ++i)
        lines.push_back(
            fmt::format("{}: {} ({}, {})", i, devices[i].name, name_of(devices[i].type),
                        devices[i].driver_name.empty() ? devices[i].traits.driver : devices[i].driver_name));
    return fmt::format("{}", fmt::join(lines, "; "));
}

} // namespace

std::string_view name_of(DeviceType type) {
    switch (type) {
    case DeviceType::discrete:
        return "discrete";
    case DeviceType::integrated:
        return "integrated";
    case DeviceType::virtual_gpu:
        return "virtual";
    case DeviceType::software:
        return "software";
    case DeviceType::other:
        break;
    }
    return "other";
}

std::vector<DeviceInfo> arrange_devices(std::vector<DeviceInfo> devices) {
    // "other" is a GPU whose driver does not say more: before software, which is no GPU.
    const auto rank = [](const DeviceInfo &device) {
        switch (device.type) {
        case DeviceType::discrete:
            return 0;
        case DeviceType::integrated:
            return 1;
        case DeviceType::virtual_gpu:
            return 2;
        case DeviceType::other:
            return 3;
        case DeviceType::software:
            break;
        }
        return 4;
    };
    std::stable_sort(devices.begin(), devices.end(), [&](const DeviceInfo &a, const DeviceInfo &b) {
        // Dozen shows a real GPU once more, mostly under another UUID: it comes after every driver of the GPU's own.
        const bool a_last = a.traits.driver == "dozen" && a.type != DeviceType::software;
        const bool b_last = b.traits.driver == "dozen" && b.type != DeviceType::software;
        if ((rank(a) == 4) != (rank(b) == 4)) return rank(b) == 4;
        if (a_last != b_last) return b_last;
        if (rank(a) != rank(b)) return rank(a) < rank(b);
        return a.memory_bytes > b.memory_bytes;
    });

    std::vector<DeviceInfo> kept;
    for (DeviceInfo &device : devices) {
        const auto same = std::find_if(kept.begin(), kept.end(), [&](const DeviceInfo &other) {
            return says_something(device.uuid) && other.uuid == device.uuid;
        });
        if (same == kept.end())
            kept.push_back(std::move(device));
        else if (preference(device.traits.driver) < preference(same->traits.driver))
            *same = std::move(device);
    }
    return kept;
}

Result<std::size_t> choose_device(std::span<const DeviceInfo> devices, std::string_view selector) {
    if (devices.empty())
        return Error{Status::no_device, "no Vulkan 1.1 device found: is a Vulkan driver installed for this GPU?"};
    if (selector.empty()) return std::size_t{0}; // arranged best first, software drivers last

    const auto no_match = [&] {
        return Error{Status::no_device, fmt::format("no Vulkan device matches \"{}\" (an index, a part of a name, or a "
                                                    "UUID); there is {}",
                                                    selector, list_of(devices))};
    };
    std::size_t index = 0;
    const auto [end, code] = std::from_chars(selector.data(), selector.data() + selector.size(), index);
    if (code == std::errc{} && end == selector.data() + selector.size()) {
        if (index < devices.size()) return index;
        if (selector.size() <= 2) return no_match(); // "3" is a wrong index and not the A380; "7900" is a name
    }

    const std::string hex = hexadecimal_only(selector), text = lower(selector);
    for (std::size_t i = 0; i < devices.size(); ++i)
        if (hex.size() == 32 && devices[i].uuid == hex) return i;
    for (std::size_t i = 0; i < devices.size(); ++i)
        if (lower(devices[i].name).find(text) != std::string::npos) return i;
    return no_match();
}

} // namespace ff::gpu
