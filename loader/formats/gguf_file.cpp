#include "loader/formats/gguf_file.h"

#include "loader/checked.h"
#include "loader/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>
#include <unordered_set>

namespace ff::loader {

namespace {

constexpr std::uint64_t kEntryLimit = 65536;
constexpr std::uint64_t kTensorLimit = 100'000; // 1024 layers of 40 tensors need half
constexpr std::uint64_t kKeyLimit = 65535;      // the format's own
constexpr std::uint64_t kNameLimit = 4096;
constexpr std::uint64_t kTextLimit = 16 << 20;
constexpr std::uint64_t kAlignmentLimit = 1 << 20;
constexpr std::uint32_t kAxisLimit = 4; // ggml's

struct TypeName {
    std::uint32_t number;
    std::string_view name;
    std::optional<DType> dtype; // nothing: not read
};
constexpr std::array kTypes = {
    TypeName{0, "F32", DType::f32},       TypeName{1, "F16", DType::f16},        TypeName{2, "Q4_0", DType::q4_0},
    TypeName{3, "Q4_1", DType::q4_1},     TypeName{6, "Q5_0", DType::q5_0},      TypeName{7, "Q5_1", DType::q5_1},
    TypeName{8, "Q8_0", DType::q8_0},     TypeName{9, "Q8_1", std::nullopt},     TypeName{10, "Q2_K", std::nullopt},
    TypeName{11, "Q3_K", std::nullopt},   TypeName{12, "Q4_K", DType::q4_k},     TypeName{13, "Q5_K", DType::q5_k},
    TypeName{14, "Q6_K", DType::q6_k},    TypeName{15, "Q8_K", std::nullopt},    TypeName{16, "IQ2_XXS", std::nullopt},
    TypeName{17, "IQ2_XS", std::nullopt}, TypeName{18, "IQ3_XXS", std::nullopt}, TypeName{19, "IQ1_S", std::nullopt},
    TypeName{20, "IQ4_NL", std::nullopt}, TypeName{21, "IQ3_S", std::nullopt},   TypeName{22, "IQ2_S", std::nullopt},
    TypeName{23, "IQ4_XS", std::nullopt}, TypeName{24, "I8", std::nullopt},      TypeName{25, "I16", std::nullopt},
    TypeName{26, "I32", std::nullopt},    TypeName{27, "I64", std::nullopt},     TypeName{28, "F64", std::nullopt},
    TypeName{29, "IQ1_M", std::nullopt},  TypeName{30, "BF16", DType::bf16},     TypeName{34, "TQ1_0", std::nullopt},
    TypeName{35, "TQ2_0", std::nullopt},  TypeName{39, "MXFP4", std::nullopt},   TypeName{0x34464E, "NF4", DType::nf4},
};

// Bytes of a metadata value of a fixed size; 0 for texts and arrays.
std::uint64_t size_of(GgufType type) {
    switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
        return 1;
    case GgufType::u16:
    case GgufType::i16:
        return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
        return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
        return 8;
    case GgufType::text:
    case GgufType::array:
        break;
    }
    return 0;
}

// An integer of 0 or more.
std::optional<std::uint64_t> number_in(const GgufEntry &entry) {
    const auto natural = [](std::int64_t value) -> std::optional<std::uint64_t> {
        if (value < 0) return std::nullopt;
        return static_cast<std::uint64_t>(value);
    };
    switch (entry.type) {
    case GgufType::u8:
        return load_le<std::uint8_t>(entry.bytes, 0);
    case GgufType::u16:
        return load_le<std::uint16_t>(entry.bytes, 0);
    case GgufType::u32:
        return load_le<std::uint32_t>(entry.bytes, 0);
    case GgufType::u64:
        return load_le<std::uint64_t>(entry.bytes, 0);
    case GgufType::i8:
        return natural(load_le<std::int8_t>(entry.bytes, 0));
    case GgufType::i16:
        return natural(load_le<std::int16_t>(entry.bytes, 0));
    case GgufType::i32:
        return natural(load_le<std::int32_t>(entry.bytes, 0));
    case GgufType::i64:
        return natural(load_le<std::int64_t>(entry.bytes, 0));
    default:
        return std::nullopt;
    }
}

std::string_view text_at(std::span<const std::byte> bytes, std::uint64_t offset) { // checked when it was parsed
    const auto length = load_le<std::uint64_t>(bytes, offset);
    return {reinterpret_cast<const char *>(bytes.data()) + offset + 8, static_cast<std::size_t>(length)};
}

} // namespace

