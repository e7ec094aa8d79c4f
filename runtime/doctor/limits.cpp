#include "runtime/doctor/limits.h"

#include "runtime/gpu/recorder.h"
#include "runtime/gpu/timeline.h"
#include "runtime/gpu/upload.h"
#include "runtime/kernels/launches.h"
#include "shaders/lib/interface.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::doctor {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30, kProbe = 4096;

// What may be taken for a moment, while others use the device too.
std::uint64_t allowed_bytes(const gpu::Device &device) {
    const bool shared = device.traits().unified_memory || device.info().type == gpu::DeviceType::software;
    const std::uint64_t free = device.free_memory_bytes();
    return shared ? std::min(free / 2, kGiB) : free / 4 * 3;
}

// Writes the first and the last bytes and reads them again.
Result<void> probe(const std::shared_ptr<gpu::Device> &device, gpu::Uploader &uploader, const gpu::BufferView &view) {
    const std::uint64_t bytes = std::min(kProbe, view.bytes / 4 * 4);
    for (const std::uint64_t at : {std::uint64_t{0}, (view.bytes - bytes) / 4 * 4}) {
        std::vector<std::byte> pattern(bytes);
        for (std::uint64_t i = 0; i < bytes; ++i) pattern[i] = static_cast<std::byte>(at / kProbe * 7 + i * 13 + 1);
        FF_TRY(uploader.write(view.slice(at, bytes), pattern));
        FF_TRY(uploader.finish());
        FF_TRY_ASSIGN(const std::vector<std::byte> back, gpu::download(device, view.slice(at, bytes)));
        if (back != pattern)
            return Error{Status::device, fmt::format("what was written at byte {} did not come back", at)};
    }
    return {};
}

Result<void> try_allocation(const std::shared_ptr<gpu::Device> &device, gpu::Uploader &uploader, std::uint64_t bytes) {
    FF_TRY_ASSIGN(const gpu::Buffer buffer, gpu::Buffer::create(device, gpu::MemoryKind::device, bytes, "self-test"));
    return probe(device, uploader, buffer.view());
}

Result<void> try_budget(const std::shared_ptr<gpu::Device> &device, gpu::Uploader &uploader, std::uint64_t bytes) {
    std::vector<gpu::Buffer> buffers;
    const std::uint64_t most = std::min(device->traits().max_allocation_bytes, kGiB);
    for (std::uint64_t taken = 0; taken < bytes; taken += most) {
        const std::uint64_t size = std::min(most, bytes - taken);
        FF_TRY_ASSIGN(gpu::Buffer buffer, gpu::Buffer::create(device, gpu::MemoryKind::device, size, "self-test"));
        FF_TRY(probe(device, uploader, buffer.view()));
        buffers.push_back(std::move(buffer));
    }
    return {};
}

