#include "loader/formats/gguf_names.h"

#include <array>

namespace ff::loader {

namespace {

using enum GgufForm;

constexpr std::array kModel = {
    GgufName{"emb", "token_embd", matrix},
    GgufName{"blocks.0.ln0", "token_embd_norm", norm},
    GgufName{"ln_out", "output_norm", norm},
    GgufName{"head", "output", matrix},
};

constexpr std::array k6 = {
    GgufName{"ln1", "attn_norm", norm},
    GgufName{"ln2", "attn_norm_2", norm},
    GgufName{"att.time_maa_x", "time_mix_lerp_x", vector},
    GgufName{"att.time_maa_w", "time_mix_lerp_w", vector}, // these five only in files of 2024
    GgufName{"att.time_maa_k", "time_mix_lerp_k", vector},
    GgufName{"att.time_maa_v", "time_mix_lerp_v", vector},
    GgufName{"att.time_maa_r", "time_mix_lerp_r", vector},
    GgufName{"att.time_maa_g", "time_mix_lerp_g", vector},
    GgufName{"att.time_maa_w1", "time_mix_w1", turned},
    GgufName{"att.time_maa_w2", "time_mix_w2", turned},
    GgufName{"att.time_decay", "time_mix_decay", vector},
    GgufName{"att.time_decay_w1", "time_mix_decay_w1", turned},
    GgufName{"att.time_decay_w2", "time_mix_decay_w2", turned},
    GgufName{"att.time_faaaa", "time_mix_first", heads},
    GgufName{"att.receptance", "time_mix_receptance", matrix},
    GgufName{"att.key", "time_mix_key", matrix},
    GgufName{"att.value", "time_mix_value", matrix},
    GgufName{"att.output", "time_mix_output", matrix},
    GgufName{"att.gate", "time_mix_gate", matrix},
    GgufName{"att.ln_x", "time_mix_ln", norm},
    GgufName{"ffn.time_maa_k", "channel_mix_lerp_k", vector},
    GgufName{"ffn.time_maa_r", "channel_mix_lerp_r", vector},
    GgufName{"ffn.key", "channel_mix_key", matrix},
    GgufName{"ffn.receptance", "channel_mix_receptance", matrix},
    GgufName{"ffn.value", "channel_mix_value", matrix},
};

constexpr std::array k7 = {
    GgufName{"ln1", "attn_norm", norm},
    GgufName{"ln2", "attn_norm_2", norm},
    GgufName{"att.w0", "time_mix_w0", vector},
    GgufName{"att.w1", "time_mix_w1", turned},
    GgufName{"att.w2", "time_mix_w2", turned},
    GgufName{"att.a0", "time_mix_a0", vector},
    GgufName{"att.a1", "time_mix_a1", turned},
    GgufName{"att.a2", "time_mix_a2", turned},
    GgufName{"att.v0", "time_mix_v0", vector},
    GgufName{"att.v1", "time_mix_v1", turned},
    GgufName{"att.v2", "time_mix_v2", turned},
    GgufName{"att.g1", "time_mix_g1", turned},
    GgufName{"att.g2", "time_mix_g2", turned},
    GgufName{"att.k_k", "time_mix_k_k", vector},
    GgufName{"att.k_a", "time_mix_k_a", vector},
    GgufName{"att.r_k", "time_mix_r_k", heads},
    GgufName{"att.receptance", "time_mix_receptance", matrix},
    GgufName{"att.key", "time_mix_key", matrix},
    GgufName{"att.value", "time_mix_value", matrix},
    GgufName{"att.output", "time_mix_output", matrix},
    GgufName{"att.ln_x", "time_mix_ln", norm},
    GgufName{"ffn.x_k", "channel_mix_lerp_k", vector},
    GgufName{"ffn.key", "channel_mix_key", matrix},
    GgufName{"ffn.value", "channel_mix_value", matrix},
};

} // namespace

std::span<const GgufName> gguf_model_names() {
    return kModel;
}

std::span<const GgufName> gguf_layer_names(std::string_view architecture) {
    if (architecture == "rwkv6") return k6;
    return k7;
}

GgufFused gguf_fused(std::string_view architecture) {
    if (architecture == "rwkv6") return {"att.time_maa_", "wkvrg"};
    return {"att.x_", "rwkvag"};
}

bool gguf_rescaled(std::string_view official) {
    return official == "att.output" || official == "ffn.value";
}

} // namespace ff::loader
