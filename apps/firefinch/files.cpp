#include "files.h"

#include "failure.h"
#include "terminal.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace program {
namespace {

std::string read_descriptor(int descriptor, const std::string &name, std::size_t most_bytes = std::string::npos) {
    std::string all;
    char piece[1 << 16];
    for (;;) {
        const ssize_t got = ::read(descriptor, piece, sizeof piece);
        if (interrupted()) throw Interrupted();
        if (got > 0) {
            all.append(piece, static_cast<std::size_t>(got));
            if (all.size() > most_bytes)
                throw Failure(
                    fmt::format("{}: has more than {} bytes, which is no file of this kind", name, most_bytes));
        } else if (got == 0) {
            return all;
        } else if (errno != EINTR) {
            throw Failure(fmt::format("{}: cannot be read: {}", name, std::strerror(errno)));
        }
    }
}

// Returns 0 or errno.
int write_all(int descriptor, const char *bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t done = ::write(descriptor, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        bytes += done;
        size -= static_cast<std::size_t>(done);
    }
    return 0;
}

} // namespace

std::string read_standard_input() {
    return read_descriptor(STDIN_FILENO, "standard input");
}

std::string read_file(const std::string &path, std::size_t most_bytes) {
    if (path == "-") return read_descriptor(STDIN_FILENO, "standard input", most_bytes);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw Failure(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
    try {
        std::string all = read_descriptor(descriptor, path, most_bytes);
        ::close(descriptor);
        return all;
    } catch (...) {
        ::close(descriptor);
        throw;
    }
}

bool Output::write(std::string_view bytes) {
    if (closed_) return false;
    const int error = write_all(STDOUT_FILENO, bytes.data(), bytes.size());
    if (error == EPIPE)
        closed_ = true;
    else if (error != 0)
        throw Failure(fmt::format("standard output: cannot be written: {}", std::strerror(error)));
    return !closed_;
}

bool Output::is_terminal() const {
    return isatty(STDOUT_FILENO) != 0;
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)), written_path_(path_) {
    struct stat found = {};
    const bool direct = ::stat(path_.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
    if (!direct) written_path_ += fmt::format(".{}.part", ::getpid());
    descriptor_ = ::open(written_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw Failure(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_ && written_path_ != path_) ::unlink(written_path_.c_str());
}

void OutputFile::fail(int error) const {
    throw Failure(fmt::format("{}: cannot be written: {}", path_, std::strerror(error)));
}

void OutputFile::write(const void *bytes, std::size_t size) {
    if (const int error = write_all(descriptor_, static_cast<const char *>(bytes), size); error != 0) fail(error);
}

void OutputFile::commit() {
    const int closed = ::close(std::exchange(descriptor_, -1));
    if (closed != 0) fail(errno);
    if (written_path_ != path_ && std::rename(written_path_.c_str(), path_.c_str()) != 0) fail(errno);
    committed_ = true;
}

} // namespace program
