// The SPIR-V Specification, version 1.6, sections 2.3 (physical layout) and 3 (binary form).
#include "runtime/gpu/spirv_interface.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

namespace ff::gpu {
namespace {

constexpr std::uint32_t kSpirvMagic = 0x07230203;
constexpr std::size_t kHeaderWords = 5;
constexpr std::uint32_t kMaxId = 1U << 22;         // the specification's own limit on ids
constexpr std::uint32_t kMaxBlockBytes = 1U << 16; // no push-constant block comes near

enum Op : std::uint32_t {
    OpEntryPoint = 15,
    OpExecutionMode = 16,
    OpCapability = 17,
    OpTypeInt = 21,
    OpTypeFloat = 22,
    OpTypeVector = 23,
    OpTypeMatrix = 24,
    OpTypeArray = 28,
    OpTypeRuntimeArray = 29,
    OpTypeStruct = 30,
    OpTypePointer = 32,
    OpConstant = 43,
    OpConstantComposite = 44,
    OpSpecConstantTrue = 48,
    OpSpecConstantFalse = 49,
    OpSpecConstant = 50,
    OpSpecConstantComposite = 51,
    OpFunction = 54,
    OpVariable = 59,
    OpDecorate = 71,
    OpMemberDecorate = 72,
    OpExecutionModeId = 331,
};
enum : std::uint32_t { kGLCompute = 5, kLocalSize = 17, kLocalSizeId = 38 };
enum : std::uint32_t {
    kSpecId = 1,
    kBufferBlock = 3,
    kArrayStride = 6,
    kMatrixStride = 7,
    kBuiltIn = 11,
    kBinding = 33,
    kDescriptorSet = 34,
    kOffset = 35
};
enum : std::uint32_t { kUniform = 2, kPushConstant = 9, kStorageBuffer = 12, kWorkgroupSize = 25 };

// Of an id, whatever it turns out to be.
struct Entry {
    std::uint32_t op = 0;
    std::vector<std::uint32_t> operands; // after the result id (and, of values, after the type)
    std::optional<std::uint32_t> spec_id, binding, set, array_stride;
    bool buffer_block = false, workgroup_size = false;
    std::map<std::uint32_t, std::uint32_t> offsets; // of members
    std::map<std::uint32_t, std::uint32_t> matrix_strides;
};

class Reader {
  public:
    explicit Reader(std::span<const std::uint32_t> words) : words_(words) {}
    Result<SpirvInterface> read();

  private:
    Result<void> instruction(std::uint32_t op, std::span<const std::uint32_t> operands);
    void decorate(std::span<const std::uint32_t> operands);
    Result<void> variables();
    Result<void> local_size();
    // Bytes of a type in a block; damaged modules nest types in themselves, hence the depth.
    Result<std::uint64_t> size_of(std::uint32_t type, std::uint32_t matrix_stride, int depth) const;
    Result<SpirvInterface::Axis> axis(std::uint32_t id) const;

    const Entry *find(std::uint32_t id) const {
        const auto found = entries_.find(id);
        return found == entries_.end() ? nullptr : &found->second;
    }
    static Error damaged(std::string_view what) { return {Status::internal, fmt::format("damaged SPIR-V: {}", what)}; }

