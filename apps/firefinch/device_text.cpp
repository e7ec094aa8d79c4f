#include "device_text.h"

#include <chrono>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace program {

const char *type_name(ff_device_type type) {
    switch (type) {
    case FF_DEVICE_DISCRETE:
        return "discrete";
    case FF_DEVICE_INTEGRATED:
        return "integrated";
    case FF_DEVICE_VIRTUAL:
        return "virtual";
    case FF_DEVICE_SOFTWARE:
        return "software";
    case FF_DEVICE_OTHER:
        break;
    }
    return "other";
}

Json traits_json(const firefinch::DeviceList &list, std::size_t index) {
    Json traits = Json::object();
    for (const auto &[name, value] : list.traits(index)) traits[name] = value;
    return traits;
}

Json denied_json(const std::vector<firefinch::Named> &denied) {
    Json all = Json::array();
    for (const firefinch::Named &variant : denied) all.push_back({{"variant", variant.name}, {"why", variant.text}});
    return all;
}

Json or_null(const std::string &text) {
    return text.empty() ? Json() : Json(text);
}

std::string vendor_name(std::uint32_t id) { // PCI's, and Khronos' own beyond 16 bits
    switch (id) {
    case 0x1002:
        return "AMD";
    case 0x1010:
        return "Imagination";
    case 0x106b:
        return "Apple";
    case 0x10de:
        return "NVIDIA";
    case 0x13b5:
        return "Arm";
    case 0x14e4:
        return "Broadcom";
    case 0x1ae0:
        return "Google";
    case 0x5143:
        return "Qualcomm";
    case 0x8086:
        return "Intel";
    case 0x10005:
        return "Mesa";
    default:
        return fmt::format("{:#x}", id);
    }
}

Json report_json(const char *schema) {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    return {{"schema", schema},
            {"firefinch", fmt::format("{} {}", ff_version(), ff_commit())},
            {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))}};
}

Json device_json(const ff_device_info &device, const std::string &profile, const Json &traits) {
    return {{"name", device.name},
            {"vendor", vendor_name(device.vendor_id)},
            {"driver", device.driver},
            {"driver_version", or_null(device.driver_info)},
            {"api_version", api_version(device.api_version)},
            {"type", type_name(device.type)},
            {"memory_bytes", device.memory_bytes},
            {"profile", profile},
            {"traits", traits}};
}

Json traits_of(const ff_device_info &device, const std::string &profile) {
    ff_device_list_options wanted = firefinch::device_list_options();
    wanted.profile = profile.c_str();
    const firefinch::DeviceList list(wanted);
    for (std::size_t i = 0; i < list.size(); ++i)
        if (std::string(list[i].uuid) == device.uuid && std::string(list[i].driver) == device.driver)
            return traits_json(list, i);
    return {};
}

} // namespace program
