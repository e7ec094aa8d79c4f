#include "runtime/model/architecture.h"

#include <fmt/format.h>

namespace ff::model {

bool is_runnable(loader::Version version) {
    return version == loader::Version::v4_0 || version == loader::Version::v7_0;
}

Result<std::unique_ptr<Architecture>> make_architecture(const loader::ModelDescription &description) {
    if (description.attention_width != description.width)
        return Error{
            Status::unsupported,
            fmt::format("att.key has {} rows and the model is {} wide: time mixing of another width is not supported",
                        description.attention_width, description.width)};
    switch (description.version) {
    case loader::Version::v4_0:
        return make_rwkv4(description);
    case loader::Version::v7_0:
        return make_rwkv7(description);
    default:
        break;
    }
    return Error{Status::unsupported,
                 fmt::format("this is RWKV version {}: this build of firefinch runs versions 4.0 and 7.0",
                             loader::label_of(description.version))};
}

} // namespace ff::model
