#include "tests/formats/builders/gguf_builder.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace ff::loader::test {

namespace {

void append_text(Bytes &to, std::string_view text) {
    append_le<std::uint64_t>(to, text.size());
    append(to, bytes_of(text));
}

const std::map<std::string, std::string> kNames = {
    {"emb", "token_embd"},
    {"blocks.0.ln0", "token_embd_norm"},
    {"ln_out", "output_norm"},
    {"head", "output"},
    {"ln1", "attn_norm"},
    {"ln2", "attn_norm_2"},
    {"att.receptance", "time_mix_receptance"},
    {"att.key", "time_mix_key"},
    {"att.value", "time_mix_value"},
    {"att.output", "time_mix_output"},
    {"att.gate", "time_mix_gate"},
    {"att.ln_x", "time_mix_ln"},
    {"ffn.key", "channel_mix_key"},
    {"ffn.value", "channel_mix_value"},
    {"ffn.receptance", "channel_mix_receptance"},
    {"att.time_maa_x", "time_mix_lerp_x"},
    {"att.time_maa_w1", "time_mix_w1"},
    {"att.time_maa_w2", "time_mix_w2"},
    {"att.time_decay", "time_mix_decay"},
    {"att.time_decay_w1", "time_mix_decay_w1"},
    {"att.time_decay_w2", "time_mix_decay_w2"},
    {"att.time_faaaa", "time_mix_first"},
    {"ffn.time_maa_k", "channel_mix_lerp_k"},
    {"ffn.time_maa_r", "channel_mix_lerp_r"},
    {"ffn.x_k", "channel_mix_lerp_k"},
};

bool turned(const std::string &stem) {
    for (const char *name : {"time_maa_w1", "time_maa_w2", "time_decay_w1", "time_decay_w2", "att.w1", "att.w2",
                             "att.a1", "att.a2", "att.v1", "att.v2", "att.g1", "att.g2"})
        if (stem.ends_with(name)) return true;
    return false;
}

GgufRow row_of(std::string name, std::vector<std::uint64_t> shape, const std::vector<float> &values) {
    std::reverse(shape.begin(), shape.end());
    return {std::move(name), std::move(shape), 0, bytes_of(values)};
}

std::vector<float> floats_of(const NamedTensor &tensor) {
    std::vector<float> values(tensor.info.elements());
    to_float32(tensor.info.dtype, tensor.bytes, values);
    return values;
}

std::vector<float> swapped(const std::vector<float> &values, const std::vector<std::uint64_t> &shape) {
    std::vector<float> out;
    const std::size_t rows = shape[shape.size() - 2], columns = shape.back();
    for (std::size_t matrix = 0; matrix < values.size(); matrix += rows * columns)
        for (std::size_t column = 0; column < columns; ++column)
            for (std::size_t row = 0; row < rows; ++row) out.push_back(values[matrix + row * columns + column]);
    return out;
}

} // namespace

void GgufBuilder::add_raw(std::string_view key, std::uint32_t type, const Bytes &value) {
    append_text(metadata_, key);
    append_le(metadata_, type);
    append(metadata_, value);
    ++entries_;
}

void GgufBuilder::add_text(std::string_view key, std::string_view value) {
    Bytes bytes;
    append_text(bytes, value);
    add_raw(key, 8, bytes);
}

void GgufBuilder::add_u32(std::string_view key, std::uint32_t value) {
    Bytes bytes;
    append_le(bytes, value);
    add_raw(key, 4, bytes);
}

void GgufBuilder::add_f32(std::string_view key, float value) {
    Bytes bytes;
    append_le(bytes, value);
    add_raw(key, 6, bytes);
}

void GgufBuilder::add_texts(std::string_view key, const std::vector<std::string> &values) {
    Bytes bytes;
    append_le<std::uint32_t>(bytes, 8);
    append_le<std::uint64_t>(bytes, values.size());
    for (const std::string &value : values) append_text(bytes, value);
    add_raw(key, 9, bytes);
}

