#include "demo_model.h"

extern "C" {
extern const std::byte firefinch_demo_model[];
extern const std::byte firefinch_demo_model_end[];
}

namespace program {

std::span<const std::byte> demo_model() {
    return {firefinch_demo_model, static_cast<std::size_t>(firefinch_demo_model_end - firefinch_demo_model)};
}

} // namespace program
