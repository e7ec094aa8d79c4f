#include "loader/presets.h"

#include "loader/text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ff::loader {

namespace {

constexpr std::uint32_t kHeadSize = 64, kPile = 50277, kWorld = 65536;

constexpr Preset kPresets[] = {
    {"4-169m", Version::v4_0, 12, 768, kPile},         {"4-430m", Version::v4_0, 24, 1024, kPile},
    {"4-1.5b", Version::v4_0, 24, 2048, kPile},        {"4-3b", Version::v4_0, 32, 2560, kPile},
    {"4-7b", Version::v4_0, 32, 4096, kPile},          {"4-14b", Version::v4_0, 40, 5120, kPile},
    {"4-world-0.1b", Version::v4_0, 12, 768, kWorld},  {"4-world-0.4b", Version::v4_0, 24, 1024, kWorld},
    {"4-world-1.5b", Version::v4_0, 24, 2048, kWorld}, {"5-0.1b", Version::v5_0, 12, 768, kWorld},
    {"5-0.4b", Version::v5_2, 24, 1024, kWorld},       {"5-1.5b", Version::v5_2, 24, 2048, kWorld},
    {"5-3b", Version::v5_2, 32, 2560, kWorld},         {"5-7b", Version::v5_2, 32, 4096, kWorld},
    {"6-1.6b", Version::v6_0, 24, 2048, kWorld},       {"6-3b", Version::v6_0, 32, 2560, kWorld},
    {"6-7b", Version::v6_0, 32, 4096, kWorld},         {"6-14b", Version::v6_0, 61, 4096, kWorld},
    {"7-0.1b", Version::v7_0, 12, 768, kWorld},        {"7-0.4b", Version::v7_0, 24, 1024, kWorld},
    {"7-1.5b", Version::v7_0, 24, 2048, kWorld},       {"7-2.9b", Version::v7_0, 32, 2560, kWorld},
    {"7-7.2b", Version::v7_0, 32, 4096, kWorld},       {"7-13.3b", Version::v7_0, 61, 4096, kWorld},
};

// RWKV-LM chooses its low-rank sizes as multiples of 32 near a power of the width.
std::uint32_t near_32(double size) {
    return std::max(32U, static_cast<std::uint32_t>(std::lround(size / 32)) * 32);
}

} // namespace

std::span<const Preset> presets() {
    return kPresets;
}

Result<Preset> preset_named(std::string_view name) {
    const auto found = std::ranges::find(kPresets, name, &Preset::name);
    if (found != std::ranges::end(kPresets)) return *found;
    std::vector<std::string_view> names;
    for (const Preset &preset : kPresets) names.push_back(preset.name);
    return Error{Status::argument, fmt::format("there is no model shape {}; the official ones are {}", printable(name),
                                               fmt::join(names, ", "))};
}

ModelDescription shape_of(const Preset &preset) {
    const std::uint32_t width = preset.width;
    const double root = std::sqrt(static_cast<double>(width));
    ModelDescription shape;
    shape.version = preset.version;
    shape.layers = preset.layers;
    shape.width = shape.attention_width = width;
    shape.vocabulary = preset.vocabulary;
    shape.ffn_width = 4 * width;
    shape.gate = true;
    if (preset.version != Version::v4_0) {
        shape.heads = width / kHeadSize;
        shape.head_size = kHeadSize;
    }
    switch (preset.version) {
    case Version::v4_0:
        shape.gate = false;
        break;
    case Version::v5_0:
    case Version::v5_1: // none was published
        shape.gate = preset.version != Version::v5_0;
        shape.exponential_bonus = true;
        break;
    case Version::v6_0:
        shape.rank_mix = width >= 4096 ? 64 : 32;
        shape.rank_w = width >= 4096 ? 128 : 64;
        [[fallthrough]];
    case Version::v5_2:
        shape.ffn_width = width * 7 / 2 / 32 * 32;
        break;
    case Version::v7_0:
    case Version::v7a:
        shape.rank_w = shape.rank_a = near_32(1.8 * root);
        shape.rank_v = near_32(1.3 * root);
        // The published 0.4b has 128; the formula came later and says 160.
        shape.rank_g = width == 1024 ? 128 : near_32(0.6 * std::pow(static_cast<double>(width), 0.8));
        break;
    }
    return shape;
}

} // namespace ff::loader
