#include "loader/layout.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::loader {

namespace {

class Layout {
  public:
    explicit Layout(const ModelDescription &model) : m_(model) {}

    std::vector<ExpectedTensor> all() {
        add("emb.weight", {m_.vocabulary, m_.width});
        for (std::uint32_t layer = 0; layer < m_.layers; ++layer) {
            prefix_ = fmt::format("blocks.{}.", layer);
            if (layer == 0) norm("ln0", m_.width);
            norm("ln1", m_.width);
            norm("ln2", m_.width);
            prefix_ += "att.";
            time_mixing(layer);
            prefix_ = fmt::format("blocks.{}.ffn.", layer);
            channel_mixing();
            prefix_.clear();
        }
        norm("ln_out", m_.width);
        add("head.weight", {m_.vocabulary, m_.width});
        return std::move(tensors_);
    }

  private:
    using Shape = std::vector<std::uint64_t>;

    void add(const std::string &name, Shape shape, bool optional = false) {
        tensors_.push_back({prefix_ + name, std::move(shape), optional});
    }
    void norm(const std::string &name, std::uint64_t width) {
        add(name + ".weight", {width});
        add(name + ".bias", {width});
    }
    // One vector of the model's width for each letter.
    void mixes(const std::string &name, std::string_view letters) {
        for (const char letter : letters) add(name + letter, {m_.width});
    }
    void projections(bool gate) {
        for (const char *name : {"receptance", "key", "value"}) add(fmt::format("{}.weight", name), {a(), m_.width});
        add("output.weight", {m_.width, a()});
        if (gate) add("gate.weight", {a(), m_.width});
    }
    std::uint64_t a() const { return m_.attention_width; }

    void time_mixing(std::uint32_t layer) {
        switch (m_.version) {
        case Version::v4_0:
            add("time_decay", {a()});
            add("time_first", {a()});
            mixes("time_mix_", "kvr");
            projections(false);
            break;
        case Version::v5_0:
        case Version::v5_1:
        case Version::v5_2: {
            const bool per_channel = m_.version == Version::v5_2;
            const Shape head = per_channel ? Shape{m_.heads, m_.head_size} : Shape{m_.heads};
            add("time_decay", head);
            add(m_.exponential_bonus ? "time_first" : "time_faaaa", head);
            mixes("time_mix_", m_.gate ? "kvrg" : "kvr");
            projections(m_.gate);
            norm("ln_x", a());
            break;
        }
        case Version::v6_0:
            mixes("time_maa_", "xwkvrg");
            add("time_maa_w1", {m_.width, 5ull * m_.rank_mix});
            add("time_maa_w2", {5, m_.rank_mix, m_.width});
            add("time_decay", {a()});
            add("time_decay_w1", {m_.width, m_.rank_w});
            add("time_decay_w2", {m_.rank_w, a()});
            add("time_faaaa", {m_.heads, m_.head_size});
            projections(true);
            norm("ln_x", a());
            break;
        case Version::v7_0:
        case Version::v7a:
            time_mixing_7(layer);
            break;
        }
    }

    void time_mixing_7(std::uint32_t layer) {
        mixes("x_", "rwkvag");
        low_rank("w", m_.rank_w, true, false);
        low_rank("a", m_.rank_a, true, false);
        low_rank("v", m_.rank_v, true, layer == 0); // the first layer's v is what the others mix in
        low_rank("g", m_.rank_g, false, false);
        add("k_k", {a()});
        add("k_a", {a()});
        add("r_k", {m_.heads, m_.head_size});
        projections(false);
        norm("ln_x", a());
    }

    void low_rank(const std::string &letter, std::uint64_t rank, bool bias, bool optional) {
        if (bias) add(letter + "0", {a()}, optional);
        add(letter + "1", {m_.width, rank}, optional);
        add(letter + "2", {rank, a()}, optional);
    }

    void channel_mixing() {
        const std::uint64_t f = m_.ffn_width;
        switch (m_.version) {
        case Version::v4_0:
        case Version::v5_0:
        case Version::v5_1:
        case Version::v5_2:
            mixes("time_mix_", "kr");
            break;
        case Version::v6_0:
            mixes("time_maa_", "kr");
            break;
        case Version::v7_0:
        case Version::v7a:
            mixes("x_", "k");
            break;
        }
        add("key.weight", {f, m_.width});
        const bool seven = m_.version == Version::v7_0 || m_.version == Version::v7a;
        if (!seven) add("receptance.weight", {m_.width, m_.width});
        add("value.weight", {m_.width, f});
        if (m_.version == Version::v7a) {
            add("s_emb.weight", {m_.vocabulary, kDeepEmbedRank * kDeepEmbedRank});
            add("s_emb_x.weight", {kDeepEmbedRank * kDeepEmbedRank, m_.width});
            add("s1", {m_.width, kDeepEmbedRank});
            add("s2", {kDeepEmbedRank, f});
            add("s0", {f});
        }
    }

    const ModelDescription &m_;
    std::string prefix_;
    std::vector<ExpectedTensor> tensors_;
};

} // namespace

std::vector<ExpectedTensor> expected_tensors(const ModelDescription &model) {
    return Layout(model).all();
}

bool shape_matches(std::span<const std::uint64_t> expected, std::span<const std::uint64_t> found) {
    if (std::ranges::equal(expected, found)) return true;
    return expected.size() == 1 && found.size() == 3 && found[0] == 1 && found[1] == 1 && found[2] == expected[0];
}

} // namespace ff::loader
