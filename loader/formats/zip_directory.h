// Where the entries of a zip archive lie. libzip lists and inflates, but does not tell at which byte of the file a
// stored entry begins, and that is what lets a checkpoint be used in place. Format: PKWARE's APPNOTE.TXT 6.3, with the
// zip64 extension, which every checkpoint above 4 GB needs and torch always writes.
#pragma once

#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ff::loader {

struct ZipEntry {
    static constexpr std::uint16_t kStored = 0, kDeflated = 8;

    std::string name;
    std::uint16_t method = kStored;
    bool encrypted = false;
    std::uint32_t crc32 = 0;
    std::uint64_t compressed_size = 0;
    std::uint64_t size = 0;        // inflated; equal to compressed_size where stored
    std::uint64_t data_offset = 0; // of the compressed bytes, from the beginning of the archive
};

// Entries in the order of the central directory. Everything is checked before it is believed: each local header agrees
// with its central one, all data lies before the directory, no two entries share a byte or a name.
// Fails with model_file, or unsupported for archives in several parts; `path` begins the message.
Result<std::vector<ZipEntry>> read_zip_directory(const std::string &path, std::span<const std::byte> archive);

} // namespace ff::loader
