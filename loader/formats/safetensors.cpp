#include "loader/formats/safetensors.h"

#include "loader/checked.h"
#include "loader/formats/safetensors_header.h"
#include "loader/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace ff::loader {

namespace {

constexpr std::uint64_t kHeaderLimit = 100'000'000; // as in the format's own implementation

std::optional<DType> dtype_of(std::string_view name) {
    if (name == "F32") return DType::f32;
    if (name == "F16") return DType::f16;
    if (name == "BF16") return DType::bf16;
    return std::nullopt;
}

class SafetensorsSource final : public TensorSource {
  public:
    SafetensorsSource(std::string path, std::span<const std::byte> bytes) : path_(std::move(path)), bytes_(bytes) {}

    Result<void> load() {
        if (bytes_.size() < 8)
            return fail(
                fmt::format("the file has {} bytes, expected at least the 8 of a safetensors header's length; get "
                            "it again",
                            bytes_.size()));
        const auto length = load_le<std::uint64_t>(bytes_, 0);
        if (length > kHeaderLimit)
            return fail(fmt::format("the safetensors header claims {} bytes, expected at most {}; is it a model file?",
                                    length, kHeaderLimit));
        if (!fits(8, length, bytes_.size()))
            return fail(
                fmt::format("the safetensors header claims {} bytes, the file has {}; it was cut short, get it again",
                            length, bytes_.size()));
        const std::string_view json(reinterpret_cast<const char *>(bytes_.data()) + 8,
                                    static_cast<std::size_t>(length));
        FF_TRY_ASSIGN(SafetensorsHeader header, parse_safetensors_header(path_, json));
        data_ = bytes_.subspan(8 + static_cast<std::size_t>(length));
        metadata_ = std::move(header.metadata);
        for (SafetensorsEntry &entry : header.entries) FF_TRY(take(entry));
        if (tensors_.empty()) return fail("the file holds no tensors; is it a model file?");
        return check_coverage(header.entries);
    }

    const std::string &path() const override { return path_; }
    std::string_view container() const override { return "safetensors"; }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return metadata_; }

    Result<TensorBytes> read(std::size_t index) const override {
        if (index >= tensors_.size())
            return Error{Status::argument, fmt::format("{}: tensor {} was asked for, there are {}", printable(path_),
                                                       index, tensors_.size())};
        return TensorBytes(data_.subspan(begins_[index], static_cast<std::size_t>(tensors_[index].bytes())));
    }

  private:
    Error fail(const std::string &what, Status status = Status::model_file) const {
        return Error{status, fmt::format("{}: {}", printable(path_), what)};
    }

    Result<void> take(SafetensorsEntry &entry) {
        const std::string name = printable(entry.name);
        const auto dtype = dtype_of(entry.dtype);
        if (!dtype)
            return fail(fmt::format("tensor {} is of type {}, expected F32, F16 or BF16; convert it first", name,
                                    printable(entry.dtype)),
                        Status::unsupported);
        const auto elements = checked_product(entry.shape);
        const auto size = elements ? checked_multiply(*elements, bytes_per_element(*dtype)) : std::nullopt;
        if (!size || *size != entry.end - entry.begin)
            return fail(fmt::format(
                "tensor {} is {} {}, but its bytes {} to {} are {}; the file is damaged, get it again", name,
                shape_text(entry.shape), name_of(*dtype), entry.begin, entry.end, entry.end - entry.begin));
        if (entry.end > data_.size())
            return fail(
                fmt::format("tensor {} ends at byte {} of {} bytes of data; the file was cut short, get it again", name,
                            entry.end, data_.size()));
        tensors_.push_back({entry.name, *dtype, std::move(entry.shape)});
        begins_.push_back(static_cast<std::size_t>(entry.begin));
        return {};
    }

    // The format demands that the tensors cover the data without gap or overlap.
    Result<void> check_coverage(const std::vector<SafetensorsEntry> &entries) const {
        std::vector<const SafetensorsEntry *> order;
        for (const SafetensorsEntry &entry : entries) order.push_back(&entry);
        std::sort(order.begin(), order.end(), [](const auto *a, const auto *b) {
            return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
        });
        std::uint64_t covered = 0;
        for (const SafetensorsEntry *entry : order) {
            if (entry->begin != covered)
                return fail(fmt::format("tensor {} begins at byte {} of the data, expected {}: tensors {}; the file is "
                                        "damaged, get it again",
                                        printable(entry->name), entry->begin, covered,
                                        entry->begin < covered ? "overlap" : "leave a gap"));
            covered = entry->end;
        }
        if (covered != data_.size())
            return fail(fmt::format("the tensors end at byte {} of {} bytes of data; the file is damaged, get it again",
                                    covered, data_.size()));
        return {};
    }

    std::string path_;
    std::span<const std::byte> bytes_, data_;
    std::vector<TensorInfo> tensors_;
    std::vector<std::size_t> begins_; // in data_
    std::map<std::string, std::string> metadata_;
};

} // namespace

Result<std::unique_ptr<TensorSource>> open_safetensors(std::string path, std::span<const std::byte> bytes) {
    auto source = std::make_unique<SafetensorsSource>(std::move(path), bytes);
    FF_TRY(source->load());
    return source;
}

} // namespace ff::loader
