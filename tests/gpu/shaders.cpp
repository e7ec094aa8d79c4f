#include "tests/gpu/shaders.h"

namespace ff::gpu::testing {
namespace {

constexpr std::uint32_t kAdd[] = {
#include "add.spv.inc"
};
constexpr std::uint32_t kScale[] = {
#include "scale.spv.inc"
};

} // namespace

std::span<const std::uint32_t> add_shader() {
    return kAdd;
}
std::span<const std::uint32_t> scale_shader() {
    return kScale;
}

} // namespace ff::gpu::testing
