// State-tuned files: the same WKV state once as such a file, once in a state file, must lead to the same logits.
#include "tests/models/fixture.h"
#include "tests/models/state_file.h"
#include "tests/support/random.h"
#include "tests/support/small_floats.h"
#include "tests/support/temporary_file.h"

#include <doctest/doctest.h>

#include <fstream>

using namespace ff::test;

namespace {

struct Tensor {
    std::string name, dtype;
    std::vector<std::size_t> shape;
    std::string bytes;
};

template <class T>
std::string bytes_of(const std::vector<T> &values) {
    return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

void write_safetensors(const std::string &path, const std::vector<Tensor> &tensors) {
    nlohmann::ordered_json header;
    std::string data;
    for (const Tensor &tensor : tensors) {
        header[tensor.name] = {{"dtype", tensor.dtype},
                               {"shape", tensor.shape},
                               {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
        data += tensor.bytes;
    }
    const std::string text = header.dump();
    const std::uint64_t size = text.size();
    std::ofstream(path, std::ios::binary)
        << std::string(reinterpret_cast<const char *>(&size), sizeof size) << text << data;
}

struct Shape {
    std::size_t layers, heads, head_size;
    bool turned; // the state file has [key, value], a state-tuned one always [value, key]
};

Shape shape_of(const firefinch::Model &model) {
    const ff_model_info info = model.info();
    return {info.layers, info.heads, info.head_size, info.version[0] != '7'};
}

// For each layer [H, value, key].
std::vector<std::vector<float>> random_states(const Shape &shape) {
    Random random(17);
    std::vector<std::vector<float>> states;
    for (std::size_t layer = 0; layer < shape.layers; ++layer)
        states.push_back(random.vector(shape.heads * shape.head_size * shape.head_size));
    return states;
}

std::vector<Tensor> tuned_tensors(const Shape &shape, const std::vector<std::vector<float>> &states) {
    std::vector<Tensor> tensors;
    for (std::size_t layer = 0; layer < shape.layers; ++layer)
        tensors.push_back({"blocks." + std::to_string(layer) + ".att.time_state",
                           "F32",
                           {shape.heads, shape.head_size, shape.head_size},
                           bytes_of(states[layer])});
    return tensors;
}

// The state file of a fresh session with these WKV states in it.
void write_state_file(firefinch::Session &fresh, const std::string &path, const Shape &shape,
                      const std::vector<std::vector<float>> &states) {
    fresh.save(path);
    const StateFile file(path);
    std::string bytes = read_text(path);
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::size_t n = shape.head_size;
    for (std::size_t layer = 0; layer < shape.layers; ++layer) {
        std::vector<float> values = states[layer];
        if (shape.turned)
            for (std::size_t head = 0; head < shape.heads; ++head)
                for (std::size_t value = 0; value < n; ++value)
                    for (std::size_t key = 0; key < n; ++key)
                        values[(head * n + key) * n + value] = states[layer][(head * n + value) * n + key];
        const std::size_t at = file.header().at("blocks." + std::to_string(layer) + ".wkv").at("data_offsets").at(0);
        std::memcpy(bytes.data() + sizeof header + header + at, values.data(), values.size() * sizeof(float));
    }
    std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<Golden> models() {
    std::vector<Golden> all = {demo_golden()};
    for (const char *name : {"synth-5.2", "synth-6", "synth-7a"}) {
        if (auto golden = shared_golden(name, ".safetensors"))
            all.push_back(std::move(*golden));
        else
            MESSAGE("skipped: the shared folder's " << name << " is missing");
    }
    return all;
}

std::string refusal(firefinch::Session &session, const std::string &path) {
    ff_error error{};
    CHECK(ff_session_load(session.get(), path.c_str(), &error) != FF_OK);
    return error.message;
}

} // namespace

TEST_CASE("a state-tuned file is the state before the first token") {
    for (const Golden &golden : models()) {
        CAPTURE(golden.name);
        const firefinch::Model model = load(golden.model);
        const Shape shape = shape_of(model);
        const auto states = random_states(shape);
        const TemporaryFile tuned("tuned"), saved("saved");
        firefinch::Session session(model), reference(model);
        write_safetensors(tuned.path(), tuned_tensors(shape, states));
        write_state_file(reference, saved.path(), shape, states);
        prefill(session, golden.tokens, golden.vocabulary); // gone afterwards
        session.load(tuned.path());
        reference.load(saved.path());
        const ff_generate_options options = greedy_options(1);
        CHECK(ff_session_generate(session.get(), &options, nullptr, nullptr) == FF_ERROR_ARGUMENT); // nothing read
        const auto logits = prefill(session, golden.tokens, golden.vocabulary);
        CHECK(logits == prefill(reference, golden.tokens, golden.vocabulary));
        firefinch::Session fresh(model);
        CHECK(logits != prefill(fresh, golden.tokens, golden.vocabulary));
    }
}

TEST_CASE("state-tuned files of 16-bit floats load") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const Shape shape = shape_of(model);
    auto states = random_states(shape);
    std::vector<Tensor> halves = tuned_tensors(shape, states);
    for (std::size_t layer = 0; layer < shape.layers; ++layer) {
        std::vector<std::uint16_t> bits;
        for (float &value : states[layer]) {
            bits.push_back(to_bfloat16(value));
            value = from_bfloat16(bits.back());
        }
        halves[layer].dtype = "BF16";
        halves[layer].bytes = bytes_of(bits);
    }
    const TemporaryFile half("half"), full("full"), web("web");
    write_safetensors(half.path(), halves);
    write_safetensors(full.path(), tuned_tensors(shape, states));
    firefinch::Session one(model), other(model);
    one.load(half.path());
    other.load(full.path());
    CHECK(prefill(one, demo.tokens, demo.vocabulary) == prefill(other, demo.tokens, demo.vocabulary));

    for (Tensor &tensor : halves) tensor.dtype = "F16"; // which way round is not known
    write_safetensors(web.path(), halves);
    CHECK(refusal(one, web.path()).find("web-rwkv") != std::string::npos);
}

TEST_CASE("a state-tuned file of another model is refused, naming what does not fit") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    const Shape shape = shape_of(model);
    const TemporaryFile file("other");

    Shape fewer = shape;
    fewer.layers -= 1;
    write_safetensors(file.path(), tuned_tensors(fewer, random_states(fewer)));
    CHECK(refusal(session, file.path()).find("expected 4, found 3") != std::string::npos);

    Shape heads = shape;
    heads.heads *= 2;
    write_safetensors(file.path(), tuned_tensors(heads, random_states(heads)));
    CHECK(refusal(session, file.path()).find("blocks.0.att.time_state is [8, 64, 64]") != std::string::npos);

    auto tensors = tuned_tensors(shape, random_states(shape));
    tensors[2].name = "blocks.2.att.time_mix_k";
    write_safetensors(file.path(), tensors);
    CHECK(refusal(session, file.path()).find("blocks.2.att.time_state is missing") != std::string::npos);

    if (const auto four = shared_golden("synth-4", ".safetensors")) {
        const firefinch::Model older = load(four->model);
        firefinch::Session without(older);
        write_safetensors(file.path(), tuned_tensors(shape, random_states(shape)));
        CHECK(refusal(without, file.path()).find("versions 5 to 7a") != std::string::npos);
    }
}
