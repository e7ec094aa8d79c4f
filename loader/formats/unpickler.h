// Reads the pickle of a torch checkpoint and executes nothing: a pickle is a program for a small stack machine, and
// this machine knows only the instructions that a dictionary of tensors needs. Whatever else a pickle can name or call
// is refused with its name. Instructions: CPython's Lib/pickletools.py; protocols 2 to 5.
#pragma once

#include "loader/tensor_source.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ff::loader {

// Far above any checkpoint (61 layers take some 20,000 values), low enough that no hostile file takes 64 MiB.
constexpr std::size_t kPickleObjectLimit = 250'000; // stack, memo, containers, and the items within them, each
constexpr std::size_t kPickleTensorLimit = 50'000;  // 1024 layers of 40 are fewer
constexpr std::size_t kPickleRankLimit = 8;

// The names a checkpoint may use.
enum class PickleGlobal : std::uint8_t {
    ordered_dict,      // collections.OrderedDict
    rebuild_tensor,    // torch._utils._rebuild_tensor_v2
    rebuild_parameter, // torch._utils._rebuild_parameter
    float_storage,     // torch.FloatStorage, HalfStorage, BFloat16Storage
    half_storage,
    bfloat16_storage,
};

// Containers live in the document and values refer to them by index, so that no nesting, cycle or repetition in the
// file can cost more than its own bytes.
struct PickleValue {
    enum class Kind : std::uint8_t {
        none,
        boolean,
        integer,
        real,
        text,
        bytes,
        tuple,
        list,
        dict,
        global,
        storage,
        tensor
    };
    Kind kind = Kind::none;
    PickleGlobal global{};    // global
    std::uint32_t index = 0;  // tuple, list, dict, storage, tensor: which one of the document
    std::int64_t integer = 0; // boolean, integer
    std::string_view text{};  // text, bytes: inside the pickle's own bytes
};
std::string_view name_of(PickleValue::Kind kind); // "an integer", "a tuple"

struct PickledStorage {
    DType dtype = DType::f32;
    std::string_view key; // the archive's entry data/<key>
    std::uint64_t elements = 0;
};

struct PickledTensor {
    std::uint32_t storage = 0;
    std::uint64_t offset = 0;                  // in elements of the storage
    std::vector<std::uint64_t> shape, strides; // strides in elements
};

struct PickleDocument {
    std::vector<std::vector<PickleValue>> sequences;                     // of tuples and lists
    std::vector<std::vector<std::pair<PickleValue, PickleValue>>> dicts; // in the order they were set
    std::vector<PickledStorage> storages;
    std::vector<PickledTensor> tensors;
    PickleValue root;
};

// `bytes` must outlive the document; `path` begins the messages.
// Fails with model_file (damaged, or too large) or unsupported (names something else than the list above).
Result<PickleDocument> unpickle(const std::string &path, std::span<const std::byte> bytes);

} // namespace ff::loader
