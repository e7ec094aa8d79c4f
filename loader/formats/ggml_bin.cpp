#include "loader/formats/ggml_bin.h"

#include "loader/checked.h"
#include "loader/formats/turn.h"
#include "loader/guard.h"
#include "loader/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <unordered_set>

namespace ff::loader {

namespace {

constexpr std::size_t kTensorLimit = 100'000;
constexpr std::uint32_t kNameLimit = 4096;
constexpr std::uint32_t kAxisLimit = 4;

struct FileType {
    std::uint32_t number;
    std::string_view name;
    std::optional<DType> dtype; // nothing: rwkv.cpp itself no longer reads it
};
constexpr std::array kTypes = {
    FileType{0, "FP32", DType::f32},   FileType{1, "FP16", DType::f16},     FileType{2, "Q4_0", DType::q4_0},
    FileType{3, "Q4_1", DType::q4_1},  FileType{4, "Q4_1_O", std::nullopt}, FileType{5, "Q4_2", std::nullopt},
    FileType{6, "Q4_3", std::nullopt}, FileType{7, "Q5_0", DType::q5_0},    FileType{8, "Q5_1", DType::q5_1},
    FileType{9, "Q8_0", DType::q8_0},
};

// How a tensor gets back its official values.
enum class Undo : std::uint8_t {
    nothing, // a view
    turn,    // swap the last two axes
    decay4,  // stored -exp(w)
    decay5,  // stored exp(-exp(w))
    bonus5,  // stored exp(u)
};

struct Place {
    TensorInfo stored;
    std::span<const std::byte> bytes;
    Undo undo = Undo::nothing;
};

class GgmlBinSource final : public TensorSource {
  public:
    GgmlBinSource(std::string path, std::span<const std::byte> bytes) : path_(std::move(path)), bytes_(bytes) {}

    Result<void> load() {
        FF_TRY(header());
        std::vector<Place> stored;
        while (at_ < bytes_.size()) {
            if (stored.size() >= kTensorLimit)
                return fail(
                    fmt::format("the file holds more than {} tensors; it is damaged, get it again", kTensorLimit));
            FF_TRY_ASSIGN(Place place, tensor());
            stored.push_back(std::move(place));
        }
        if (stored.empty()) return fail("the file holds no tensors; it was cut short, get it again");
        for (const Place &place : stored)
            if (!stored_names_.insert(place.stored.name).second)
                return fail(fmt::format("tensor {} appears twice; the file is damaged", printable(place.stored.name)));
        seven_ = stored_names_.contains("blocks.0.att.r_k");
        six_ = stored_names_.contains("blocks.0.att.time_maa_x");
        five_ = !seven_ && !six_ && stored_names_.contains("blocks.0.att.ln_x.weight");
        for (const Place &place : stored) FF_TRY(take(place));
        return {};
    }

    const std::string &path() const override { return path_; }
    std::string_view container() const override { return "rwkv.cpp"; }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return metadata_; }

    Result<TensorBytes> read(std::size_t index) const override {
        if (index >= tensors_.size())
            return fail(fmt::format("tensor {} was asked for, there are {}", index, tensors_.size()), Status::argument);
        const Place &place = places_[index];
        if (place.undo == Undo::nothing) return TensorBytes(place.bytes);
        return guarded(path_, "restoring a tensor", [&]() -> Result<TensorBytes> {
            if (place.undo == Undo::turn) return TensorBytes(turned(place.stored, place.bytes));
            return restored(place);
        });
    }

  private:
    Error fail(const std::string &what, Status status = Status::model_file) const {
        return Error{status, fmt::format("{}: {}", printable(path_), what)};
    }
    Error cut(const std::string &what) const {
        return fail(
            fmt::format("the file ends at byte {} inside {}; it was cut short, get it again", bytes_.size(), what));
    }

    template <class T>
    Result<T> take_number(const std::string &what) {
        if (!fits(at_, sizeof(T), bytes_.size())) return cut(what);
        const T value = load_le<T>(bytes_, at_);
        at_ += sizeof(T);
        return value;
    }

