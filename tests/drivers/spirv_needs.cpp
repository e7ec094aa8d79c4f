#include "tests/drivers/spirv_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace ff::test {
namespace {

// Numbers of the SPIR-V specification, section 3.
enum Op : std::uint32_t {
    OpCapability = 17, OpTypeBool = 20, OpTypeInt = 21, OpTypeFloat = 22, OpTypeVector = 23, OpTypeArray = 28,
    OpTypeStruct = 30, OpTypePointer = 32, OpConstantTrue = 41, OpConstantFalse = 42, OpConstant = 43,
    OpConstantComposite = 44, OpSpecConstantTrue = 48, OpSpecConstantFalse = 49, OpSpecConstant = 50,
    OpSpecConstantComposite = 51, OpSpecConstantOp = 52, OpFunction = 54, OpVariable = 59, OpDecorate = 71,
    OpCompositeExtract = 81, OpIAdd = 128, OpISub = 130, OpIMul = 132, OpUDiv = 134, OpUMod = 137, OpLogicalOr = 166,
    OpLogicalAnd = 167, OpLogicalNot = 168, OpSelect = 169, OpIEqual = 170, OpINotEqual = 171, OpUGreaterThan = 172,
    OpUGreaterThanEqual = 174, OpULessThan = 176, OpULessThanEqual = 178, OpShiftRightLogical = 194,
    OpShiftLeftLogical = 196, OpBitwiseOr = 197, OpBitwiseAnd = 199,
};
constexpr std::uint32_t kSpecId = 1, kWorkgroup = 4;

class Module {
  public:
    explicit Module(std::span<const gpu::SpecConstant> constants) : constants_(constants) {}

    void instruction(std::uint32_t op, std::span<const std::uint32_t> o) {
        switch (op) {
        case OpCapability:
            needs.capabilities.push_back(o[0]);
            break;
        case OpDecorate:
            if (o[1] == kSpecId) spec_ids_[o[0]] = o[2];
            break;
        case OpTypeBool:
            sizes_[o[0]] = 4;
            break;
        case OpTypeInt:
        case OpTypeFloat:
            sizes_[o[0]] = o[1] / 8;
            break;
        case OpTypeVector:
            sizes_[o[0]] = size(o[1]) * o[2];
            break;
        case OpTypeArray:
            if (sizes_.contains(o[1])) sizes_[o[0]] = size(o[1]) * value(o[2]); // not of matrices: they lie in registers
            break;
        case OpTypeStruct:
            if (std::ranges::all_of(o.subspan(1), [&](std::uint32_t member) { return sizes_.contains(member); }))
                for (const std::uint32_t member : o.subspan(1)) sizes_[o[0]] += sizes_[member];
            break;
        case OpTypePointer:
            pointed_[o[0]] = o[2];
            break;
        case OpVariable:
            if (o[2] == kWorkgroup) needs.shared_bytes += size(pointed_[o[0]]);
            break;
        case OpConstantTrue:
        case OpSpecConstantTrue:
            values_[o[1]] = specialised(o[1], 1);
            break;
        case OpConstantFalse:
        case OpSpecConstantFalse:
            values_[o[1]] = specialised(o[1], 0);
            break;
        case OpConstant:
            values_[o[1]] = o[2];
            break;
        case OpSpecConstant:
            values_[o[1]] = specialised(o[1], o[2]);
            break;
        case OpConstantComposite:
        case OpSpecConstantComposite:
            composites_[o[1]] = {o.begin() + 2, o.end()};
            break;
        case OpSpecConstantOp:
            values_[o[1]] = operation(o[2], o.subspan(3));
            break;
        default:
            break;
        }
    }
    SpirvNeeds needs;

