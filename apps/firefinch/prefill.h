// A prompt is read into a session, with a bar for a long one.
#pragma once

#include "terminal.h"

#include <cstdint>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

// Returns the seconds it took. Throws Interrupted on Ctrl-C, when a part may have been read.
double prefill(firefinch::Session &session, const std::vector<std::uint32_t> &ids, Terminal &terminal);

} // namespace program
