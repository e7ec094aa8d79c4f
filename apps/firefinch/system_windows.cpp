// File names and arguments are UTF-8: the program's manifest (windows.rc) says so for this process.
#include "system.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <io.h>
#include <sys/stat.h>
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX // libstdc++ has it
#define NOMINMAX
#endif
#include <windows.h>

#include <psapi.h>

namespace program {
namespace {

// Text of the registry's local machine; "" if there is none.
std::string registry_text(const char *key, const char *name) {
    char text[256];
    DWORD size = sizeof text;
    if (RegGetValueA(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_SZ, nullptr, text, &size) != ERROR_SUCCESS) return {};
    const std::string_view found(text, size == 0 ? 0 : size - 1);
    const std::size_t last = found.find_last_not_of(' ');
    return std::string(found.substr(0, last == found.npos ? 0 : last + 1));
}

int count_of(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

} // namespace

bool is_terminal(Stream stream) {
    return _isatty(static_cast<int>(stream)) != 0;
}

void prepare_streams() {
    for (const int descriptor : {0, 1, 2}) _setmode(descriptor, _O_BINARY);
    SetConsoleOutputCP(CP_UTF8);
    SetConsoleCP(CP_UTF8);
    for (const DWORD stream : {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) { // the bar and colours are escape sequences
        const HANDLE handle = GetStdHandle(stream);
        DWORD mode = 0;
        if (GetConsoleMode(handle, &mode)) SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
}

// Windows takes a handler away when it is called, as SA_RESETHAND does, and has no signal for closed pipes.
void install_interrupt_handler(void (*handler)(int)) {
    std::signal(SIGINT, handler);
}

int open_to_read(const std::string &path) {
    return _open(path.c_str(), _O_RDONLY | _O_BINARY | _O_NOINHERIT);
}

int open_to_write(const std::string &path) {
    return _open(path.c_str(), _O_WRONLY | _O_CREAT | _O_TRUNC | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE);
}

std::ptrdiff_t read_some(int descriptor, char *bytes, std::size_t size) {
    return _read(descriptor, bytes, static_cast<unsigned>(count_of(size)));
}

std::ptrdiff_t write_some(int descriptor, const char *bytes, std::size_t size) {
    const int written = _write(descriptor, bytes, static_cast<unsigned>(count_of(size)));
    if (written < 0 && errno == EINVAL && GetLastError() == ERROR_NO_DATA) errno = EPIPE; // how a closed pipe is told
    return written;
}

int close_descriptor(int descriptor) {
    return _close(descriptor);
}

bool is_special_file(const std::string &path) {
    struct _stat64 found = {};
    return _stat64(path.c_str(), &found) == 0 && (found.st_mode & _S_IFMT) != _S_IFREG;
}

std::uint64_t process_id() {
    return GetCurrentProcessId();
}

std::string user_cache_directory() {
    const char *local = std::getenv("LOCALAPPDATA");
    return local == nullptr ? std::string() : std::string(local);
}

std::string host_os() {
    constexpr const char *kVersion = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    return fmt::format("Windows build {} x86_64", registry_text(kVersion, "CurrentBuildNumber"));
}

std::string host_cpu() {
    const std::string name = registry_text("HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0", "ProcessorNameString");
    return name.empty() ? name : fmt::format("{}, {} cores", name, std::thread::hardware_concurrency());
}

std::uint64_t peak_host_bytes() {
    PROCESS_MEMORY_COUNTERS counters{};
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) return 0;
    return counters.PeakWorkingSetSize;
}

double thread_seconds() {
    FILETIME created, exited, kernel, user;
    if (!GetThreadTimes(GetCurrentThread(), &created, &exited, &kernel, &user)) return 0;
    const auto ticks = [](const FILETIME &time) {
        return static_cast<double>(time.dwHighDateTime) * 4294967296.0 + static_cast<double>(time.dwLowDateTime);
    };
    return (ticks(kernel) + ticks(user)) * 1e-7; // of 100 nanoseconds
}

} // namespace program
