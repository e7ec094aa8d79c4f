// A layer of a wide step: the inputs of all rows are normalised and shifted in one launch, every matrix is multiplied
// by all of them in another, and the WKV operator walks the rows with its state in registers.
#include "runtime/kernels/places.h"
#include "runtime/kernels/wide.h"
#include "runtime/model/layer_plan.h"
#include "shaders/lib/interface.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Activation;
using kernels::ActivationKind;

constexpr std::uint32_t kUps = 5; // the most low-rank products of a launch: version 6's token shift

std::string mixed_name(std::size_t mix) {
    return fmt::format("mixed.{}", mix);
}
std::string up_name(std::size_t up) {
    return fmt::format("up.{}", up);
}

class WideLayer final : public LayerPlan {
  public:
    WideLayer(const LayerContext &context, std::int32_t layer) : LayerPlan(context, layer) {}

    Result<void> mix_project(const char *norm, std::uint32_t norm_at, const char *kept,
                             std::vector<kernels::MixSegment> segments) override {
        kernels::WideMixArguments mix = mixes(norm, norm_at, kept);
        for (const kernels::MixSegment &segment : segments)
            if (std::find(mix.mixes.begin(), mix.mixes.end(), segment.mix_at) == mix.mixes.end()) {
                mix.mixed.push_back(get(mixed_name(mix.mixes.size())));
                mix.mixes.push_back(segment.mix_at);
            }
        append(kernels::wide_mix(step(), mix));
        std::vector<kernels::MatmulSegment> products;
        for (const kernels::MixSegment &segment : segments) {
            const auto index = std::find(mix.mixes.begin(), mix.mixes.end(), segment.mix_at) - mix.mixes.begin();
            products.push_back(
                {segment.matrix, mix.mixed[static_cast<std::size_t>(index)], segment.activation, segment.result});
        }
        return multiply(std::move(products));
    }

    Result<void> project_add(const kernels::Matrix &matrix, const Activation &input, const Activation &gate) override {
        return multiply({{&matrix, input, ActivationKind::none, get("x"), true, gate}});
    }

    Result<void> project(std::vector<kernels::ProjectSegment> segments) override {
        std::vector<kernels::MatmulSegment> products;
        for (const kernels::ProjectSegment &segment : segments)
            products.push_back({segment.matrix, segment.input, segment.activation, segment.result});
        return multiply(std::move(products));
    }

    Result<void> wkv4(kernels::Wkv4Arguments a) override {
        a.layer = number();
        a.state = state();
        a.wkv_offset = state_offset("aa");
        const Activation y = get(mixed_name(0)); // whose input has been multiplied
        append(kernels::wide_wkv4(step(), a, y));
        return project_add(*a.output, y, {});
    }

    Result<void> wkv5(kernels::Wkv6Arguments a) override { return linear_attention(std::move(a), {}); }

    Result<void> wkv6(kernels::Wkv6Arguments a) override {
        const Activation up = get(up_name(0));
        FF_TRY(multiply({{a.up_w, a.low_w, ActivationKind::none, up}}));
        return linear_attention(std::move(a), up);
    }

    Result<void> wkv7(kernels::Wkv7Arguments a) override {
        a.layer = number();
        a.state = state();
        a.wkv_offset = state_offset("wkv");
        const kernels::WideUps7 ups{get(up_name(0)), get(up_name(1)), a.up_v ? get(up_name(2)) : Activation{},
                                    get(up_name(3))};
        std::vector<kernels::MatmulSegment> products = {{a.up_w, a.low_w, ActivationKind::none, ups.w},
                                                        {a.up_a, a.low_a, ActivationKind::none, ups.a},
                                                        {a.up_g, a.low_g, ActivationKind::none, ups.g}};
        if (a.up_v) products.push_back({a.up_v, a.low_v, ActivationKind::none, ups.v});
        FF_TRY(multiply(std::move(products)));
        FF_TRY_ASSIGN(kernels::Launch launch, kernels::wide_wkv7(step(), a, ups));
        append(std::move(launch));
        return {};
    }

    // x_c = n + (previous - n) (maa_c + w2_c^T low_c), the five of them at once; what is kept was stored with the
    // downs.
    Result<void> lerp6(kernels::Lerp6Arguments a) override {
        const std::uint32_t width = a.up->rows / kUps;
        std::vector<kernels::MatmulSegment> products;
        kernels::WideMixArguments mix = mixes("ln1", a.norm_at, "att_x");
        mix.writes_kept = false;
        std::vector<kernels::Matrix> ups(kUps, *a.up);
        for (std::uint32_t i = 0; i < kUps; ++i) {
            FF_TRY_ASSIGN(ups[i], rows_of(*a.up, i * width, width));
            products.push_back({&ups[i], a.low[i], ActivationKind::none, get(up_name(i))});
            mix.mixes.push_back(a.mixes_at + i * 2 * kernels::groups_for(width));
            mix.mixed.push_back(a.mixed[i]);
            mix.extra.push_back(get(up_name(i)));
        }
        FF_TRY(multiply(std::move(products)));
        append(kernels::wide_mix(step(), mix));
        return {};
    }

    Result<void> deep_embed(kernels::DeepEmbedArguments a) override {
        a.layer = number();
        append(kernels::wide_deep_embed(step(), a));
        return {};
    }

  private:
    kernels::WideMixArguments mixes(const char *norm, std::uint32_t norm_at, const char *kept) const {
        kernels::WideMixArguments mix;
        mix.layer = number();
        mix.width = width();
        mix.x = get("x");
        mix.norm_at = norm_at;
        mix.norm_name = norm_name(norm);
        mix.state = state();
        mix.kept_offset = state_offset(kept);
        mix.kept_name = kept;
        return mix;
    }

    Result<void> multiply(std::vector<kernels::MatmulSegment> segments) {
        FF_TRY_ASSIGN(std::vector<kernels::Launch> launches,
                      kernels::matmul(step(), {number(), std::move(segments), {}}));
        append(std::move(launches));
        return {};
    }

    Result<void> linear_attention(kernels::Wkv6Arguments a, const Activation &up_w) {
        a.layer = number();
        a.state = state();
        a.wkv_offset = state_offset("wkv");
        FF_TRY_ASSIGN(kernels::Launch launch, kernels::wide_wkv6(step(), a, up_w));
        append(std::move(launch));
        return {};
    }

    // A run of rows of a matrix that lies in one piece.
    static Result<kernels::Matrix> rows_of(const kernels::Matrix &matrix, std::uint32_t first, std::uint32_t rows) {
        if (matrix.parts.size() != 1)
            return Error{Status::unsupported,
                         fmt::format("{}: in {} allocations, which only one may be", matrix.name, matrix.parts.size())};
        kernels::Matrix run = matrix;
        run.rows = rows;
        run.parts = {{matrix.parts.front().view.slice(first * matrix.row_bytes(), rows * matrix.row_bytes()), 0, rows}};
        return run;
    }
};

} // namespace

void declare_wide(Scratch &scratch, const loader::ModelDescription &d) {
    for (std::uint32_t mix = 0; mix < shader::kMaxMixes; ++mix) scratch.declare(mixed_name(mix), d.width);
    if (d.rank_w == 0) return;
    for (std::uint32_t up = 0; up < kUps; ++up) scratch.declare(up_name(up), d.width);
}

std::unique_ptr<LayerPlan> make_wide_layer(const LayerContext &context, std::int32_t layer) {
    return std::make_unique<WideLayer>(context, layer);
}

} // namespace ff::model
