// The machine the program runs on.
#pragma once

#include <cstdint>
#include <string>

namespace program {

std::string host_os();           // "Linux 6.1.0 x86_64"; "" if not known
std::string host_cpu();          // the processor's own name and how many cores; "" if not known
std::uint64_t peak_host_bytes(); // of this process so far; 0 if not known

} // namespace program
