// A file as read-only memory. The system pages it in as it is read and may drop the pages again, so a mapped model
// costs no anonymous memory of ours.
#pragma once

#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ff::loader {

class FileMap {
  public:
    // Fails with io if the file is missing, unreadable, not a regular file, or empty; the message has the path and the
    // system's reason.
    static Result<FileMap> open(const std::string &path);

    FileMap(FileMap &&other) noexcept
        : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    FileMap &operator=(FileMap &&other) noexcept {
        std::swap(address_, other.address_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~FileMap();

    // Valid while the object lives, and while nobody shortens the file: reading a page that the file no longer has
    // raises SIGBUS on POSIX systems, as with every memory-mapped file.
    std::span<const std::byte> bytes() const { return {static_cast<const std::byte *>(address_), size_}; }
    std::string_view text() const { return {static_cast<const char *>(address_), size_}; }

  private:
    FileMap(void *address, std::size_t size) : address_(address), size_(size) {}

    void *address_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace ff::loader
