#include "system.h"

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace program {
namespace {

std::string variable(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

} // namespace

bool is_terminal(Stream stream) {
    return isatty(static_cast<int>(stream)) != 0;
}

void prepare_streams() {}

void install_interrupt_handler(void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND); // without SA_RESTART: a read from a terminal ends as well
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    sigaction(SIGPIPE, &action, nullptr);
}

int open_to_read(const std::string &path) {
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

int open_to_write(const std::string &path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

std::ptrdiff_t read_some(int descriptor, char *bytes, std::size_t size) {
    return ::read(descriptor, bytes, size);
}

std::ptrdiff_t write_some(int descriptor, const char *bytes, std::size_t size) {
    return ::write(descriptor, bytes, size);
}

int close_descriptor(int descriptor) {
    return ::close(descriptor);
}

bool is_special_file(const std::string &path) {
    struct stat found = {};
    return ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
}

std::uint64_t process_id() {
    return static_cast<std::uint64_t>(::getpid());
}

std::string user_cache_directory() {
    const std::string cache = variable("XDG_CACHE_HOME"); // relative ones are invalid: XDG base directory specification
    if (!cache.empty() && cache.front() == '/') return cache;
    const std::string home = variable("HOME");
    return home.empty() ? std::string() : home + "/.cache";
}

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

double thread_seconds() {
    timespec time{};
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

} // namespace program
