#include "device_text.h"

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

} // namespace program
