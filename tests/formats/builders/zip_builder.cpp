#include "tests/formats/builders/zip_builder.h"

#include <zlib.h>

namespace ff::loader::test {

namespace {

Bytes deflated(std::span<const std::byte> data) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    Bytes out(deflateBound(&stream, static_cast<uLong>(data.size())) + 16);
    stream.next_in = const_cast<Bytef *>(reinterpret_cast<const Bytef *>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef *>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::uint32_t crc_of(std::span<const std::byte> data) {
    return static_cast<std::uint32_t>(
        ::crc32(::crc32(0, nullptr, 0), reinterpret_cast<const Bytef *>(data.data()), static_cast<uInt>(data.size())));
}

} // namespace

ZipBuilder &ZipBuilder::add(const std::string &name, std::span<const std::byte> data, const ZipOptions &options) {
    const Bytes stored = options.deflate ? deflated(data) : Bytes(data.begin(), data.end());
    const std::uint16_t method = options.method.value_or(options.deflate ? 8 : 0);
    const auto flags = static_cast<std::uint16_t>(options.flags.value_or(0) | (options.sizes_follow ? 8 : 0));
    const std::uint32_t crc = options.claimed_crc.value_or(crc_of(data));
    const std::uint64_t size = options.claimed_size.value_or(data.size());
    const std::uint64_t compressed = options.claimed_compressed_size.value_or(stored.size());
    const std::uint64_t offset = options.claimed_offset.value_or(body_.size() + skipped_);
    const std::string local_name = options.local_name.value_or(name);
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    last_ = body_.size();
    ++entries_;

    append_le<std::uint32_t>(body_, 0x04034B50);
    append_le<std::uint16_t>(body_, 20);
    append_le<std::uint16_t>(body_, flags);
    append_le<std::uint16_t>(body_, method);
    append_le<std::uint32_t>(body_, 0); // time and date
    append_le<std::uint32_t>(body_, options.sizes_follow ? 0 : crc);
    append_le<std::uint32_t>(body_, options.sizes_follow ? 0 : options.zip64 ? 0xFFFFFFFF : low(compressed));
    append_le<std::uint32_t>(body_, options.sizes_follow ? 0 : options.zip64 ? 0xFFFFFFFF : low(size));
    append_le<std::uint16_t>(body_, static_cast<std::uint16_t>(local_name.size()));
    const std::uint64_t extra = (options.padding != 0 ? options.padding + 4 : 0) + (options.zip64 ? 20 : 0);
    append_le<std::uint16_t>(body_, static_cast<std::uint16_t>(extra));
    append(body_, bytes_of(local_name));
    if (options.zip64) {
        append_le<std::uint16_t>(body_, 1);
        append_le<std::uint16_t>(body_, 16);
        append_le<std::uint64_t>(body_, size);
        append_le<std::uint64_t>(body_, compressed);
    }
    if (options.padding != 0) {
        append(body_, bytes_of("FB"));
        append_le<std::uint16_t>(body_, static_cast<std::uint16_t>(options.padding));
        body_.resize(body_.size() + options.padding, std::byte{'Z'});
    }
    append(body_, stored);
    if (options.sizes_follow) {
        append_le<std::uint32_t>(body_, 0x08074B50);
        append_le<std::uint32_t>(body_, crc);
        append_le<std::uint32_t>(body_, low(compressed));
        append_le<std::uint32_t>(body_, low(size));
    }

    append_le<std::uint32_t>(directory_, 0x02014B50);
    append_le<std::uint16_t>(directory_, 20);
    append_le<std::uint16_t>(directory_, 20);
    append_le<std::uint16_t>(directory_, flags);
    append_le<std::uint16_t>(directory_, method);
    append_le<std::uint32_t>(directory_, 0);
    append_le<std::uint32_t>(directory_, crc);
    append_le<std::uint32_t>(directory_, options.zip64 ? 0xFFFFFFFF : low(compressed));
    append_le<std::uint32_t>(directory_, options.zip64 ? 0xFFFFFFFF : low(size));
    append_le<std::uint16_t>(directory_, static_cast<std::uint16_t>(name.size()));
    append_le<std::uint16_t>(directory_, options.zip64 ? 28 : 0);
    append_le<std::uint16_t>(directory_, 0); // comment
    append_le<std::uint16_t>(directory_, 0); // disk
    append_le<std::uint16_t>(directory_, 0); // internal attributes
    append_le<std::uint32_t>(directory_, 0); // external attributes
    append_le<std::uint32_t>(directory_, options.zip64 ? 0xFFFFFFFF : low(offset));
    append(directory_, bytes_of(name));
    if (options.zip64) {
        append_le<std::uint16_t>(directory_, 1);
        append_le<std::uint16_t>(directory_, 24);
        append_le<std::uint64_t>(directory_, size);
        append_le<std::uint64_t>(directory_, compressed);
        append_le<std::uint64_t>(directory_, offset);
    }
    return *this;
}

Bytes ZipBuilder::finish(bool zip64_end) const {
    Bytes file = body_;
    append(file, directory_);
    if (zip64_end) {
        const std::uint64_t at = file.size() + skipped_;
        append_le<std::uint32_t>(file, 0x06064B50);
        append_le<std::uint64_t>(file, 44); // what follows in this record
        append_le<std::uint16_t>(file, 45);
        append_le<std::uint16_t>(file, 45);
        append_le<std::uint32_t>(file, 0);
        append_le<std::uint32_t>(file, 0);
        append_le<std::uint64_t>(file, entries_);
        append_le<std::uint64_t>(file, entries_);
        append_le<std::uint64_t>(file, directory_.size());
        append_le<std::uint64_t>(file, body_.size() + skipped_);
        append_le<std::uint32_t>(file, 0x07064B50);
        append_le<std::uint32_t>(file, 0);
        append_le<std::uint64_t>(file, at);
        append_le<std::uint32_t>(file, 1);
    }
    append_le<std::uint32_t>(file, 0x06054B50);
    append_le<std::uint16_t>(file, 0);
    append_le<std::uint16_t>(file, 0);
    append_le<std::uint16_t>(file, zip64_end ? 0xFFFF : static_cast<std::uint16_t>(entries_));
    append_le<std::uint16_t>(file, zip64_end ? 0xFFFF : static_cast<std::uint16_t>(entries_));
    append_le<std::uint32_t>(file, zip64_end ? 0xFFFFFFFF : static_cast<std::uint32_t>(directory_.size()));
    append_le<std::uint32_t>(file, zip64_end ? 0xFFFFFFFF : static_cast<std::uint32_t>(body_.size()));
    append_le<std::uint16_t>(file, 0);
    return file;
}

} // namespace ff::loader::test
