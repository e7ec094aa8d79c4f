// The launches of a recorded decode step, as a table and as JSON.
#pragma once

#include "text.h"

#include <string>

#include <firefinch/firefinch.hpp>

namespace program {

Json plan_json(const firefinch::Model &model); // the array "launches" of docs/cli.md
std::string plan_text(const firefinch::Model &model, const firefinch::Engine &engine);

} // namespace program
