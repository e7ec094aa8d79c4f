#include "loader/formats/zip_directory.h"

#include "loader/checked.h"
#include "loader/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>

namespace ff::loader {

namespace {

constexpr std::uint32_t kLocalSignature = 0x04034B50, kCentralSignature = 0x02014B50, kEndSignature = 0x06054B50,
                        kEnd64Signature = 0x06064B50, kLocator64Signature = 0x07064B50;
constexpr std::uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;
constexpr std::uint16_t kFlagEncrypted = 1, kFlagSizesFollow = 8;
constexpr std::uint16_t kExtraZip64 = 1;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF; // "see the zip64 field"
constexpr std::uint16_t kCountIn64 = 0xFFFF;

struct Directory {
    std::uint64_t offset = 0, size = 0, entries = 0;
};

class Reader {
  public:
    Reader(const std::string &path, std::span<const std::byte> archive) : path_(path), archive_(archive) {}

    Result<std::vector<ZipEntry>> read() const {
        FF_TRY_ASSIGN(const Directory directory, find_directory());
        std::vector<ZipEntry> entries;
        entries.reserve(static_cast<std::size_t>(directory.entries)); // bounded by directory.size, see find_directory
        std::unordered_set<std::string> names;
        std::uint64_t at = directory.offset;
        for (std::uint64_t i = 0; i < directory.entries; ++i) {
            FF_TRY_ASSIGN(ZipEntry entry, read_entry(directory, at));
            if (!names.insert(entry.name).second)
                return damaged(fmt::format("has two entries called {}", printable(entry.name)));
            entries.push_back(std::move(entry));
        }
        if (at != directory.offset + directory.size)
            return damaged(fmt::format("has a directory of {} bytes whose {} entries take {}", directory.size,
                                       directory.entries, at - directory.offset));
        FF_TRY(check_overlaps(entries));
        return entries;
    }

  private:
    Error damaged(const std::string &what) const {
        return Error{Status::model_file,
                     fmt::format("{}: the zip archive {}; the file is damaged, get it again", printable(path_), what)};
    }

    template <class T>
    T get(std::uint64_t offset) const {
        return load_le<T>(archive_, offset);
    }

    std::string_view text(std::uint64_t offset, std::uint64_t size) const {
        return {reinterpret_cast<const char *>(archive_.data()) + offset, static_cast<std::size_t>(size)};
    }

    // The end record is followed only by its own comment of at most 65535 bytes, so it is searched from the back.
    std::optional<std::uint64_t> find_end() const {
        if (archive_.size() < kEndSize) return std::nullopt;
        const std::uint64_t last = archive_.size() - kEndSize;
        const std::uint64_t first = last > 0xFFFF ? last - 0xFFFF : 0;
        for (std::uint64_t at = last + 1; at-- > first;)
            if (get<std::uint32_t>(at) == kEndSignature &&
                at + kEndSize + get<std::uint16_t>(at + 20) == archive_.size())
                return at;
        return std::nullopt;
    }

    Result<Directory> find_directory() const {
        const auto end = find_end();
        if (!end)
            return Error{
                Status::model_file,
                fmt::format("{}: the zip archive has no end record within its {} bytes; the file was cut short, "
                            "get it again",
                            printable(path_), archive_.size())};
        const auto disk = get<std::uint16_t>(*end + 4), directory_disk = get<std::uint16_t>(*end + 6);
        const auto entries_here = get<std::uint16_t>(*end + 8), entries = get<std::uint16_t>(*end + 10);
        const auto size = get<std::uint32_t>(*end + 12), offset = get<std::uint32_t>(*end + 16);
        Directory found{.offset = offset, .size = size, .entries = entries};
        std::uint64_t directory_end = *end;

        if (*end >= kLocator64Size && get<std::uint32_t>(*end - kLocator64Size) == kLocator64Signature) {
            const std::uint64_t end64 = get<std::uint64_t>(*end - kLocator64Size + 8);
            if (!fits(end64, kEnd64Size, *end - kLocator64Size) || get<std::uint32_t>(end64) != kEnd64Signature)
                return damaged(fmt::format("points to a zip64 end record at byte {}, where none is", end64));
            if (get<std::uint32_t>(end64 + 16) != 0 || get<std::uint32_t>(end64 + 20) != 0) return parts();
            found = {.offset = get<std::uint64_t>(end64 + 48),
                     .size = get<std::uint64_t>(end64 + 40),
                     .entries = get<std::uint64_t>(end64 + 32)};
            const bool agree = (offset == kIn64 || offset == found.offset) && (size == kIn64 || size == found.size) &&
                               (entries == kCountIn64 || entries == found.entries) &&
                               get<std::uint64_t>(end64 + 24) == found.entries;
            if (!agree) return damaged("has two end records that disagree");
            directory_end = end64;
        } else {
            if (disk != 0 || directory_disk != 0) return parts();
            if (entries_here != entries) return parts();
        }
        if (!fits(found.offset, found.size, directory_end))
            return damaged(fmt::format("claims a directory of {} bytes at byte {}, past its end at byte {}", found.size,
                                       found.offset, directory_end));
        if (found.entries > found.size / kCentralSize)
            return damaged(fmt::format("claims {} entries in a directory of {} bytes", found.entries, found.size));
        return found;
    }

    Error parts() const {
        return Error{Status::unsupported,
                     fmt::format("{}: the zip archive is one part of several; join the parts first", printable(path_))};
    }