// Reads from front to back; what is longer than the file, or than a sane limit, ends it.
class GgufParser {
  public:
    GgufParser(const std::string &path, std::span<const std::byte> bytes) : path_(printable(path)), bytes_(bytes) {}

    Result<GgufFile> parse() {
        FF_TRY(header());
        for (std::uint64_t i = 0; i < entry_count_; ++i) FF_TRY(entry());
        for (std::uint64_t i = 0; i < tensor_count_; ++i) FF_TRY(tensor());
        FF_TRY(place_tensors());
        return std::move(file_);
    }

  private:
    Error fail(const std::string &what, Status status = Status::model_file) const {
        return Error{status, fmt::format("{}: {}", path_, what)};
    }
    Error cut(std::string_view what) const {
        return fail(
            fmt::format("the file ends at byte {} inside {}; it was cut short, get it again", bytes_.size(), what));
    }

    template <class T>
    Result<T> take(std::string_view what) {
        if (!fits(at_, sizeof(T), bytes_.size())) return cut(what);
        const T value = load_le<T>(bytes_, at_);
        at_ += sizeof(T);
        return value;
    }

    Result<std::string_view> take_text(std::string_view what, std::uint64_t limit) {
        FF_TRY_ASSIGN(const std::uint64_t length, take<std::uint64_t>(what));
        if (length > limit)
            return fail(fmt::format("{} claims {} bytes, expected at most {}; the file is damaged, get it again", what,
                                    length, limit));
        if (!fits(at_, length, bytes_.size())) return cut(what);
        const std::string_view text = text_at(bytes_, at_ - 8);
        at_ += length;
        return text;
    }

    Result<void> header() {
        at_ = 4; // "GGUF"
        FF_TRY_ASSIGN(const std::uint32_t version, take<std::uint32_t>("the GGUF header"));
        if (version != 2 && version != 3)
            return fail(version % 65536 == 0 && version != 0
                            ? "this GGUF file is big-endian, only little-endian ones are read; convert it again"
                            : fmt::format("this GGUF file has version {}, versions 2 and 3 are read; convert it again",
                                          version),
                        Status::unsupported);
        FF_TRY_ASSIGN(tensor_count_, take<std::uint64_t>("the GGUF header"));
        FF_TRY_ASSIGN(entry_count_, take<std::uint64_t>("the GGUF header"));
        if (tensor_count_ == 0) return fail("the file holds no tensors; is it a model file?");
        if (tensor_count_ > kTensorLimit)
            return fail(
                fmt::format("the header claims {} tensors, expected at most {}; the file is damaged, get it again",
                            tensor_count_, kTensorLimit));
        if (entry_count_ > kEntryLimit)
            return fail(fmt::format("the header claims {} metadata entries, expected at most {}; the file is damaged, "
                                    "get it again",
                                    entry_count_, kEntryLimit));
        return {};
    }