Bytes GgufBuilder::file() const {
    Bytes file = bytes_of("GGUF");
    append_le(file, version);
    append_le<std::uint64_t>(file, tensor_count.value_or(rows.size()));
    append_le<std::uint64_t>(file, entry_count.value_or(entries_));
    append(file, metadata_);
    std::uint64_t offset = 0;
    const auto padded = [&](std::uint64_t size) { return (size + alignment - 1) / alignment * alignment; };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        append_text(file, rows[i].name);
        append_le<std::uint32_t>(file, static_cast<std::uint32_t>(rows[i].dimensions.size()));
        for (const std::uint64_t size : rows[i].dimensions) append_le(file, size);
        append_le(file, rows[i].type);
        append_le(file, i < offsets.size() ? offsets[i] : offset);
        offset += padded(rows[i].bytes.size());
    }
    file.resize(padded(file.size()));
    for (const GgufRow &row : rows) {
        append(file, row.bytes);
        file.resize(padded(file.size()));
    }
    return file;
}

GgufBuilder llama_cpp_model(const std::vector<NamedTensor> &official, std::string_view architecture,
                            std::uint32_t head_size, std::uint32_t rescale_every) {
    GgufBuilder builder;
    builder.add_text("general.architecture", architecture);
    builder.add_text("general.name", "a test");
    builder.add_u32(fmt::format("{}.wkv.head_size", architecture), head_size);
    builder.add_f32(fmt::format("{}.attention.layer_norm_epsilon", architecture), 1e-5f);
    const bool six = architecture == "rwkv6";
    if (six) builder.add_u32("rwkv6.rescale_every_n_layers", rescale_every);
    std::map<std::string, std::vector<float>> fused;
    for (const NamedTensor &tensor : official) {
        std::string stem = tensor.info.name, kind = ".weight";
        for (const char *suffix : {".weight", ".bias"})
            if (stem.ends_with(suffix)) {
                kind = suffix;
                stem.resize(stem.size() - kind.size());
            }
        std::vector<std::uint64_t> shape = tensor.info.shape;
        std::vector<float> values = floats_of(tensor);
        if (kNames.contains(stem)) {
            builder.rows.push_back(row_of(kNames.at(stem) + kind, shape, values));
            continue;
        }
        const std::size_t dot = stem.find('.', 7);
        const int layer = std::stoi(stem.substr(7, dot - 7));
        stem = stem.substr(dot + 1);
        if (layer == 0 && (stem == "att.v0" || stem == "att.v1" || stem == "att.v2")) continue;
        const std::string prefix = fmt::format("blk.{}.", layer);
        const std::string letters = six ? "wkvrg" : "rwkvag", mix = six ? "att.time_maa_" : "att.x_";
        if (stem.size() == mix.size() + 1 && stem.starts_with(mix) && letters.find(stem.back()) != letters.npos) {
            fused[prefix + stem.back()] = values;
            bool complete = true;
            std::vector<float> all;
            for (const char letter : letters) {
                const auto part = fused.find(prefix + letter);
                complete = complete && part != fused.end();
                if (complete) all.insert(all.end(), part->second.begin(), part->second.end());
            }
            if (complete)
                builder.rows.push_back(
                    row_of(prefix + "time_mix_lerp_fused.weight", {letters.size(), 1, 1, values.size()}, all));
            continue;
        }
        if (turned(stem)) {
            values = swapped(values, shape);
            std::swap(shape.back(), shape[shape.size() - 2]);
        } else if (stem == "att.r_k" || (shape.size() == 3 && shape[0] == 1)) {
            shape = {values.size()};
        }
        if (six && rescale_every != 0 && (stem == "att.output" || stem == "ffn.value"))
            for (float &value : values) value = std::ldexp(value, -layer / static_cast<int>(rescale_every));
        const auto named = kNames.find(stem);
        const std::string name = prefix + (named != kNames.end() ? named->second : "time_mix_" + stem.substr(4)) + kind;
        builder.rows.push_back(row_of(name, shape, values));
        if (!six && layer == 0 && (stem == "att.a0" || stem == "att.a1" || stem == "att.a2"))
            builder.rows.push_back(row_of(prefix + "time_mix_v" + stem.back() + ".weight", shape, values));
    }
    return builder;
}

GgufBuilder verbatim_model(const std::vector<NamedTensor> &official, std::string_view architecture) {
    GgufBuilder builder;
    builder.add_text("general.architecture", architecture);
    for (const NamedTensor &tensor : official)
        builder.rows.push_back(row_of(tensor.info.name, tensor.info.shape, floats_of(tensor)));
    return builder;
}

} // namespace ff::loader::test
