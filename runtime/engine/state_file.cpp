#include "runtime/engine/state_file.h"

#include "loader/text.h"
#include "runtime/engine/tuned_state.h"

#include <bit>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace ff::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "snapshots are little-endian");

constexpr const char *kSchema = "firefinch-state/1";
constexpr std::size_t kFingerprintDigits = 16;

std::string tensor_name(std::uint32_t layer, const model::StatePart &part) {
    return fmt::format("blocks.{}.{}", layer, part.name);
}

std::uint64_t part_bytes(const model::StatePart &part) {
    return std::uint64_t{4} * part.elements();
}

// [heads, N, N] with the last two axes exchanged: from the device's order to the file's, and back.
void turn(const model::StatePart &part, std::byte *bytes) {
    const std::size_t size = part.shape[2], matrix = size * size;
    std::vector<float> values(part.elements());
    std::memcpy(values.data(), bytes, part_bytes(part));
    for (std::size_t head = 0; head < part.shape[0]; ++head)
        for (std::size_t row = 0; row < size; ++row)
            for (std::size_t column = 0; column < row; ++column)
                std::swap(values[head * matrix + row * size + column], values[head * matrix + column * size + row]);
    std::memcpy(bytes, values.data(), part_bytes(part));
}

struct Header {
    std::string text; // padded to whole words of 8 bytes
    std::uint64_t data_bytes = 0;
};

Header header_of(const StateShape &shape, const model::StateLayout &layout, const std::string &fingerprint,
                 bool with_logits) {
    nlohmann::ordered_json header;
    header["__metadata__"] = {{"format", kSchema},
                              {"rwkv_version", shape.version},
                              {"layers", std::to_string(shape.layers)},
                              {"width", std::to_string(shape.width)},
                              {"heads", std::to_string(shape.heads)},
                              {"head_size", std::to_string(shape.head_size)},
                              {"model_fingerprint", fingerprint}};
    Header made;
    const auto describe = [&](const std::string &name, const std::vector<std::uint32_t> &sizes, std::uint64_t bytes) {
        const std::uint64_t at = made.data_bytes;
        header[name] = {{"dtype", "F32"}, {"shape", sizes}, {"data_offsets", {at, at + bytes}}};
        made.data_bytes += bytes;
    };
    for (std::uint32_t layer = 0; layer < shape.layers; ++layer)
        for (const model::StatePart &part : layout.parts)
            describe(tensor_name(layer, part), part.shape, part_bytes(part));
    if (with_logits) describe("logits", {shape.vocabulary}, std::uint64_t{4} * shape.vocabulary);
    made.text = header.dump();
    made.text.resize((made.text.size() + 7) / 8 * 8, ' ');
    return made;
}

Error write_error(const std::string &path) {
    return Error{Status::io, fmt::format("{}: cannot write the state file: {}", path, std::strerror(errno))};
}

} // namespace

std::uint64_t state_file_bytes(const StateShape &shape, const model::StateLayout &layout, bool with_logits) {
    const Header made = header_of(shape, layout, std::string(kFingerprintDigits, '0'), with_logits);
    return sizeof made.text.size() + made.text.size() + made.data_bytes;
}

std::vector<std::byte> encode_state(const Snapshot &snapshot, const model::StateLayout &layout,
                                    const std::string &fingerprint) {
    const Header header = header_of(snapshot.shape, layout, fingerprint, !snapshot.logits.empty());
    const std::uint64_t size = header.text.size();
    std::vector<std::byte> file;
    file.reserve(sizeof size + size + header.data_bytes);
    const auto append = [&](const void *bytes, std::size_t count) {
        file.insert(file.end(), static_cast<const std::byte *>(bytes), static_cast<const std::byte *>(bytes) + count);
    };
    append(&size, sizeof size);
    append(header.text.data(), header.text.size());
    for (std::uint32_t layer = 0; layer < snapshot.shape.layers; ++layer)
        for (const model::StatePart &part : layout.parts) {
            append(snapshot.states.data() + layer * layout.slot_bytes + part.offset +
                       snapshot.parity * part.copy_stride,
                   part_bytes(part));
            if (part.turned) turn(part, file.data() + file.size() - part_bytes(part));
        }
    append(snapshot.logits.data(), 4 * snapshot.logits.size());
    return file;
}