    Result<void> entry() {
        FF_TRY_ASSIGN(const std::string_view key, take_text("a metadata key", kKeyLimit));
        const std::string what = fmt::format("the metadata {}", printable(key));
        if (!is_utf8(key))
            return fail(fmt::format("the metadata key {} is not UTF-8; the file is damaged", printable(key)));
        FF_TRY_ASSIGN(std::uint32_t type, take<std::uint32_t>(what));
        GgufEntry entry;
        entry.key = key;
        entry.array = type == static_cast<std::uint32_t>(GgufType::array);
        if (entry.array) {
            FF_TRY_ASSIGN(type, take<std::uint32_t>(what));
            FF_TRY_ASSIGN(entry.count, take<std::uint64_t>(what));
        }
        entry.type = static_cast<GgufType>(type);
        if (type > static_cast<std::uint32_t>(GgufType::f64) || entry.type == GgufType::array)
            return fail(
                fmt::format("{} is of type {}, expected 0 to 12 and no arrays of arrays; the file is damaged or "
                            "newer than this build",
                            what, type));
        const std::uint64_t begin = at_;
        if (entry.type == GgufType::text) {
            if (entry.count > (bytes_.size() - at_) / 8) return cut(what);
            for (std::uint64_t i = 0; i < entry.count; ++i) FF_TRY(take_text(what, kTextLimit));
        } else {
            const auto size = checked_multiply(entry.count, size_of(entry.type));
            if (!size || !fits(at_, *size, bytes_.size())) return cut(what);
            at_ += *size;
        }
        entry.bytes = bytes_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(at_ - begin));
        if (!keys_.insert(entry.key).second) return fail(fmt::format("{} appears twice; the file is damaged", what));
        file_.entries_.push_back(std::move(entry));
        return {};
    }

    Result<void> tensor() {
        FF_TRY_ASSIGN(const std::string_view name, take_text("a tensor's name", kNameLimit));
        const std::string what = fmt::format("tensor {}", printable(name));
        if (!is_utf8(name)) return fail(fmt::format("the name of {} is not UTF-8; the file is damaged", what));
        if (!names_.insert(std::string(name)).second)
            return fail(fmt::format("{} appears twice; the file is damaged", what));
        FF_TRY_ASSIGN(const std::uint32_t axes, take<std::uint32_t>(what));
        if (axes == 0 || axes > kAxisLimit)
            return fail(fmt::format("{} has {} axes, expected 1 to {}; the file is damaged, get it again", what, axes,
                                    kAxisLimit));
        GgufTensor tensor;
        tensor.info.name = name;
        for (std::uint32_t axis = 0; axis < axes; ++axis) {
            FF_TRY_ASSIGN(const std::uint64_t size, take<std::uint64_t>(what));
            tensor.info.shape.insert(tensor.info.shape.begin(), size);
        }
        FF_TRY_ASSIGN(const std::uint32_t type, take<std::uint32_t>(what));
        FF_TRY_ASSIGN(const std::uint64_t offset, take<std::uint64_t>(what));
        const auto known =
            std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName &t) { return t.number == type; });
        if (known == kTypes.end() || !known->dtype)
            return fail(fmt::format("{} is of ggml's type {}, which is not read; expected F32, F16, BF16, Q8_0, Q4_0, "
                                    "Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K, quantise it again",
                                    what, known == kTypes.end() ? std::to_string(type) : std::string(known->name)),
                        Status::unsupported);
        tensor.info.dtype = *known->dtype;
        const std::uint64_t size = tensor.info.bytes();
        if (size == UINT64_MAX || size == 0)
            return fail(fmt::format("{} is {} {}, which no tensor can be; the file is damaged, get it again", what,
                                    shape_text(tensor.info.shape), name_of(tensor.info.dtype)));
        offsets_.push_back(offset);
        file_.tensors_.push_back(std::move(tensor));
        return {};
    }

    Result<void> place_tensors() {
        std::uint64_t alignment = 32;
        if (file_.find("general.alignment") != nullptr) alignment = file_.number("general.alignment").value_or(0);
        if (!std::has_single_bit(alignment) || alignment > kAlignmentLimit)
            return fail(
                fmt::format("the metadata general.alignment is {}, expected a power of two up to {}; the file is "
                            "damaged",
                            alignment, kAlignmentLimit));
        const std::uint64_t begin = (at_ + alignment - 1) / alignment * alignment;
        std::vector<std::size_t> order(offsets_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return offsets_[a] < offsets_[b]; });
        std::uint64_t covered = 0;
        for (const std::size_t i : order) {
            GgufTensor &tensor = file_.tensors_[i];
            const std::string name = printable(tensor.info.name);
            if (offsets_[i] % alignment != 0)
                return fail(
                    fmt::format("tensor {} begins at byte {} of the data, expected a multiple of {}; the file is "
                                "damaged",
                                name, offsets_[i], alignment));
            if (offsets_[i] < covered)
                return fail(fmt::format("tensor {} begins at byte {} of the data, inside the one before, which ends at "
                                        "{}; the file is damaged",
                                        name, offsets_[i], covered));
            const std::uint64_t size = tensor.info.bytes();
            if (begin > bytes_.size() || !fits(offsets_[i], size, bytes_.size() - begin))
                return fail(
                    fmt::format("tensor {} has {} bytes from byte {} of the data on, the file ends before that; "
                                "it was cut short, get it again",
                                name, size, offsets_[i]));
            tensor.bytes =
                bytes_.subspan(static_cast<std::size_t>(begin + offsets_[i]), static_cast<std::size_t>(size));
            covered = offsets_[i] + size;
        }
        return {};
    }

    std::string path_;
    std::span<const std::byte> bytes_;
    std::uint64_t at_ = 0, tensor_count_ = 0, entry_count_ = 0;
    std::vector<std::uint64_t> offsets_;
    std::unordered_set<std::string> keys_, names_;
    GgufFile file_;
};