    // Reads the central header at `at`, moves `at` past it, and confirms it by the local header.
    Result<ZipEntry> read_entry(const Directory &directory, std::uint64_t &at) const {
        const std::uint64_t end = directory.offset + directory.size;
        if (!fits(at, kCentralSize, end) || get<std::uint32_t>(at) != kCentralSignature)
            return damaged(fmt::format("has no directory entry at byte {}, where one must be", at));
        const std::uint64_t name_size = get<std::uint16_t>(at + 28), extra_size = get<std::uint16_t>(at + 30),
                            comment_size = get<std::uint16_t>(at + 32);
        if (!fits(at + kCentralSize, name_size + extra_size + comment_size, end))
            return damaged(fmt::format("has a directory entry at byte {} that runs past the directory's end", at));
        ZipEntry entry;
        entry.name = text(at + kCentralSize, name_size);
        const auto flags = get<std::uint16_t>(at + 8);
        entry.encrypted = (flags & kFlagEncrypted) != 0;
        entry.method = get<std::uint16_t>(at + 10);
        entry.crc32 = get<std::uint32_t>(at + 16);
        entry.compressed_size = get<std::uint32_t>(at + 20);
        entry.size = get<std::uint32_t>(at + 24);
        std::uint64_t local = get<std::uint32_t>(at + 42);
        if (!read_zip64(entry, local, at + kCentralSize + name_size, extra_size))
            return damaged(fmt::format("lacks the 64-bit sizes of entry {}", printable(entry.name)));
        at += kCentralSize + name_size + extra_size + comment_size;
        FF_TRY(read_local(entry, local, flags, directory.offset));
        return entry;
    }

    // The zip64 extra field holds, in this order, those of size, compressed size and offset that are all ones before.
    bool read_zip64(ZipEntry &entry, std::uint64_t &local, std::uint64_t at, std::uint64_t size) const {
        const std::uint64_t end = at + size;
        std::uint64_t *const wanted[] = {&entry.size, &entry.compressed_size, &local};
        if (std::none_of(std::begin(wanted), std::end(wanted), [](const auto *field) { return *field == kIn64; }))
            return true;
        while (fits(at, 4, end)) {
            const auto id = get<std::uint16_t>(at), length = get<std::uint16_t>(at + 2);
            at += 4;
            if (!fits(at, length, end)) return false;
            if (id != kExtraZip64) {
                at += length;
                continue;
            }
            const std::uint64_t field_end = at + length;
            for (std::uint64_t *field : wanted) {
                if (*field != kIn64) continue;
                if (!fits(at, 8, field_end)) return false;
                *field = get<std::uint64_t>(at);
                at += 8;
            }
            return true;
        }
        return false;
    }

    Result<void> read_local(ZipEntry &entry, std::uint64_t local, std::uint16_t central_flags,
                            std::uint64_t directory_offset) const {
        const std::string name = printable(entry.name);
        if (!fits(local, kLocalSize, directory_offset) || get<std::uint32_t>(local) != kLocalSignature)
            return damaged(fmt::format("places entry {} at byte {}, where no entry begins", name, local));
        const std::uint64_t name_size = get<std::uint16_t>(local + 26), extra_size = get<std::uint16_t>(local + 28);
        if (!fits(local + kLocalSize, name_size + extra_size, directory_offset))
            return damaged(fmt::format("has an entry {} whose header runs into the directory", name));
        if (text(local + kLocalSize, name_size) != entry.name)
            return damaged(
                fmt::format("calls one entry both {} and {}", name, printable(text(local + kLocalSize, name_size))));
        const auto flags = get<std::uint16_t>(local + 6);
        const auto size = get<std::uint32_t>(local + 22), compressed = get<std::uint32_t>(local + 18);
        // Sizes may be left to a record behind the data (then 0 here) or to a zip64 field (then all ones).
        const bool later = (flags & kFlagSizesFollow) != 0;
        const auto agrees = [&](std::uint32_t here, std::uint64_t central) {
            return here == central || here == kIn64 || (later && here == 0);
        };
        if (get<std::uint16_t>(local + 8) != entry.method || ((flags ^ central_flags) & kFlagEncrypted) != 0 ||
            !agrees(size, entry.size) || !agrees(compressed, entry.compressed_size))
            return damaged(fmt::format("describes entry {} in two ways that disagree", name));
        if (entry.method == ZipEntry::kStored && !entry.encrypted && entry.size != entry.compressed_size)
            return damaged(
                fmt::format("stores entry {} of {} bytes in {} bytes", name, entry.size, entry.compressed_size));
        entry.data_offset = local + kLocalSize + name_size + extra_size;
        if (!fits(entry.data_offset, entry.compressed_size, directory_offset))
            return damaged(
                fmt::format("has an entry {} whose {} bytes at byte {} run past byte {}, where the data ends", name,
                            entry.compressed_size, entry.data_offset, directory_offset));
        return {};
    }

    // Entries that share bytes are how a small file claims to hold a huge one.
    Result<void> check_overlaps(const std::vector<ZipEntry> &entries) const {
        std::vector<const ZipEntry *> order;
        order.reserve(entries.size());
        for (const ZipEntry &entry : entries)
            if (entry.compressed_size != 0) order.push_back(&entry);
        std::sort(order.begin(), order.end(),
                  [](const auto *a, const auto *b) { return a->data_offset < b->data_offset; });
        for (std::size_t i = 1; i < order.size(); ++i)
            if (order[i - 1]->data_offset + order[i - 1]->compressed_size > order[i]->data_offset)
                return damaged(fmt::format("has entries {} and {} that overlap", printable(order[i - 1]->name),
                                           printable(order[i]->name)));
        return {};
    }

    const std::string &path_;
    std::span<const std::byte> archive_;
};

} // namespace

Result<std::vector<ZipEntry>> read_zip_directory(const std::string &path, std::span<const std::byte> archive) {
    return Reader(path, archive).read();
}

} // namespace ff::loader
