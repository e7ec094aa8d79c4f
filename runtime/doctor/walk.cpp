#include "runtime/doctor/walk.h"

#include "runtime/gpu/recorder.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace ff::doctor {
namespace {

bool same(const gpu::BufferView &a, const gpu::BufferView &b) {
    return a.buffer == b.buffer && a.offset == b.offset && a.bytes == b.bytes;
}

bool writes(const kernels::NamedUse &use) {
    return use.access != gpu::Access::read;
}

std::uint32_t word_at(std::span<const std::byte> bytes, std::uint64_t at) {
    std::uint32_t word = 0;
    if (at + 4 <= bytes.size()) std::memcpy(&word, bytes.data() + at, 4);
    return word;
}

bool is_close(float found, double expected, double tolerance) {
    return std::fabs(static_cast<double>(found) - expected) <= tolerance * std::max(1.0, std::fabs(expected)); // not for NaN
}

// The first value that differs, in the bytes of the range that `expected` is a part of.
std::optional<Finding> compare(const kernels::Variant &variant, const Expectation &expected, const gpu::BufferView &range,
                               std::span<const std::byte> bytes) {
    const double tolerance = variant.needs_dot ? kCountedTolerance : kTolerance;
    const std::uint64_t begin = expected.view.offset - range.offset;
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
        const std::uint32_t word = word_at(bytes, begin + 4 * i * expected.stride);
        const auto value = std::bit_cast<float>(word);
        const double found = expected.integers ? static_cast<double>(word) : static_cast<double>(value);
        const double want = expected.values[i];
        if (expected.integers ? found != want : !is_close(value, want, tolerance)) return Finding{expected.name, i, want, found, {}};
    }
    return std::nullopt;
}

// A word outside of what the launch says it writes.
std::optional<Finding> stray(const kernels::Launch &launch, const gpu::BufferView &range, std::span<const std::byte> before,
                             std::span<const std::byte> after) {
    for (std::uint64_t at = 0; at + 4 <= after.size(); at += 4) {
        if (word_at(before, at) == word_at(after, at)) continue;
        const gpu::BufferView word{range.buffer, range.offset + at, 4};
        const auto claims = [&](const kernels::NamedUse &use) { return writes(use) && use.view.overlaps(word); };
        if (std::ranges::none_of(launch.uses, claims))
            return Finding{"", at / 4, 0, 0, fmt::format("it wrote beside its outputs, word {} of a binding", at / 4)};
    }
    return std::nullopt;
}

std::string output_name(const kernels::Launch &launch, const Expectation &expected) {
    if (expected.integers) return expected.name; // of the control block or the header
    for (const kernels::NamedUse &use : launch.uses)
        if (writes(use) && use.view.overlaps(expected.view)) return use.name;
    return expected.name;
}

} // namespace

std::string Finding::text() const {
    if (!trouble.empty()) return trouble;
    return fmt::format("{}, element {}: expected {}, found {}", output, element, expected, found);
}

Result<Walk> Walk::create(std::shared_ptr<gpu::Device> device) {
    Walk walk;
    FF_TRY_ASSIGN(walk.timeline_, gpu::Timeline::create(device));
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device, 1ULL << 20));
    walk.uploader_.push_back(std::move(uploader));
    walk.device_ = std::move(device);
    return walk;
}

Result<void> Walk::run(std::span<const kernels::Launch> launches, std::span<const gpu::Pipeline *const> pipelines,
                       const Seen &seen, const Begin &begin) {
    images_.clear();
    for (std::size_t i = 0; i < launches.size(); ++i) {
        if (begin) begin(i);
        const Result<std::optional<Finding>> finding = step(launches[i], pipelines[i]);
        if (!finding.ok()) {
            (void)seen(i, Finding{"", 0, 0, 0, finding.error().message});
            return finding.error();
        }
        if (!seen(i, *finding)) break;
    }
    return {};
}

Result<void> Walk::make_room(std::uint64_t bytes) {
    if (readback_.bytes() >= bytes) return {};
    FF_TRY_ASSIGN(readback_, gpu::Buffer::create(device_, gpu::MemoryKind::readback, bytes, "walk"));
    return {};
}

Walk::Image *Walk::image_of(const gpu::BufferView &view) {
    const auto found = std::ranges::find_if(images_, [&](const Image &image) { return same(image.view, view); });
    return found == images_.end() ? nullptr : &*found;
}