std::uint32_t gguf_type_of(DType dtype) {
    return std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName &t) { return t.dtype == dtype; })->number;
}

Result<GgufFile> GgufFile::parse(const std::string &path, std::span<const std::byte> bytes) {
    return GgufParser(path, bytes).parse();
}

const GgufEntry *GgufFile::find(std::string_view key) const {
    for (const GgufEntry &entry : entries_)
        if (entry.key == key) return &entry;
    return nullptr;
}

std::optional<std::string_view> GgufFile::text(std::string_view key) const {
    const GgufEntry *entry = find(key);
    if (entry == nullptr || entry->array || entry->type != GgufType::text) return std::nullopt;
    return text_at(entry->bytes, 0);
}

std::optional<std::uint64_t> GgufFile::number(std::string_view key) const {
    const GgufEntry *entry = find(key);
    if (entry == nullptr || entry->array) return std::nullopt;
    return number_in(*entry);
}

std::vector<std::string_view> GgufFile::texts(std::string_view key) const {
    std::vector<std::string_view> texts;
    const GgufEntry *entry = find(key);
    if (entry == nullptr || !entry->array || entry->type != GgufType::text) return texts;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < entry->count; ++i) {
        texts.push_back(text_at(entry->bytes, at));
        at += 8 + texts.back().size();
    }
    return texts;
}

std::map<std::string, std::string> GgufFile::scalars() const {
    std::map<std::string, std::string> scalars;
    for (const GgufEntry &entry : entries_) {
        if (entry.array) continue;
        std::string text;
        switch (entry.type) {
        case GgufType::text:
            text = text_at(entry.bytes, 0);
            break;
        case GgufType::f32:
            text = fmt::format("{}", load_le<float>(entry.bytes, 0));
            break;
        case GgufType::f64:
            text = fmt::format("{}", load_le<double>(entry.bytes, 0));
            break;
        case GgufType::boolean:
            text = entry.bytes[0] == std::byte{0} ? "false" : "true";
            break;
        case GgufType::i8:
            text = std::to_string(load_le<std::int8_t>(entry.bytes, 0));
            break;
        case GgufType::i16:
            text = std::to_string(load_le<std::int16_t>(entry.bytes, 0));
            break;
        case GgufType::i32:
            text = std::to_string(load_le<std::int32_t>(entry.bytes, 0));
            break;
        case GgufType::i64:
            text = std::to_string(load_le<std::int64_t>(entry.bytes, 0));
            break;
        default:
            text = std::to_string(number_in(entry).value_or(0));
        }
        scalars.emplace(entry.key, std::move(text));
    }
    return scalars;
}

} // namespace ff::loader
