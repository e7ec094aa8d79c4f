#include "runtime/model/architecture.h"

#include <fmt/format.h>

namespace ff::model {

Result<std::unique_ptr<Architecture>> make_architecture(const loader::ModelDescription &description) {
    if (description.attention_width != description.width)
        return Error{
            Status::unsupported,
            fmt::format("att.key has {} rows and the model is {} wide: time mixing of another width is not supported",
                        description.attention_width, description.width)};
    switch (description.version) {
    case loader::Version::v4_0:
        return make_rwkv4(description);
    case loader::Version::v5_0:
    case loader::Version::v5_1:
    case loader::Version::v5_2:
        return make_rwkv5(description);
    case loader::Version::v6_0:
        return make_rwkv6(description);
    case loader::Version::v7_0:
    case loader::Version::v7a:
        return make_rwkv7(description);
    }
    return Error{Status::internal, "a version without a plan"};
}

} // namespace ff::model