Result<void> Walk::submit(const kernels::Launch *launch, const gpu::Pipeline *pipeline,
                          std::span<const gpu::BufferView> views) {
    std::uint64_t bytes = 0;
    for (const gpu::BufferView &view : views) bytes += view.bytes;
    FF_TRY(make_room(bytes));
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(device_, "doctor", false));
    if (launch) {
        std::vector<gpu::Use> uses;
        for (const kernels::NamedUse &use : launch->uses) uses.push_back({use.view, use.access});
        const std::string label = kernels::full_name(*launch->variant);
        FF_TRY(recorder.launch({.pipeline = pipeline,
                                .buffers = launch->buffers,
                                .push_constants = launch->push_constants,
                                .groups = launch->groups,
                                .uses = uses,
                                .label = label}));
    }
    std::uint64_t at = 0;
    for (const gpu::BufferView &view : views) {
        FF_TRY(recorder.copy(view, readback_.view().slice(at, view.bytes), "doctor"));
        at += view.bytes;
    }
    FF_TRY_ASSIGN(const gpu::CommandBuffer commands, recorder.finish());
    const VkCommandBuffer handle = commands.handle();
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(std::span(&handle, 1)));
    FF_TRY(timeline_->wait(value));
    at = 0;
    for (const gpu::BufferView &view : views) {
        Image *image = image_of(view);
        if (!image) image = &images_.emplace_back(Image{view, {}});
        const std::byte *from = readback_.view().mapped + at;
        image->bytes.assign(from, from + view.bytes);
        at += view.bytes;
    }
    return {};
}

Result<std::optional<Finding>> Walk::step(const kernels::Launch &launch, const gpu::Pipeline *pipeline) {
    std::vector<gpu::BufferView> missing, written;
    const auto listed = [](const std::vector<gpu::BufferView> &views, const gpu::BufferView &view) {
        return std::ranges::any_of(views, [&](const gpu::BufferView &other) { return same(other, view); });
    };
    for (const gpu::BufferView &view : launch.buffers) {
        if (!image_of(view) && !listed(missing, view)) missing.push_back(view);
        const auto reaches = [&](const kernels::NamedUse &use) { return writes(use) && use.view.overlaps(view); };
        if (std::ranges::any_of(launch.uses, reaches) && !listed(written, view)) written.push_back(view);
    }
    if (!missing.empty()) FF_TRY(submit(nullptr, nullptr, missing));

    std::vector<std::span<const std::byte>> bytes;
    for (const gpu::BufferView &view : launch.buffers) bytes.emplace_back(image_of(view)->bytes);
    FF_TRY_ASSIGN(std::vector<Expectation> expected, expectations(launch, {launch.buffers, bytes}));
    std::vector<std::vector<std::byte>> before;
    for (const gpu::BufferView &view : written) before.push_back(image_of(view)->bytes);
    // Other pictures of the same memory are old now.
    std::erase_if(images_, [&](const Image &image) {
        return std::ranges::any_of(written, [&](const gpu::BufferView &view) {
            return view.overlaps(image.view) && !same(view, image.view);
        });
    });
    if (!pipeline) {
        FF_TRY(repair(expected, written, before));
        return std::optional<Finding>(Finding{"", 0, 0, 0, "its pipeline could not be made"});
    }
    FF_TRY(submit(&launch, pipeline, written));

    std::optional<Finding> finding;
    for (std::size_t i = 0; i < written.size() && !finding; ++i) {
        const std::vector<std::byte> &after = image_of(written[i])->bytes;
        for (const Expectation &each : expected)
            if (!finding && each.view.overlaps(written[i])) {
                finding = compare(*launch.variant, each, written[i], after);
                if (finding) finding->output = output_name(launch, each);
            }
        if (!finding) finding = stray(launch, written[i], before[i], after);
    }
    if (finding) FF_TRY(repair(expected, written, before));
    return finding;
}

Result<void> Walk::repair(std::span<const Expectation> expected, std::span<const gpu::BufferView> written,
                          std::span<const std::vector<std::byte>> before) {
    for (std::size_t i = 0; i < written.size(); ++i) {
        Image &image = *image_of(written[i]);
        image.bytes = before[i];
        for (const Expectation &each : expected) {
            if (!each.view.overlaps(written[i])) continue;
            const std::uint64_t begin = each.view.offset - written[i].offset;
            for (std::size_t v = 0; v < each.values.size(); ++v) {
                const std::uint32_t word = each.integers ? static_cast<std::uint32_t>(each.values[v])
                                                         : std::bit_cast<std::uint32_t>(static_cast<float>(each.values[v]));
                std::memcpy(image.bytes.data() + begin + 4 * v * each.stride, &word, 4);
            }
        }
        FF_TRY(uploader().write(written[i], image.bytes));
    }
    return uploader().finish();
}

} // namespace ff::doctor
