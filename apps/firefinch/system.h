// What the program asks of the operating system itself: system_posix.cpp and system_windows.cpp answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace program {

enum class Stream : int { input = 0, output = 1, error = 2 }; // the descriptors' own numbers

bool is_terminal(Stream stream);
// Once, at the start: bytes as they are, and UTF-8 on a console.
void prepare_streams();
// The first Ctrl-C calls the handler, the second ends the program; writing to a closed pipe is an error, not a signal.
void install_interrupt_handler(void (*handler)(int));

// As POSIX has them: -1 and errno on failure.
int open_to_read(const std::string &path);
int open_to_write(const std::string &path); // created, or emptied
std::ptrdiff_t read_some(int descriptor, char *bytes, std::size_t size);
std::ptrdiff_t write_some(int descriptor, const char *bytes, std::size_t size);
int close_descriptor(int descriptor);

// There is something at this path, and it is a device, a pipe or a folder.
bool is_special_file(const std::string &path);
std::uint64_t process_id();
// Where caches of this user belong; "" if that is not known.
std::string user_cache_directory();

std::string host_os();           // "Linux 6.1.0 x86_64"; "" if not known
std::string host_cpu();          // the processor's own name and how many cores; "" if not known
std::uint64_t peak_host_bytes(); // of this process so far; 0 if not known
double thread_seconds();         // processor time of the calling thread so far; 0 if not known

} // namespace program
