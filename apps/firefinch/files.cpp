#include "files.h"

#include "failure.h"
#include "system.h"
#include "terminal.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace program {
namespace {

std::string read_descriptor(int descriptor, const std::string &name, std::size_t most_bytes = std::string::npos) {
    std::string all;
    char piece[1 << 16];
    for (;;) {
        const std::ptrdiff_t got = read_some(descriptor, piece, sizeof piece);
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
        const std::ptrdiff_t done = write_some(descriptor, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        bytes += done;
        size -= static_cast<std::size_t>(done);
    }
    return 0;
}

} // namespace

std::string read_standard_input() {
    return read_descriptor(static_cast<int>(Stream::input), "standard input");
}

std::string read_file(const std::string &path, std::size_t most_bytes) {
    if (path == "-") return read_descriptor(static_cast<int>(Stream::input), "standard input", most_bytes);
    const int descriptor = open_to_read(path);
    if (descriptor < 0) throw Failure(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
    try {
        std::string all = read_descriptor(descriptor, path, most_bytes);
        close_descriptor(descriptor);
        return all;
    } catch (...) {
        close_descriptor(descriptor);
        throw;
    }
}

bool Output::write(std::string_view bytes) {
    if (closed_) return false;
    const int error = write_all(static_cast<int>(Stream::output), bytes.data(), bytes.size());
    if (error == EPIPE)
        closed_ = true;
    else if (error != 0)
        throw Failure(fmt::format("standard output: cannot be written: {}", std::strerror(error)));
    return !closed_;
}

bool Output::is_terminal() const {
    return program::is_terminal(Stream::output);
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)), written_path_(path_) {
    if (!is_special_file(path_)) written_path_ += fmt::format(".{}.part", process_id());
    descriptor_ = open_to_write(written_path_);
    if (descriptor_ < 0) throw Failure(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) close_descriptor(descriptor_);
    if (!committed_ && written_path_ != path_) std::remove(written_path_.c_str());
}

void OutputFile::fail(int error) const {
    throw Failure(fmt::format("{}: cannot be written: {}", path_, std::strerror(error)));
}

void OutputFile::write(const void *bytes, std::size_t size) {
    if (const int error = write_all(descriptor_, static_cast<const char *>(bytes), size); error != 0) fail(error);
}

void OutputFile::commit() {
    const int closed = close_descriptor(std::exchange(descriptor_, -1));
    if (closed != 0) fail(errno);
    if (written_path_ != path_) {
        std::error_code error;
        std::filesystem::rename(written_path_, path_, error); // std::rename replaces no file on Windows
        if (error) fail(error.value());
    }
    committed_ = true;
}

} // namespace program