    std::span<const std::uint32_t> words_;
    std::map<std::uint32_t, Entry> entries_;
    struct Variable {
        std::uint32_t id, pointer, storage;
    };
    std::vector<Variable> variables_;
    std::optional<std::uint32_t> entry_id_;
    std::optional<std::array<std::uint32_t, 3>> literal_size_, size_ids_;
    SpirvInterface out_;
};

Result<SpirvInterface> Reader::read() {
    if (words_.size() < kHeaderWords) return damaged("shorter than its header");
    if (words_[0] != kSpirvMagic) return damaged(fmt::format("it starts with {:#010x}, not {:#010x}", words_[0], kSpirvMagic));
    if (words_[3] == 0 || words_[3] > kMaxId) return damaged(fmt::format("{} ids", words_[3]));
    bool has_function = false;
    for (std::size_t at = kHeaderWords; at < words_.size();) {
        const std::uint32_t op = words_[at] & 0xffffU, count = words_[at] >> 16U;
        if (count == 0 || count > words_.size() - at)
            return damaged(
                fmt::format("the instruction at word {} is {} words long, {} are left", at, count, words_.size() - at));
        has_function = has_function || op == OpFunction;
        // The interface stands before the first function; of the rest only the lengths are looked at.
        if (!has_function) FF_TRY(instruction(op, words_.subspan(at + 1, count - 1)));
        at += count;
    }
    if (!entry_id_) return damaged("no compute entry point");
    if (!has_function) return damaged("no function");
    FF_TRY(variables());
    FF_TRY(local_size());
    for (const auto &[id, entry] : entries_)
        if (entry.spec_id) out_.constant_ids.push_back(*entry.spec_id);
    for (auto *list : {&out_.constant_ids, &out_.bindings}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    return std::move(out_);
}

Result<void> Reader::instruction(std::uint32_t op, std::span<const std::uint32_t> operands) {
    const auto define = [&](std::size_t id_at, std::size_t least) -> Result<void> {
        if (operands.size() < least) return damaged(fmt::format("instruction {} is too short", op));
        if (operands[id_at] == 0 || operands[id_at] >= words_[3])
            return damaged(fmt::format("id {} is beyond the bound of {}", operands[id_at], words_[3]));
        Entry &entry = entries_[operands[id_at]];
        if (entry.op != 0) return damaged(fmt::format("id {} is defined twice", operands[id_at]));
        entry.op = op;
        entry.operands.assign(operands.begin() + static_cast<std::ptrdiff_t>(id_at) + 1, operands.end());
        return {};
    };
    switch (op) {
    case OpCapability:
        if (operands.empty()) return damaged("a capability without a number");
        out_.capabilities.push_back(operands[0]);
        return {};
    case OpEntryPoint: {
        if (operands.size() < 3) return damaged("a short entry point");
        if (operands[0] != kGLCompute || entry_id_) return {};
        entry_id_ = operands[1];
        const auto name = operands.subspan(2);
        std::string text(name.size_bytes(), '\0');
        std::memcpy(text.data(), name.data(), name.size_bytes());
        const std::size_t end = text.find('\0');
        if (end == std::string::npos) return damaged("an entry point whose name does not end");
        out_.entry_point = text.substr(0, end);
        return {};
    }
    case OpExecutionMode:
    case OpExecutionModeId:
        if (operands.size() >= 5 && entry_id_ && operands[0] == *entry_id_) {
            const std::array<std::uint32_t, 3> three{operands[2], operands[3], operands[4]};
            if (op == OpExecutionMode && operands[1] == kLocalSize) literal_size_ = three;
            if (op == OpExecutionModeId && operands[1] == kLocalSizeId) size_ids_ = three;
        }
        return {};
    case OpDecorate:
        if (operands.size() < 2) return damaged("a short decoration");
        decorate(operands);
        return {};
    case OpMemberDecorate:
        if (operands.size() < 3) return damaged("a short member decoration");
        if (operands.size() >= 4 && operands[2] == kOffset) entries_[operands[0]].offsets[operands[1]] = operands[3];
        if (operands.size() >= 4 && operands[2] == kMatrixStride)
            entries_[operands[0]].matrix_strides[operands[1]] = operands[3];
        return {};
    case OpTypeInt:
    case OpTypeFloat:
    case OpTypeRuntimeArray:
        return define(0, 2);
    case OpTypeVector:
    case OpTypeMatrix:
    case OpTypeArray:
    case OpTypePointer:
        return define(0, 3);
    case OpTypeStruct:
        return define(0, 1);
    case OpConstant:
    case OpSpecConstant:
        return define(1, 3);
    case OpSpecConstantTrue:
    case OpSpecConstantFalse:
    case OpConstantComposite:
    case OpSpecConstantComposite:
        return define(1, 2);
    case OpVariable:
        if (operands.size() < 3) return damaged("a short variable");
        variables_.push_back({operands[1], operands[0], operands[2]});
        return {};
    default:
        return {};
    }
}

void Reader::decorate(std::span<const std::uint32_t> operands) {
    Entry &entry = entries_[operands[0]];
    if (operands[1] == kBufferBlock) entry.buffer_block = true;
    if (operands.size() < 3) return;
    const std::uint32_t value = operands[2];
    switch (operands[1]) {
    case kSpecId:
        entry.spec_id = value;
        break;
    case kBinding:
        entry.binding = value;
        break;
    case kDescriptorSet:
        entry.set = value;
        break;
    case kArrayStride:
        entry.array_stride = value;
        break;
    case kBuiltIn:
        entry.workgroup_size = entry.workgroup_size || value == kWorkgroupSize;
        break;
    default:
        break;
    }
}

Result<void> Reader::variables() {
    for (const Variable &variable : variables_) {
        if (variable.storage != kUniform && variable.storage != kPushConstant && variable.storage != kStorageBuffer)
            continue;
        const Entry *pointer = find(variable.pointer);
        if (pointer == nullptr || pointer->op != OpTypePointer)
            return damaged(fmt::format("variable {} is no pointer", variable.id));
        const std::uint32_t type = pointer->operands[1];
        if (variable.storage == kPushConstant) {
            FF_TRY_ASSIGN(const std::uint64_t bytes, size_of(type, 0, 0));
            out_.push_constant_bytes = std::max(out_.push_constant_bytes, static_cast<std::uint32_t>(bytes));
            continue;
        }
        const Entry *block = find(type), *decorated = find(variable.id);
        // Before SPIR-V 1.3 a storage buffer was a Uniform with a BufferBlock.
        if (variable.storage == kUniform && (block == nullptr || !block->buffer_block))
            return Error{Status::internal, "the shader has a uniform buffer; kernels have storage buffers only"};
        if (decorated == nullptr || !decorated->binding)
            return damaged(fmt::format("buffer {} has no binding", variable.id));
        if (decorated->set.value_or(0) != 0)
            return Error{Status::internal,
                         fmt::format("the shader binds a buffer in set {}; kernels use set 0 only", *decorated->set)};
        out_.bindings.push_back(*decorated->binding);
    }
    return {};
}

Result<std::uint64_t> Reader::size_of(std::uint32_t type, std::uint32_t matrix_stride, int depth) const {
    if (depth > 8) return damaged("types nested too deeply");
    const Entry *entry = find(type);
    if (entry == nullptr) return damaged(fmt::format("type {} is not defined", type));
    const std::vector<std::uint32_t> &operands = entry->operands;
    std::uint64_t bytes = 0;
    switch (entry->op) {
    case OpTypeInt:
    case OpTypeFloat:
        bytes = operands[0] / 8;
        break;
    case OpTypeVector: {
        FF_TRY_ASSIGN(const std::uint64_t element, size_of(operands[0], 0, depth + 1));
        bytes = element * operands[1];
        break;
    }
    case OpTypeMatrix:
        bytes = std::uint64_t{matrix_stride} * operands[1];
        break;
    case OpTypeArray: {
        const Entry *length = find(operands[1]);
        if (length == nullptr || length->op != OpConstant || !entry->array_stride)
            return damaged("an array of unknown length or stride in a block");
        bytes = std::uint64_t{*entry->array_stride} * length->operands[0];
        break;
    }
    case OpTypeStruct:
        if (operands.size() > 1024) return damaged("a block of more than 1024 members");
        for (std::uint32_t i = 0; i < operands.size(); ++i) {
            const auto offset = entry->offsets.find(i), stride = entry->matrix_strides.find(i);
            if (offset == entry->offsets.end()) return damaged("a member of a block without an offset");
            FF_TRY_ASSIGN(const std::uint64_t member,
                          size_of(operands[i], stride == entry->matrix_strides.end() ? 0 : stride->second, depth + 1));
            bytes = std::max(bytes, offset->second + member);
            if (bytes > kMaxBlockBytes) break;
        }
        break;
    default:
        return damaged(fmt::format("type {} in a block", entry->op));
    }
    if (bytes > kMaxBlockBytes) return damaged("a push-constant block beyond all limits");
    return bytes;
}

Result<SpirvInterface::Axis> Reader::axis(std::uint32_t id) const {
    const Entry *constant = find(id);
    if (constant == nullptr || (constant->op != OpConstant && constant->op != OpSpecConstant))
        return damaged("a workgroup size that is no constant");
    SpirvInterface::Axis out;
    out.size = constant->operands[0];
    out.specialised = constant->op == OpSpecConstant && constant->spec_id.has_value();
    out.constant_id = out.specialised ? *constant->spec_id : 0;
    return out;
}

Result<void> Reader::local_size() {
    // The builtin WorkgroupSize overrides the execution mode.
    std::optional<std::array<std::uint32_t, 3>> ids = size_ids_;
    for (const auto &[id, entry] : entries_) {
        if (!entry.workgroup_size) continue;
        if ((entry.op != OpConstantComposite && entry.op != OpSpecConstantComposite) || entry.operands.size() < 3)
            return damaged("a workgroup size that is no vector of three");
        ids = {entry.operands[0], entry.operands[1], entry.operands[2]};
    }
    for (std::size_t i = 0; i < 3; ++i) {
        if (ids) {
            FF_TRY_ASSIGN(out_.local_size[i], axis((*ids)[i]));
        } else if (literal_size_) {
            out_.local_size[i].size = (*literal_size_)[i];
        }
    }
    return {};
}

} // namespace

Result<SpirvInterface> read_spirv_interface(std::span<const std::uint32_t> words) {
    return Reader(words).read();
}

} // namespace ff::gpu
