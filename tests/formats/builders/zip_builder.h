// Writes zip archives, right and wrong ones.
#pragma once

#include "tests/formats/support.h"

namespace ff::loader::test {

struct ZipOptions {
    bool deflate = false;
    bool sizes_follow = false; // sizes behind the data, as torch writes them
    bool zip64 = false;        // 64-bit sizes and offset, in the central directory's extra field
    std::uint64_t padding = 0; // extra field bytes in the local header, as torch aligns data
    // Lies, each in place of the truth.
    std::optional<std::uint64_t> claimed_size{}, claimed_compressed_size{}, claimed_offset{};
    std::optional<std::string> local_name{};
    std::optional<std::uint32_t> claimed_crc{};
    std::optional<std::uint16_t> method{}, flags{};
};

class ZipBuilder {
  public:
    ZipBuilder &add(const std::string &name, std::span<const std::byte> data, const ZipOptions &options = {});
    // Leaves `bytes` unwritten before the next entry: offsets count them, finish() does not contain them.
    void skip(std::uint64_t bytes) { skipped_ += bytes; }
    // The whole archive; zip64_end adds the zip64 end record and its locator, as torch always does.
    Bytes finish(bool zip64_end = false) const;
    // Offset of the last added entry's local header.
    std::uint64_t last_offset() const { return last_; }

  private:
    Bytes body_, directory_;
    std::uint64_t entries_ = 0, last_ = 0, skipped_ = 0;
};

} // namespace ff::loader::test
