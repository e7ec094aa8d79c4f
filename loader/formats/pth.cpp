#include "loader/formats/pth.h"

#include "loader/checked.h"
#include "loader/formats/unpickler.h"
#include "loader/formats/zip_archive.h"
#include "loader/guard.h"
#include "loader/text.h"

#include <fmt/format.h>
#include <unordered_set>

namespace ff::loader {

namespace {

using Kind = PickleValue::Kind;

constexpr std::uint64_t kPickleLimit = 16 << 20; // of a 14B model: about 100 KB
// Names and structure compress well, but not beyond this; what does is not a description of tensors.
constexpr std::uint64_t kPickleRatioLimit = 200;

// Where the values of one tensor are.
struct Place {
    std::size_t entry = 0;              // of the archive
    std::uint64_t offset = 0;           // in elements of the storage
    std::vector<std::uint64_t> strides; // in elements
    bool contiguous = false;
};

bool is_contiguous(const PickledTensor &tensor) {
    std::uint64_t expected = 1;
    for (std::size_t i = tensor.shape.size(); i-- > 0;) {
        if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false; // an axis of 1 may have any stride
        expected *= tensor.shape[i];                                             // checked to fit by place_of
    }
    return true;
}

// Row-major copy of a strided view whose extent has been checked to lie inside `storage`.
std::vector<std::byte> gather(const TensorInfo &info, const Place &place, std::span<const std::byte> storage) {
    const auto element = static_cast<std::size_t>(bytes_per_element(info.dtype));
    std::vector<std::byte> out(static_cast<std::size_t>(info.bytes()));
    std::vector<std::uint64_t> position(info.shape.size(), 0);
    std::uint64_t from = place.offset;
    for (std::size_t to = 0; to < out.size(); to += element) {
        std::memcpy(out.data() + to, storage.data() + from * element, element);
        for (std::size_t axis = position.size(); axis-- > 0;) { // the next position, as an odometer counts
            from += place.strides[axis];
            if (++position[axis] < info.shape[axis]) break;
            from -= place.strides[axis] * info.shape[axis];
            position[axis] = 0;
        }
    }
    return out;
}

class PthSource final : public TensorSource {
  public:
    PthSource(std::string path, std::unique_ptr<ZipArchive> archive)
        : path_(std::move(path)), archive_(std::move(archive)) {}

    Result<void> load() {
        FF_TRY_ASSIGN(const std::size_t pickle, find_pickle());
        const ZipEntry &entry = archive_->entries()[pickle];
        root_ = entry.name.substr(0, entry.name.size() - std::string_view("data.pkl").size());
        FF_TRY(check_kind());
        if (entry.size > (1 << 20) && entry.size / kPickleRatioLimit > entry.compressed_size)
            return fail(
                fmt::format("data.pkl claims {} bytes from {}, expected at most {} times as many; it was made to "
                            "exhaust memory",
                            entry.size, entry.compressed_size, kPickleRatioLimit));
        FF_TRY_ASSIGN(const std::vector<std::byte> bytes, archive_->read(pickle, kPickleLimit));
        FF_TRY_ASSIGN(const PickleDocument document, unpickle(path_, bytes));
        return take_tensors(document);
    }

    const std::string &path() const override { return path_; }
    std::string_view container() const override { return "pth"; }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return metadata_; }
    Result<TensorBytes> read(std::size_t index) const override;

  private:
    Error fail(const std::string &what, Status status = Status::model_file) const {
        return Error{status, fmt::format("{}: {}", printable(path_), what)};
    }

    Result<std::size_t> find_pickle() const;
    Result<void> check_kind() const;
    Result<void> take_tensors(const PickleDocument &document);
    Result<void> take_tensor(const PickleDocument &document, std::string_view name, const PickledTensor &tensor);

    std::string path_;
    std::string root_; // with its slash
    std::unique_ptr<ZipArchive> archive_;
    std::vector<TensorInfo> tensors_;
    std::vector<Place> places_;
    std::map<std::string, std::string> metadata_;
};

Result<std::size_t> PthSource::find_pickle() const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < archive_->entries().size(); ++i) {
        const std::string &name = archive_->entries()[i].name;
        if (name != "data.pkl" && !name.ends_with("/data.pkl")) continue;
        if (found)
            return fail(fmt::format("the archive has both {} and {}, expected one checkpoint; get the file again",
                                    printable(archive_->entries()[*found].name), printable(name)));
        found = i;
    }
    if (!found)
        return fail(
            "this zip archive has no data.pkl, so it is not a torch checkpoint; unpack it if the model is inside",
            Status::unsupported);
    return *found;
}

// What else than a plain little-endian checkpoint has a data.pkl.
Result<void> PthSource::check_kind() const {
    if (archive_->find(root_ + "constants.pkl"))
        return fail(
            "this is a TorchScript program, expected a checkpoint; save the model's state_dict() with torch.save",
            Status::unsupported);
    if (const auto order = archive_->find(root_ + "byteorder")) {
        FF_TRY_ASSIGN(const std::vector<std::byte> bytes, archive_->read(*order, 16));
        const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
        if (text != "little")
            return fail(
                fmt::format("byteorder is \"{}\", expected \"little\"; save it again on a little-endian machine",
                            printable(text)),
                Status::unsupported);
    }
    return {};
}