    Result<void> header() {
        at_ = 4; // the magic number
        if (bytes_.size() < 24) return cut("the rwkv.cpp header");
        version_ = load_le<std::uint32_t>(bytes_, 4);
        if (version_ != 100 && version_ != 101)
            return fail(
                fmt::format("this rwkv.cpp file has version {}, versions 100 and 101 are read; convert it again",
                            version_),
                Status::unsupported);
        at_ = 24; // vocabulary, width, layers and data type: the tensors say the same
        return {};
    }

    Result<Place> tensor() {
        const std::string where = fmt::format("the tensor at byte {}", at_);
        FF_TRY_ASSIGN(const std::uint32_t axes, take_number<std::uint32_t>(where));
        FF_TRY_ASSIGN(const std::uint32_t name_length, take_number<std::uint32_t>(where));
        FF_TRY_ASSIGN(const std::uint32_t type, take_number<std::uint32_t>(where));
        if (axes == 0 || axes > kAxisLimit || name_length == 0 || name_length > kNameLimit)
            return fail(
                fmt::format("{} claims {} axes and a name of {} bytes, expected 1 to {} and 1 to {}; the file is "
                            "damaged, get it again",
                            where, axes, name_length, kAxisLimit, kNameLimit));
        Place place;
        for (std::uint32_t axis = 0; axis < axes; ++axis) { // the file has the fastest axis first
            FF_TRY_ASSIGN(const std::uint32_t size, take_number<std::uint32_t>(where));
            place.stored.shape.insert(place.stored.shape.begin(), size);
        }
        if (!fits(at_, name_length, bytes_.size())) return cut(where);
        place.stored.name.assign(reinterpret_cast<const char *>(bytes_.data()) + at_, name_length);
        at_ += name_length;
        const std::string name = printable(place.stored.name);
        if (!is_utf8(place.stored.name))
            return fail(fmt::format("the tensor name {} is not UTF-8; the file is damaged", name));
        const auto known =
            std::find_if(kTypes.begin(), kTypes.end(), [&](const FileType &t) { return t.number == type; });
        if (known == kTypes.end() || !known->dtype)
            return fail(
                fmt::format("tensor {} is of rwkv.cpp's data type {}, expected FP32, FP16, Q4_0, Q4_1, Q5_0, Q5_1 "
                            "or Q8_0; convert the model again",
                            name, known == kTypes.end() ? std::to_string(type) : std::string(known->name)),
                Status::unsupported);
        place.stored.dtype = *known->dtype;
        if (version_ == 100 && block_elements(place.stored.dtype) != 1)
            return fail(
                fmt::format("tensor {} is {} in a file of version 100, whose block layouts were others; convert "
                            "the model again",
                            name, known->name),
                Status::unsupported);
        const std::uint64_t size = place.stored.bytes();
        if (size == 0 || size == UINT64_MAX)
            return fail(fmt::format("tensor {} is {} {}, which no tensor can be; the file is damaged, get it again",
                                    name, shape_text(place.stored.shape), name_of(place.stored.dtype)));
        if (!fits(at_, size, bytes_.size())) return cut(fmt::format("tensor {}", name));
        place.bytes = bytes_.subspan(static_cast<std::size_t>(at_), static_cast<std::size_t>(size));
        at_ += size;
        return place;
    }

    Result<void> add(std::string name, DType dtype, std::vector<std::uint64_t> shape, const Place &place, Undo undo) {
        if (!names_.insert(name).second)
            return fail(fmt::format("tensor {} becomes {}, which another one is already; the file is damaged",
                                    printable(place.stored.name), printable(name)));
        tensors_.push_back({std::move(name), dtype, std::move(shape)});
        places_.push_back(place);
        places_.back().undo = undo;
        return {};
    }

    Result<void> take(const Place &place);
    Result<TensorBytes> restored(const Place &place) const;