// x += W 1, with W as large as the range and nothing in it but a few rows' last elements.
Result<void> try_binding(engine::Engine &engine, gpu::Uploader &uploader, std::uint64_t bytes) {
    constexpr std::uint32_t kColumns = 8192;
    const std::shared_ptr<gpu::Device> &device = engine.device();
    const auto rows = static_cast<std::uint32_t>(bytes / (4ULL * kColumns));
    if (rows == 0) return Error{Status::device, "there is no room for one row"};
    FF_TRY_ASSIGN(const gpu::Buffer weights, gpu::Buffer::create(device, gpu::MemoryKind::device, bytes, "self-test"));
    const std::uint64_t header = 256, input = 4ULL * kColumns, output = (4ULL * rows + 255) / 256 * 256;
    FF_TRY_ASSIGN(const gpu::Buffer scratch,
                  gpu::Buffer::create(device, gpu::MemoryKind::device, header + input + output, "self-test scratch"));
    FF_TRY(uploader.zero(weights.view()));
    FF_TRY(uploader.zero(scratch.view()));
    FF_TRY(uploader.finish());
    const auto write = [&](const gpu::BufferView &view, std::uint64_t at, std::span<const std::byte> data) {
        return uploader.write(view.slice(at, data.size()), data);
    };
    const std::uint32_t run = 1;
    FF_TRY(write(scratch.view(), 4 * shader::kStepRun, std::as_bytes(std::span(&run, 1))));
    const std::vector<float> ones(kColumns, 1.0F);
    FF_TRY(write(scratch.view(), header, std::as_bytes(std::span(ones))));
    std::vector<float> expected(rows, 0.0F);
    for (const std::uint32_t row : {0U, rows / 2, rows - 1}) {
        expected[row] = static_cast<float>(row % 1024 + 1);
        FF_TRY(write(weights.view(), 4ULL * kColumns * (row + 1ULL) - 4, std::as_bytes(std::span(&expected[row], 1))));
    }
    FF_TRY(uploader.finish());

    kernels::Matrix matrix{"self-test", kernels::WeightType::f32, rows, kColumns, {}};
    matrix.parts = {{weights.view().slice(0, 4ULL * kColumns * rows), 0, rows}};
    kernels::StepBuffers step;
    step.traits = &device->traits();
    step.scratch = scratch.view();
    const std::vector<kernels::Launch> launches =
        kernels::project_add(step, {.variant = &kernels::variant_for("project_add", matrix.type, *step.traits),
                                    .layer = -1,
                                    .matrix = &matrix,
                                    .input = {"input", scratch.view().slice(header, input)},
                                    .gate = {},
                                    .x = {"x", scratch.view().slice(header + input, 4ULL * rows)}});
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines, engine.compile(launches, {}));
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(device, "self-test", false));
    for (std::size_t i = 0; i < launches.size(); ++i) {
        std::vector<gpu::Use> uses;
        for (const kernels::NamedUse &use : launches[i].uses) uses.push_back({use.view, use.access});
        FF_TRY(recorder.launch({.pipeline = pipelines[i],
                                .buffers = launches[i].buffers,
                                .push_constants = launches[i].push_constants,
                                .groups = launches[i].groups,
                                .uses = uses,
                                .label = "self-test"}));
    }
    FF_TRY_ASSIGN(const gpu::CommandBuffer commands, recorder.finish());
    FF_TRY_ASSIGN(const std::unique_ptr<gpu::Timeline> timeline, gpu::Timeline::create(device));
    const VkCommandBuffer handle = commands.handle();
    FF_TRY_ASSIGN(const std::uint64_t value, timeline->submit(std::span(&handle, 1)));
    FF_TRY(timeline->wait(value));
    FF_TRY_ASSIGN(const std::vector<std::byte> found, gpu::download(device, scratch.view().slice(header + input, 4ULL * rows)));
    const auto *values = reinterpret_cast<const float *>(found.data());
    for (std::uint32_t row = 0; row < rows; ++row)
        if (values[row] != expected[row])
            return Error{Status::device, fmt::format("row {} of {}, {} bytes into the range: expected {}, found {}", row, rows,
                                                     4ULL * kColumns * row, expected[row], values[row])};
    return {};
}

} // namespace

Result<std::vector<LimitResult>> try_limits(engine::Engine &engine, const ProgressFunction &progress) {
    const std::shared_ptr<gpu::Device> &device = engine.device();
    const gpu::DeviceTraits &traits = device->traits();
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device, 1ULL << 20));
    const std::uint64_t allowed = std::min(allowed_bytes(*device), traits.max_allocation_bytes) / 32768 * 32768;
    std::vector<LimitResult> results = {
        {"largest allocation", traits.max_allocation_bytes, std::min(traits.max_allocation_bytes, allowed), true, {}},
        {"largest bound range", traits.max_storage_buffer_range, std::min(traits.max_storage_buffer_range, allowed), true, {}},
        {"memory that is free", device->free_memory_bytes(), allowed_bytes(*device), true, {}},
    };
    for (std::size_t i = 0; i < results.size(); ++i) {
        LimitResult &result = results[i];
        const Result<void> tried = i == 0   ? try_allocation(device, uploader, result.tried)
                                   : i == 1 ? try_binding(engine, uploader, result.tried)
                                            : try_budget(device, uploader, result.tried);
        result.passed = tried.ok();
        if (!tried.ok()) result.trouble = tried.error().message; // and the next one's, where the device was lost
        if (progress && !progress("memory limits", i + 1, results.size()))
            return Error{Status::cancelled, "the self-test was stopped"};
    }
    return results;
}

} // namespace ff::doctor