Result<void> PthSource::take_tensors(const PickleDocument &document) {
    if (document.root.kind != Kind::dict)
        return fail(fmt::format("data.pkl holds {}, expected a dictionary of tensors; save the model's state_dict()",
                                name_of(document.root.kind)),
                    Status::unsupported);
    const auto *items = &document.dicts[document.root.index];
    for (const auto &[key, value] : *items) {
        const bool wrapper =
            key.kind == Kind::text && value.kind == Kind::dict &&
            (key.text == "state_dict" || key.text == "model" || key.text == "model_state_dict" || key.text == "module");
        if (!wrapper) continue;
        items = &document.dicts[value.index];
        break;
    }
    std::unordered_set<std::string_view> names;
    for (const auto &[key, value] : *items) {
        if (key.kind != Kind::text)
            return fail(fmt::format("a tensor's name in data.pkl is {}, expected a text; save the model's state_dict()",
                                    name_of(key.kind)));
        const std::string name = printable(key.text);
        if (!is_utf8(key.text)) return fail(fmt::format("the tensor name {} is not UTF-8; the file is damaged", name));
        if (value.kind != Kind::tensor)
            return fail(
                fmt::format("entry {} of data.pkl is {}, expected a tensor; save the model's state_dict() alone", name,
                            name_of(value.kind)),
                Status::unsupported);
        if (!names.insert(key.text).second)
            return fail(fmt::format("tensor {} appears twice in data.pkl; the file is damaged", name));
        FF_TRY(take_tensor(document, key.text, document.tensors[value.index]));
    }
    if (tensors_.empty())
        return fail("data.pkl holds an empty dictionary, expected tensors; was the right object saved?");
    return {};
}

Result<void> PthSource::take_tensor(const PickleDocument &document, std::string_view name,
                                    const PickledTensor &tensor) {
    const PickledStorage &storage = document.storages[tensor.storage];
    const auto bad = [&](const std::string &what) {
        return fail(fmt::format("tensor {} {}; the file is damaged, get it again", printable(name), what));
    };
    const auto entry = archive_->find(fmt::format("{}data/{}", root_, storage.key));
    if (!entry) return bad(fmt::format("needs the entry data/{}, which the archive lacks", printable(storage.key)));
    const auto bytes = checked_multiply(storage.elements, bytes_per_element(storage.dtype));
    const std::uint64_t found = archive_->entries()[*entry].size;
    if (!bytes || *bytes != found)
        return bad(fmt::format("has a storage of {} {} elements, but its entry data/{} has {} bytes", storage.elements,
                               name_of(storage.dtype), printable(storage.key), found));

    const auto elements = checked_product(tensor.shape);
    // An expanded view (stride 0) may claim any size over a few bytes; no checkpoint holds one.
    if (!elements || *elements > storage.elements)
        return bad(
            fmt::format("is {}, more than the {} elements of its storage", shape_text(tensor.shape), storage.elements));
    std::uint64_t last = tensor.offset; // the highest element that it touches
    if (*elements != 0) {
        for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
            const auto reach = checked_multiply(tensor.shape[i] - 1, tensor.strides[i]);
            const auto sum = reach ? checked_add(last, *reach) : std::nullopt;
            if (!sum) return bad("has strides that overflow");
            last = *sum;
        }
        if (last >= storage.elements)
            return bad(fmt::format("reaches element {} of a storage of {}", last, storage.elements));
    } else if (tensor.offset > storage.elements) {
        return bad(fmt::format("begins at element {} of a storage of {}", tensor.offset, storage.elements));
    }
    tensors_.push_back({std::string(name), storage.dtype, tensor.shape});
    places_.push_back({*entry, tensor.offset, tensor.strides, *elements == 0 || is_contiguous(tensor)});
    return {};
}

Result<TensorBytes> PthSource::read(std::size_t index) const {
    if (index >= tensors_.size())
        return Error{Status::argument, fmt::format("{}: tensor {} was asked for, there are {}", printable(path_), index,
                                                   tensors_.size())};
    return guarded(path_, "copying a tensor", [&]() -> Result<TensorBytes> {
        const TensorInfo &info = tensors_[index];
        const Place &place = places_[index];
        const auto offset = static_cast<std::size_t>(place.offset * bytes_per_element(info.dtype));
        const auto size = static_cast<std::size_t>(info.bytes());
        if (size == 0) return TensorBytes(std::span<const std::byte>());
        if (const auto stored = archive_->view(place.entry)) {
            if (place.contiguous) return TensorBytes(stored->subspan(offset, size));
            return TensorBytes(gather(info, place, *stored));
        }
        FF_TRY_ASSIGN(std::vector<std::byte> storage,
                      archive_->read(place.entry, archive_->entries()[place.entry].size));
        if (!place.contiguous) return TensorBytes(gather(info, place, storage));
        if (size != storage.size()) {
            storage.erase(storage.begin(), storage.begin() + static_cast<std::ptrdiff_t>(offset));
            storage.resize(size);
        }
        return TensorBytes(std::move(storage));
    });
}

} // namespace

Result<std::unique_ptr<TensorSource>> open_pth(std::string path, std::span<const std::byte> bytes) {
    FF_TRY_ASSIGN(std::unique_ptr<ZipArchive> archive, ZipArchive::open(path, bytes));
    auto source = std::make_unique<PthSource>(std::move(path), std::move(archive));
    FF_TRY(source->load());
    return source;
}

} // namespace ff::loader
