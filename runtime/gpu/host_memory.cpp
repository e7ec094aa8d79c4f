#include "runtime/gpu/host_memory.h"

#include <fstream>
#include <string>

namespace ff::gpu {

std::uint64_t available_host_bytes() {
    std::ifstream file("/proc/meminfo"); // absent on other systems, which then say nothing
    for (std::string name, unit; file >> name;) {
        std::uint64_t kibibytes = 0;
        if (!(file >> kibibytes)) break;
        if (name == "MemAvailable:") return kibibytes * 1024;
        std::getline(file, unit);
    }
    return 0;
}

} // namespace ff::gpu
