// A copy of the shaders with errors in it, for FIREFINCH_SHADER_DIR.
#pragma once

#include "process.h"

#include <cstdint>
#include <string>
#include <vector>

namespace test {

// Every variant that can be compiled at run time (those of cooperative matrices cannot everywhere), "head.f16_subgroup", with
// its definitions, as shaders/variants.def has them.
struct ShaderVariant {
    std::string kernel, name;
    std::vector<std::string> definitions;
    std::string full_name() const { return kernel + "." + name; }
};
std::vector<ShaderVariant> shader_variants();

// Puts the shaders into `folder`, of which these variants, and no others, compute something else; returns their folder.
std::string plant(const Folder &folder, const std::vector<std::string> &variants);

} // namespace test
