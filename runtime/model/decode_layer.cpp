// A layer of a decode step: one token, and as few launches as its data allow.
#include "runtime/model/layer_plan.h"

namespace ff::model {
namespace {

class DecodeLayer final : public LayerPlan {
  public:
    DecodeLayer(const LayerContext &context, std::int32_t layer) : LayerPlan(context, layer) {}

    Result<void> mix_project(const char *norm, std::uint32_t norm_at, const char *kept,
                             std::vector<kernels::MixSegment> segments) override {
        const kernels::Variant *own = variant("mix_project", *segments.front().matrix);
        FF_TRY_ASSIGN(std::vector<kernels::Launch> launches,
                      kernels::mix_project(step(), {.variant = own,
                                                    .layer = number(),
                                                    .x = get("x"),
                                                    .norm_at = norm_at,
                                                    .norm_name = norm_name(norm),
                                                    .state = state(),
                                                    .kept_offset = state_offset(kept),
                                                    .kept_name = kept,
                                                    .segments = std::move(segments)}));
        append(std::move(launches));
        return {};
    }

    Result<void> project_add(const kernels::Matrix &matrix, const kernels::Activation &input,
                             const kernels::Activation &gate) override {
        append(kernels::project_add(step(), {.variant = variant("project_add", matrix),
                                             .layer = number(),
                                             .matrix = &matrix,
                                             .input = input,
                                             .gate = gate,
                                             .x = get("x")}));
        return {};
    }

    Result<void> project(std::vector<kernels::ProjectSegment> segments) override {
        const kernels::Variant *own = variant("project", *segments.front().matrix);
        FF_TRY_ASSIGN(std::vector<kernels::Launch> launches,
                      kernels::project(step(), {own, number(), std::move(segments)}));
        append(std::move(launches));
        return {};
    }

    Result<void> wkv4(kernels::Wkv4Arguments a) override {
        a.variant = variant("wkv4_project_add", *a.output);
        a.layer = number();
        a.state = state();
        a.wkv_offset = state_offset("aa");
        append(kernels::wkv4_project_add(step(), a));
        return {};
    }

    Result<void> wkv5(kernels::Wkv6Arguments a) override {
        return linear_attention(std::move(a), &kernels::variant_for("wkv5", *step().traits));
    }
    Result<void> wkv6(kernels::Wkv6Arguments a) override {
        const kernels::Variant *own = variant("wkv6", *a.up_w);
        return linear_attention(std::move(a), own);
    }

    Result<void> wkv7(kernels::Wkv7Arguments a) override {
        a.variant = variant("wkv7", *a.up_w);
        a.layer = number();
        a.state = state();
        a.wkv_offset = state_offset("wkv");
        FF_TRY_ASSIGN(kernels::Launch launch, kernels::wkv7(step(), a));
        append(std::move(launch));
        return {};
    }

    Result<void> lerp6(kernels::Lerp6Arguments a) override {
        a.variant = variant("lerp6", *a.up);
        a.layer = number();
        a.state = state();
        a.kept_offset = state_offset("att_x");
        FF_TRY_ASSIGN(kernels::Launch launch, kernels::lerp6(step(), a));
        append(std::move(launch));
        return {};
    }

    Result<void> deep_embed(kernels::DeepEmbedArguments a) override {
        a.variant = variant("deep_embed", *a.table);
        a.layer = number();
        append(kernels::deep_embed(step(), a));
        return {};
    }

  private:
    const kernels::Variant *variant(const char *kernel, const kernels::Matrix &matrix) const {
        return &kernels::variant_for(kernel, matrix.type, *step().traits);
    }

    Result<void> linear_attention(kernels::Wkv6Arguments a, const kernels::Variant *own) {
        a.variant = own;
        a.layer = number();
        a.state = state();
        a.wkv_offset = state_offset("wkv");
        FF_TRY_ASSIGN(kernels::Launch launch, kernels::wkv6(step(), a));
        append(std::move(launch));
        return {};
    }
};

} // namespace

std::unique_ptr<LayerPlan> make_decode_layer(const LayerContext &context, std::int32_t layer) {
    return std::make_unique<DecodeLayer>(context, layer);
}

} // namespace ff::model
