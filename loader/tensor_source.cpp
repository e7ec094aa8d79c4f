#include "loader/tensor_source.h"

#include "loader/checked.h"
#include "loader/file_map.h"
#include "loader/formats/ggml_bin.h"
#include "loader/formats/gguf.h"
#include "loader/formats/pth.h"
#include "loader/formats/safetensors.h"
#include "loader/formats/web_rwkv.h"
#include "loader/guard.h"
#include "loader/text.h"

#include <fmt/format.h>

namespace ff::loader {

namespace {

constexpr std::string_view kOpening = "reading the file's directory";

// A source over a mapped file, and the map that it points into.
class MappedSource final : public TensorSource {
  public:
    MappedSource(FileMap map, std::unique_ptr<TensorSource> source)
        : map_(std::move(map)), source_(std::move(source)) {}

    const std::string &path() const override { return source_->path(); }
    std::string_view container() const override { return source_->container(); }
    std::span<const TensorInfo> tensors() const override { return source_->tensors(); }
    const std::map<std::string, std::string> &metadata() const override { return source_->metadata(); }
    Result<TensorBytes> read(std::size_t index) const override { return source_->read(index); }
    Result<std::vector<std::string>> token_texts() const override { return source_->token_texts(); }

  private:
    FileMap map_; // moving it leaves its bytes where they are
    std::unique_ptr<TensorSource> source_;
};

bool begins_with(std::span<const std::byte> bytes, std::string_view start) {
    return bytes.size() >= start.size() && std::memcmp(bytes.data(), start.data(), start.size()) == 0;
}

bool is_old_pickle(std::span<const std::byte> bytes) { // PROTO, then a protocol number
    return bytes.size() >= 2 && bytes[0] == std::byte{0x80} && bytes[1] >= std::byte{2} && bytes[1] <= std::byte{5};
}

bool is_tar(std::span<const std::byte> bytes) {
    return bytes.size() > 262 && begins_with(bytes.subspan(257), "ustar");
}

bool is_safetensors(std::span<const std::byte> bytes) {
    // The ninth byte opens the header's object. A file too short for that is left to the reader, which says so.
    return bytes.size() < 9 || (bytes[8] == std::byte{'{'} && load_le<std::uint64_t>(bytes, 0) < (1ull << 40));
}

Result<std::unique_ptr<TensorSource>> open_by_first_bytes(std::string name, std::span<const std::byte> bytes) {
    const auto unsupported = [&](std::string_view what) {
        return Error{Status::unsupported, fmt::format("{}: {}", printable(name), what)};
    };
    if (bytes.empty())
        return Error{Status::model_file,
                     fmt::format("{}: the file is empty (0 bytes); was the download cut short?", printable(name))};
    if (begins_with(bytes, "PK\3\4") || begins_with(bytes, "PK\5\6")) return open_pth(std::move(name), bytes);
    if (begins_with(bytes, "GGUF")) return open_gguf(std::move(name), bytes);
    if (begins_with(bytes, "fmgg")) return open_ggml_bin(std::move(name), bytes);
    if (is_old_pickle(bytes) || is_tar(bytes))
        return unsupported(
            "this checkpoint was written by torch before 1.6; load it with torch.load and save it again with "
            "torch.save of torch 1.6 or later");
    if (begins_with(bytes, "version https://git-lfs"))
        return unsupported("this is a Git LFS pointer, not the model itself; fetch it with git lfs pull");
    if (begins_with(bytes, "<!") || begins_with(bytes, "<html"))
        return unsupported("this is a web page, not a model; was a download link saved instead of the file?");
    if (is_safetensors(bytes)) {
        FF_TRY_ASSIGN(std::unique_ptr<TensorSource> source, open_safetensors(std::move(name), bytes));
        return is_web_rwkv(*source) ? undo_web_rwkv(std::move(source)) : std::move(source);
    }
    return unsupported(
        "the file begins like no known model container; expected .pth (torch 1.6 or later), .safetensors, .gguf "
        "or rwkv.cpp's .bin");
}

} // namespace

Result<std::unique_ptr<TensorSource>> open_tensor_source(const std::string &path) {
    return guarded(path, kOpening, [&]() -> Result<std::unique_ptr<TensorSource>> {
        FF_TRY_ASSIGN(FileMap map, FileMap::open(path));
        FF_TRY_ASSIGN(std::unique_ptr<TensorSource> source, open_by_first_bytes(path, map.bytes()));
        return std::make_unique<MappedSource>(std::move(map), std::move(source));
    });
}

Result<std::unique_ptr<TensorSource>> open_tensor_source(std::string name, std::span<const std::byte> bytes) {
    return guarded(name, kOpening, [&] { return open_by_first_bytes(name, bytes); });
}

} // namespace ff::loader