Result<void> write_state_file(const std::string &path, std::span<const std::byte> encoded) {
    const std::string temporary = path + ".partial";
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        if (!file) return write_error(path);
        file.write(reinterpret_cast<const char *>(encoded.data()), static_cast<std::streamsize>(encoded.size()));
        file.flush();
        if (!file) {
            Error error = write_error(path);
            std::error_code ignored;
            std::filesystem::remove(temporary, ignored);
            return error;
        }
    }
    std::error_code failed;
    std::filesystem::rename(temporary, path, failed);
    if (failed) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        return Error{Status::io, fmt::format("{}: cannot write the state file: {}", path, failed.message())};
    }
    return {};
}

Result<Snapshot> read_state(const loader::TensorSource &file, const StateShape &shape,
                            const model::StateLayout &layout) {
    if (is_tuned_state(file)) return read_tuned_state(file, shape, layout);
    const std::string path = loader::printable(file.path());
    const auto value = [&](const char *key) {
        const auto found = file.metadata().find(key);
        return found == file.metadata().end() ? std::string("?") : loader::printable(found->second);
    };
    if (value("format") != kSchema)
        return Error{Status::model_file,
                     fmt::format("{}: this is not a firefinch state file (its format is \"{}\", expected \"{}\")", path,
                                 value("format"), kSchema)};
    if (value("rwkv_version") != shape.version || value("layers") != std::to_string(shape.layers) ||
        value("width") != std::to_string(shape.width) || value("heads") != std::to_string(shape.heads) ||
        value("head_size") != std::to_string(shape.head_size))
        return Error{
            Status::model_file,
            fmt::format("{}: this is a state of RWKV {} with {} layers, width {}, {} heads of {}; the model is "
                        "{}",
                        path, value("rwkv_version"), value("layers"), value("width"), value("heads"),
                        value("head_size"), text_of(shape))};

    const auto read = [&](const std::string &name, std::span<const std::uint32_t> sizes,
                          std::byte *to) -> Result<void> {
        const auto index = loader::find_tensor(file, name);
        if (!index)
            return Error{Status::model_file, fmt::format("{}: tensor {} is missing from this state file", path, name)};
        const loader::TensorInfo &info = file.tensors()[*index];
        if (info.dtype != loader::DType::f32 ||
            !std::equal(sizes.begin(), sizes.end(), info.shape.begin(), info.shape.end()))
            return Error{Status::model_file,
                         fmt::format("{}: tensor {} is [{}] {}, this model needs [{}] f32", path, name,
                                     fmt::join(info.shape, ", "), loader::name_of(info.dtype), fmt::join(sizes, ", "))};
        FF_TRY_ASSIGN(const loader::TensorBytes stored, file.read(*index));
        std::memcpy(to, stored.bytes().data(), stored.bytes().size());
        return {};
    };
    Snapshot snapshot;
    snapshot.shape = shape;
    snapshot.states.assign(layout.slot_bytes * shape.layers, std::byte{0});
    for (std::uint32_t layer = 0; layer < shape.layers; ++layer)
        for (const model::StatePart &part : layout.parts) {
            std::byte *to = snapshot.states.data() + layer * layout.slot_bytes + part.offset;
            FF_TRY(read(tensor_name(layer, part), part.shape, to));
            if (part.turned) turn(part, to);
        }
    if (loader::find_tensor(file, "logits")) {
        snapshot.logits.resize(shape.vocabulary);
        FF_TRY(read("logits", std::span(&shape.vocabulary, 1), reinterpret_cast<std::byte *>(snapshot.logits.data())));
    }
    const std::size_t expected = std::size_t{shape.layers} * layout.parts.size() + (snapshot.logits.empty() ? 0 : 1);
    if (file.tensors().size() != expected)
        return Error{Status::model_file, fmt::format("{}: this state file has {} tensors, this model's states have {}",
                                                     path, file.tensors().size(), expected)};
    return snapshot;
}

} // namespace ff::engine