  private:
    std::uint32_t specialised(std::uint32_t id, std::uint32_t otherwise) const {
        if (const auto found = spec_ids_.find(id); found != spec_ids_.end())
            for (const gpu::SpecConstant &constant : constants_)
                if (constant.id == found->second) return constant.value;
        return otherwise;
    }
    std::uint32_t value(std::uint32_t id) const {
        if (const auto found = values_.find(id); found != values_.end()) return found->second;
        throw std::runtime_error(fmt::format("%{} is no constant that is known", id));
    }
    std::uint64_t size(std::uint32_t type) const {
        if (const auto found = sizes_.find(type); found != sizes_.end()) return found->second;
        throw std::runtime_error(fmt::format("%{} is no type of known size", type));
    }
    std::uint32_t operation(std::uint32_t op, std::span<const std::uint32_t> o) const {
        if (op == OpCompositeExtract) {
            const auto composite = composites_.find(o[0]);
            if (composite == composites_.end()) throw std::runtime_error("OpCompositeExtract of no composite");
            return value(composite->second.at(o[1]));
        }
        const std::uint32_t a = value(o[0]);
        if (op == OpLogicalNot) return a == 0 ? 1 : 0;
        const std::uint32_t b = value(o[1]);
        switch (op) {
        case OpSelect:
            return a != 0 ? b : value(o[2]);
        case OpIAdd:
            return a + b;
        case OpISub:
            return a - b;
        case OpIMul:
            return a * b;
        case OpUDiv:
            return b == 0 ? 0 : a / b;
        case OpUMod:
            return b == 0 ? 0 : a % b;
        case OpLogicalOr:
        case OpBitwiseOr:
            return a | b;
        case OpLogicalAnd:
        case OpBitwiseAnd:
            return a & b;
        case OpIEqual:
            return a == b ? 1 : 0;
        case OpINotEqual:
            return a != b ? 1 : 0;
        case OpUGreaterThan:
            return a > b ? 1 : 0;
        case OpUGreaterThanEqual:
            return a >= b ? 1 : 0;
        case OpULessThan:
            return a < b ? 1 : 0;
        case OpULessThanEqual:
            return a <= b ? 1 : 0;
        case OpShiftRightLogical:
            return b < 32 ? a >> b : 0;
        case OpShiftLeftLogical:
            return b < 32 ? a << b : 0;
        default:
            throw std::runtime_error(fmt::format("OpSpecConstantOp {} is not known", op));
        }
    }

    std::span<const gpu::SpecConstant> constants_;
    std::map<std::uint32_t, std::uint32_t> spec_ids_, values_, pointed_;
    std::map<std::uint32_t, std::uint64_t> sizes_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> composites_;
};

} // namespace

SpirvNeeds spirv_needs(std::span<const std::uint32_t> words, std::span<const gpu::SpecConstant> constants) {
    Module module(constants);
    for (std::size_t at = 5; at < words.size();) {
        const std::uint32_t length = words[at] >> 16, op = words[at] & 0xffff;
        if (length == 0 || at + length > words.size()) throw std::runtime_error("damaged SPIR-V");
        if (op == OpFunction) break; // types, constants and variables come before
        module.instruction(op, words.subspan(at + 1, length - 1));
        at += length;
    }
    return module.needs;
}

std::string missing_capability(const SpirvNeeds &needs, const gpu::DeviceTraits &t) {
    const struct {
        std::uint32_t number;
        const char *name;
        bool offered;
    } known[] = {
        {1, "Shader", true},
        {9, "Float16", t.float16},
        {22, "Int16", t.int16},
        {39, "Int8", t.int8},
        {61, "GroupNonUniform", t.subgroup_basic},
        {63, "GroupNonUniformArithmetic", t.subgroup_arithmetic},
        {65, "GroupNonUniformShuffle", t.subgroup_shuffle},
        {67, "GroupNonUniformClustered", t.subgroup_clustered},
        {4433, "StorageBuffer16BitAccess", t.storage16},
        {4448, "StorageBuffer8BitAccess", t.storage8},
        {5345, "VulkanMemoryModel", !t.matrix_shapes.empty()}, // enabled with them only
        {5347, "PhysicalStorageBufferAddresses", gpu::weights_by_address(t)},
        {6018, "DotProductInput4x8BitPacked", t.integer_dot_product},
        {6019, "DotProduct", t.integer_dot_product},
        {6022, "CooperativeMatrixKHR", !t.matrix_shapes.empty()},
    };
    for (const std::uint32_t capability : needs.capabilities) {
        const auto found = std::ranges::find(known, capability, [](const auto &row) { return row.number; });
        if (found == std::end(known)) return fmt::format("capability {}", capability); // nothing says who has it
        if (!found->offered) return found->name;
    }
    return {};
}

} // namespace ff::test
