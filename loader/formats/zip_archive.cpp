#include "loader/formats/zip_archive.h"

#include "loader/checked.h"
#include "loader/text.h"

#include <fmt/format.h>
#include <zip.h>

namespace ff::loader {

namespace {

// What libzip says about its own error, as text.
std::string text_of(zip_error_t &error) {
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
}

} // namespace

Result<std::unique_ptr<ZipArchive>> ZipArchive::open(std::string path, std::span<const std::byte> bytes) {
    std::unique_ptr<ZipArchive> archive(new ZipArchive(std::move(path), bytes));
    FF_TRY_ASSIGN(archive->entries_, read_zip_directory(archive->path_, bytes));
    for (std::size_t i = 0; i < archive->entries_.size(); ++i) archive->index_.emplace(archive->entries_[i].name, i);
    FF_TRY(archive->check_inflation());
    FF_TRY(archive->open_libzip());
    FF_TRY(archive->compare_with_libzip());
    return archive;
}

ZipArchive::~ZipArchive() {
    if (libzip_ != nullptr) zip_discard(libzip_);
}

// Weights hardly compress; an archive that inflates thirtyfold was made to exhaust memory.
Result<void> ZipArchive::check_inflation() const {
    const std::uint64_t limit = bytes_.size() * 32 + (16 << 20);
    std::uint64_t inflated = 0;
    for (const ZipEntry &entry : entries_)
        if (entry.method != ZipEntry::kStored) inflated = checked_add(inflated, entry.size).value_or(UINT64_MAX);
    if (inflated <= limit) return {};
    return Error{Status::model_file,
                 fmt::format("{}: the zip archive of {} bytes claims to inflate to {}, expected at most "
                             "{}; it was made to exhaust memory",
                             printable(path_), bytes_.size(), inflated, limit)};
}

Result<void> ZipArchive::open_libzip() {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes_.data(), bytes_.size(), 0, &error);
    if (source != nullptr) {
        libzip_ = zip_open_from_source(source, ZIP_RDONLY, &error);
        if (libzip_ == nullptr) zip_source_free(source);
    }
    if (libzip_ == nullptr)
        return Error{Status::model_file, fmt::format("{}: libzip refuses the zip archive: {}; get the file again",
                                                     printable(path_), text_of(error))};
    zip_error_fini(&error);
    return {};
}

Result<void> ZipArchive::compare_with_libzip() const {
    const zip_int64_t count = zip_get_num_entries(libzip_, 0);
    bool same = count >= 0 && static_cast<std::uint64_t>(count) == entries_.size();
    for (std::size_t i = 0; same && i < entries_.size(); ++i) {
        const ZipEntry &entry = entries_[i];
        zip_stat_t stat;
        zip_stat_init(&stat);
        constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
        same = zip_stat_index(libzip_, i, ZIP_FL_ENC_RAW, &stat) == 0 && (stat.valid & kNeeded) == kNeeded &&
               entry.name == stat.name && entry.size == stat.size && entry.compressed_size == stat.comp_size &&
               entry.method == stat.comp_method;
    }
    if (same) return {};
    return Error{Status::model_file, fmt::format("{}: two readers see different entries in this zip archive; it is "
                                                 "damaged or was made to mislead, get the file again",
                                                 printable(path_))};
}

std::optional<std::size_t> ZipArchive::find(const std::string &name) const {
    const auto found = index_.find(name);
    if (found == index_.end()) return std::nullopt;
    return found->second;
}

std::optional<std::span<const std::byte>> ZipArchive::view(std::size_t index) const {
    const ZipEntry &entry = entries_[index];
    if (entry.method != ZipEntry::kStored || entry.encrypted) return std::nullopt;
    return bytes_.subspan(static_cast<std::size_t>(entry.data_offset), static_cast<std::size_t>(entry.size));
}

Result<std::vector<std::byte>> ZipArchive::read(std::size_t index, std::uint64_t limit_bytes) const {
    const ZipEntry &entry = entries_[index];
    const auto fail = [&](Status status, const std::string &what) {
        return Error{status,
                     fmt::format("{}: entry {} of the zip archive {}", printable(path_), printable(entry.name), what)};
    };
    if (entry.encrypted) return fail(Status::unsupported, "is encrypted; save it again without a password");
    if (entry.method != ZipEntry::kStored && entry.method != ZipEntry::kDeflated)
        return fail(Status::unsupported,
                    fmt::format("uses compression method {}, expected stored (0) or deflated (8); save it again with "
                                "torch",
                                entry.method));
    if (entry.size > limit_bytes)
        return fail(Status::model_file, fmt::format("claims {} bytes, expected at most {}", entry.size, limit_bytes));
    // Deflate spends at least one bit on 129 bytes (258 for a two-bit match): 1032 to 1 is its limit.
    if (entry.size / 1032 > entry.compressed_size)
        return fail(Status::model_file, fmt::format("claims to inflate {} bytes to {}, more than deflate can; it was "
                                                    "made to exhaust memory",
                                                    entry.compressed_size, entry.size));
    std::vector<std::byte> out(static_cast<std::size_t>(entry.size));

    const std::lock_guard lock(libzip_mutex_);
    zip_file_t *file = zip_fopen_index(libzip_, index, 0);
    if (file == nullptr) return fail(Status::model_file, fmt::format("cannot be opened: {}", zip_strerror(libzip_)));
    std::uint64_t done = 0;
    std::string reason;
    while (done < entry.size) {
        const zip_int64_t got = zip_fread(file, out.data() + done, entry.size - done);
        if (got <= 0) {
            reason = got == 0 ? fmt::format("ends after {} of {} bytes", done, entry.size)
                              : fmt::format("cannot be read: {}", zip_error_strerror(zip_file_get_error(file)));
            break;
        }
        done += static_cast<std::uint64_t>(got);
    }
    // libzip compares length and CRC only when it is asked for what follows the last byte.
    if (std::byte beyond; reason.empty()) {
        const zip_int64_t got = zip_fread(file, &beyond, 1);
        if (got > 0) reason = fmt::format("inflates to more than the {} bytes it claims", entry.size);
        if (got < 0) reason = fmt::format("is damaged: {}", zip_error_strerror(zip_file_get_error(file)));
    }
    zip_fclose(file);
    if (!reason.empty()) return fail(Status::model_file, reason + "; get the file again");
    return out;
}

} // namespace ff::loader
