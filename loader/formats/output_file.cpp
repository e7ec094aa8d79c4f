#include "loader/formats/output_file.h"

#include "loader/text.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>

namespace ff::loader {

Result<OutputFile> OutputFile::create(const std::string &path) {
    std::string partial = path + ".partial";
    std::FILE *const file = std::fopen(partial.c_str(), "wb");
    if (file == nullptr) {
        const int error = errno;
        return Error{Status::io, fmt::format("{}: cannot create the file: {}", printable(path),
                                             std::generic_category().message(error))};
    }
    return OutputFile(path, std::move(partial), file);
}

OutputFile::~OutputFile() {
    if (!file_) return;
    file_.reset();
    std::remove(partial_.c_str());
}

Error OutputFile::failed(const char *what) const {
    const int error = errno;
    return Error{Status::io, fmt::format("{}: cannot {} at byte {}: {}; is the disk full?", printable(path_), what,
                                         position_, std::generic_category().message(error))};
}

Result<void> OutputFile::write(std::span<const std::byte> bytes) {
    if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
        return failed("write");
    position_ += bytes.size();
    return {};
}

Result<void> OutputFile::pad_to(std::uint64_t alignment) {
    static constexpr std::array<std::byte, 64> kZeros{};
    while (position_ % alignment != 0) {
        const std::uint64_t missing = alignment - position_ % alignment;
        const std::size_t some = missing < kZeros.size() ? static_cast<std::size_t>(missing) : kZeros.size();
        FF_TRY(write(std::span(kZeros).first(some)));
    }
    return {};
}

Result<void> OutputFile::commit() {
    if (std::fflush(file_.get()) != 0) return failed("write");
    std::FILE *const file = file_.release();
    std::error_code moved; // std::rename replaces no file on Windows
    const bool closed = std::fclose(file) == 0;
    if (closed) std::filesystem::rename(partial_, path_, moved);
    if (closed && !moved) return {};
    if (moved) errno = moved.value();
    const Error error = failed("finish the file");
    std::remove(partial_.c_str());
    return error;
}

} // namespace ff::loader