    std::string path_;
    std::span<const std::byte> bytes_;
    std::uint64_t at_ = 0;
    std::uint32_t version_ = 0;
    bool five_ = false, six_ = false, seven_ = false; // none: version 4
    std::unordered_set<std::string> stored_names_, names_;
    std::vector<TensorInfo> tensors_;
    std::vector<Place> places_;
    std::map<std::string, std::string> metadata_;
};

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Result<void> GgmlBinSource::take(const Place &place) {
    const TensorInfo &stored = place.stored;
    const std::string_view name = stored.name;
    const std::string_view last = name.substr(name.rfind('.') == name.npos ? 0 : name.rfind('.') + 1);
    const std::uint64_t elements = stored.elements();
    std::vector<std::uint64_t> shape = stored.shape;
    const auto view = [&] { return add(stored.name, stored.dtype, shape, place, Undo::nothing); };
    // A row longer than the file's must still be whole blocks.
    const bool plain = block_elements(stored.dtype) == 1;

    if (seven_ && last == "x_rwkvag") { // six mixing vectors, one after the other
        constexpr std::string_view kLetters = "rwkvag";
        if (shape[0] != kLetters.size() || shape.size() < 2 || shape.back() * kLetters.size() != elements)
            return fail(fmt::format("tensor {} is {}, expected [6, 1, width]; the file is damaged", printable(name),
                                    shape_text(shape)));
        const std::size_t row = place.bytes.size() / kLetters.size();
        for (std::size_t i = 0; i < kLetters.size(); ++i) {
            Place part = place;
            part.bytes = place.bytes.subspan(i * row, row);
            const std::string prefix(name.substr(0, name.size() - last.size()));
            FF_TRY(add(fmt::format("{}x_{}", prefix, kLetters[i]), stored.dtype, {1, 1, shape.back()}, part,
                       Undo::nothing));
        }
        return {};
    }
    const bool low_rank = (seven_ && is_any_of(last, {"w1", "w2", "a1", "a2", "v1", "v2", "g1", "g2"})) ||
                          (six_ && is_any_of(last, {"time_maa_w1", "time_maa_w2", "time_decay_w1", "time_decay_w2"}));
    if (low_rank) {
        if (shape.size() == 1) shape.insert(shape.begin(), 1);
        std::swap(shape.back(), shape[shape.size() - 2]);
        return add(stored.name, plain ? stored.dtype : DType::f32, std::move(shape), place, Undo::turn);
    }
    if (last == "time_faaaa" || (five_ && last == "time_decay")) { // [H, N, 1] or [H, 1, 1]
        const std::uint64_t heads = shape[0], size = elements / heads;
        if (plain) shape = size == 1 ? std::vector{heads} : std::vector{heads, size};
        if (last == "time_faaaa") return view();
        return add(stored.name, DType::f32, std::move(shape), place, Undo::decay5);
    }
    if (five_ && last == "time_first") return add(stored.name, DType::f32, {elements}, place, Undo::bonus5);
    if (!five_ && !six_ && !seven_ && last == "time_decay")
        return add(stored.name, DType::f32, {elements}, place, Undo::decay4);
    const bool vector = (seven_ && is_any_of(last, {"w0", "a0", "v0", "k_k", "k_a", "x_k"})) ||
                        (six_ && last == "time_decay") || last.starts_with("time_mix_") ||
                        last.starts_with("time_maa_");
    if (vector && plain) shape = {1, 1, elements};
    return view();
}

// In double precision, and within what changes nothing: a decay stored as exactly 1 or 0 has lost its exponent, and the
// bounds below mean the same to every float32.
Result<TensorBytes> GgmlBinSource::restored(const Place &place) const {
    std::vector<float> values(static_cast<std::size_t>(place.stored.elements()));
    to_float32(place.stored.dtype, place.bytes, values);
    for (float &value : values) {
        const double x = value;
        const bool possible = place.undo == Undo::decay4   ? x <= 0
                              : place.undo == Undo::decay5 ? x >= 0 && x <= 1
                                                           : x >= 0;
        if (!possible || !std::isfinite(x))
            return fail(fmt::format("tensor {} holds {}, which is no {}; the file is damaged",
                                    printable(place.stored.name), value,
                                    place.undo == Undo::bonus5 ? "exponential" : "decay"));
        const double exponent = place.undo == Undo::decay4   ? std::log(-x)
                                : place.undo == Undo::decay5 ? std::log(-std::log(x))
                                                             : std::log(x);
        value = static_cast<float>(std::clamp(exponent, -104.0, 88.0)); // exp of less is 0, of more no float32
    }
    const auto bytes = std::as_bytes(std::span(values));
    return TensorBytes(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

} // namespace

Result<std::unique_ptr<TensorSource>> open_ggml_bin(std::string path, std::span<const std::byte> bytes) {
    auto source = std::make_unique<GgmlBinSource>(std::move(path), bytes);
    FF_TRY(source->load());
    return source;
}

} // namespace ff::loader
