// The pipelines that captured devices would be given: list_pipelines FOLDER [PROFILE...] (all of them if none is named).
// Writes FOLDER/spirv/*.spv, and for each device FOLDER/PROFILE.pipelines, a line each:
// NAME FILE BINDINGS PUSH_BYTES SUBGROUP_SIZE ID=VALUE..., FILE seen from FOLDER, of every version and weight type 2048 wide.
#include "loader/synthetic_source.h"
#include "runtime/gpu/captured_devices.h"
#include "runtime/model/choices.h"
#include "shaders/lib/interface.h"
#include "tests/drivers/shapes.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <span>

using namespace ff;

namespace {

constexpr std::uint32_t kWidth = 2048;

std::string line_of(const kernels::Launch &launch) {
    const std::string name = kernels::full_name(*launch.variant);
    std::string line = fmt::format("{} spirv/{}.spv {} {} {}", name, name, launch.buffers.size(),
                                   launch.push_constants.size(), launch.subgroup_size);
    for (const gpu::SpecConstant &constant : launch.constants) line += fmt::format(" {}={}", constant.id, constant.value);
    return line;
}

// The same launch of a file that keeps low-rank matrices in float32 beside those of 16 bits, as llama.cpp's do.
std::optional<kernels::Launch> with_f32_beside(kernels::Launch launch) {
    const std::string_view kernel = launch.variant->kernel;
    const std::optional<kernels::WeightType> type = kernels::weight_type_of(*launch.variant);
    const bool segments = kernel == "mix_project" || kernel == "project" || kernel == "matmul" || kernel == "matmul_few";
    if (!segments || launch.variant->needs_coopmat) return std::nullopt;
    if (type != kernels::WeightType::f16 && type != kernels::WeightType::bf16) return std::nullopt;
    for (const gpu::SpecConstant &constant : launch.constants)
        if (constant.id == shader::kSpecByInput || constant.id == shader::kSpecPlainType) return std::nullopt;
    launch.constants.push_back({shader::kSpecPlainType, shader::kPlainF32});
    return launch;
}

Result<void> list(const gpu::CapturedDevice &device, const std::filesystem::path &folder) {
    std::ofstream out(folder / fmt::format("{}.pipelines", device.profile));
    std::set<std::string> listed;
    for (const loader::Version version : test::kVersions) {
        FF_TRY_ASSIGN(const auto source,
                      loader::synthetic_source(test::two_layers(version, kWidth), loader::DType::f16));
        for (const loader::DType weights : test::kWeights) {
            FF_TRY_ASSIGN(const auto launches, model::chosen_launches(device.info, *source, {.type = weights}));
            const auto add = [&](const kernels::Launch &launch) {
                const std::string line = line_of(launch);
                if (listed.insert(line).second) out << line << '\n';
            };
            for (const kernels::Launch &launch : launches) {
                add(launch);
                if (const auto beside = with_f32_beside(launch)) add(*beside);
            }
        }
    }
    if (!out) return Error{Status::io, fmt::format("{} cannot be written", folder.string())};
    return {};
}

} // namespace

int main(int count, char **arguments) {
    if (count < 2) {
        std::fputs("use: list_pipelines FOLDER [PROFILE...]\n", stderr);
        return 2;
    }
    const std::filesystem::path folder = arguments[1];
    std::filesystem::create_directories(folder / "spirv");
    for (const kernels::Variant &variant : kernels::all_variants()) {
        std::ofstream out(folder / "spirv" / (kernels::full_name(variant) + ".spv"), std::ios::binary);
        out.write(reinterpret_cast<const char *>(variant.spirv.data()),
                  static_cast<std::streamsize>(variant.spirv.size_bytes()));
    }
    std::vector<const gpu::CapturedDevice *> devices;
    for (const std::string_view name : std::span(arguments + 2, arguments + count)) {
        const gpu::CapturedDevice *device = gpu::find_captured_device(name);
        if (!device) {
            fmt::print(stderr, "list_pipelines: no captured device is named {}\n", name);
            return 2;
        }
        devices.push_back(device);
    }
    if (devices.empty())
        for (const gpu::CapturedDevice &device : gpu::captured_devices()) devices.push_back(&device);
    for (const gpu::CapturedDevice *device : devices)
        if (const auto listed = list(*device, folder); !listed) {
            fmt::print(stderr, "list_pipelines: {}: {}\n", device->profile, listed.error().message);
            return 1;
        }
    return 0;
}
