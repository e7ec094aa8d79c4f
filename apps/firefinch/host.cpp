#include "host.h"

#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>

namespace program {

std::string host_os() {
    utsname names{};
    if (uname(&names) != 0) return {};
    return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

std::string host_cpu() {
    std::ifstream file("/proc/cpuinfo"); // Linux; the name is missing on some Arm processors
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("model name", 0) != 0) continue;
        const std::size_t colon = line.find(": ");
        if (colon == line.npos) break;
        return fmt::format("{}, {} cores", line.substr(colon + 2), std::thread::hardware_concurrency());
    }
    return {};
}

std::uint64_t peak_host_bytes() {
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#ifdef __APPLE__
    return static_cast<std::uint64_t>(usage.ru_maxrss);
#else
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

} // namespace program
