// FileMap for POSIX systems; the only file of the loader that talks to the operating system.
#include "loader/file_map.h"

#include "loader/text.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ff::loader {

namespace {

std::string reason(int error) {
    return std::generic_category().message(error);
} // strerror, but safe across threads

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

} // namespace

Result<FileMap> FileMap::open(const std::string &path) {
    const std::string name = printable(path);
    if (path.empty()) return Error{Status::io, "no file: the name given is empty"};
    if (path.find('\0') != std::string::npos)
        return Error{Status::io, fmt::format("{}: a file name cannot contain a zero byte", name)};
    // O_NONBLOCK: a named pipe must be refused below, not waited for.
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.fd < 0) {
        const int error = errno;
        return Error{Status::io, fmt::format("{}: cannot open the file: {}", name, reason(error))};
    }
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) {
        const int error = errno;
        return Error{Status::io, fmt::format("{}: cannot read the size of the file: {}", name, reason(error))};
    }
    if (S_ISDIR(info.st_mode)) return Error{Status::io, fmt::format("{}: this is a directory, expected a file", name)};
    if (!S_ISREG(info.st_mode))
        return Error{Status::io, fmt::format("{}: this is a device, pipe or socket, expected a regular file", name)};
    if (info.st_size <= 0)
        return Error{Status::io, fmt::format("{}: the file is empty (0 bytes); was the download cut short?", name)};
    if (static_cast<std::uintmax_t>(info.st_size) > SIZE_MAX)
        return Error{Status::io, fmt::format("{}: the file has {} bytes, more than this system can map", name,
                                             static_cast<std::intmax_t>(info.st_size))};
    const auto size = static_cast<std::size_t>(info.st_size);
    void *address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (address == MAP_FAILED) {
        const int error = errno;
        return Error{Status::io, fmt::format("{}: cannot map {} bytes: {}", name, size, reason(error))};
    }
    // Tensors are read once and nearly in file order; more read-ahead is what a cold start wants. Only advice, so a
    // failure changes nothing.
    (void)::madvise(address, size, MADV_SEQUENTIAL);
    return FileMap(address, size);
}

FileMap::~FileMap() {
    if (address_ != nullptr) ::munmap(address_, size_);
}

} // namespace ff::loader
