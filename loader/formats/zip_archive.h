// A zip archive in memory: entries that are views where they are stored, and inflated copies where they are not.
#pragma once

#include "loader/formats/zip_directory.h"

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

struct zip;

namespace ff::loader {

class ZipArchive {
  public:
    // `bytes` must outlive the object. The directory is read twice, by read_zip_directory and by libzip, and refused
    // if they see different archives: an archive that two readers understand differently was made to deceive one.
    // Also refused is an archive whose deflated entries inflate to a hundred times its size.
    // Fails with model_file or unsupported.
    static Result<std::unique_ptr<ZipArchive>> open(std::string path, std::span<const std::byte> bytes);
    ~ZipArchive();

    const std::vector<ZipEntry> &entries() const { return entries_; }
    std::optional<std::size_t> find(const std::string &name) const;

    // The bytes of a stored entry, in place. Its CRC is not checked: that would read a whole checkpoint for nothing
    // but the check, and torch itself does not.
    std::optional<std::span<const std::byte>> view(std::size_t index) const;

    // A copy of any entry, inflated, CRC checked. Refuses an entry of more than `limit_bytes`, or one that claims to
    // inflate by more than deflate can, before allocating. Safe to call from several threads at once.
    Result<std::vector<std::byte>> read(std::size_t index, std::uint64_t limit_bytes) const;

  private:
    ZipArchive(std::string path, std::span<const std::byte> bytes) : path_(std::move(path)), bytes_(bytes) {}
    Result<void> check_inflation() const;
    Result<void> open_libzip();
    Result<void> compare_with_libzip() const;

    std::string path_;
    std::span<const std::byte> bytes_;
    std::vector<ZipEntry> entries_;
    std::unordered_map<std::string, std::size_t> index_;
    mutable std::mutex libzip_mutex_; // a zip_t serves one thread at a time
    zip *libzip_ = nullptr;
};

} // namespace ff::loader
