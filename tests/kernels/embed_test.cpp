#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

#include <cstring>
#include <memory>

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 1e-5;
using Entry = shader::ControlEntry;

struct Case {
    Scene scene;
    GuardedMemory control;
    gpu::BufferView control_view;
    kernels::Matrix table;
    kernels::Activation x;
    std::uint32_t norm_at;
    std::vector<float> values, weight, bias;
};

constexpr std::size_t kEntries = 2;

// A control block whose next step serves entry 1.
std::vector<std::uint32_t> control_words(const Entry &entry) {
    auto header = std::make_unique<shader::ControlHeader>();
    header->step = shader::kQueueLength + 3; // around the ring once
    header->queue[3] = 1;
    std::vector<Entry> entries(kEntries);
    entries[1] = entry;
    std::vector<std::uint32_t> words((sizeof *header + kEntries * sizeof(Entry)) / 4);
    std::memcpy(words.data(), header.get(), sizeof *header);
    std::memcpy(words.data() + sizeof *header / 4, entries.data(), kEntries * sizeof(Entry));
    return words;
}

Case make_case(std::uint32_t vocabulary, std::uint32_t width, kernels::WeightType type, const Entry &entry) {
    Random random(61);
    Case made{Scene({.scratch_floats = width + 64ULL,
                     .weight_bytes = matrix_bytes(vocabulary, width, type),
                     .parameter_floats = 2ULL * width + 64}),
              GuardedMemory("control", sizeof(shader::ControlHeader) + kEntries * sizeof(Entry) + 256),
              {},
              {},
              {},
              0,
              random.vector(std::size_t{vocabulary} * width, 2, 0.5),
              random.vector(width, 0.3, 1),
              random.vector(width)};
    made.table = put_matrix(made.scene.weights, "emb.weight", made.values, vocabulary, width, type);
    made.values = rounded(made.values, type);
    // All of x is written: the padding becomes zero again.
    made.x = made.scene.output("x", padded(width));
    made.norm_at = made.scene.parameters.put_together({made.weight, made.bias});
    made.control_view = made.control.put(control_words(entry));
    made.scene.set_header({.run = 77, .token = 77, .parity = 77, .slot = 77, .logits = 77, .sample = 77, .entry = 77});
    made.scene.scratch.may_change(made.scene.header.slice(0, 32));
    return made;
}

std::vector<kernels::Launch> launches_of(Case &made, const kernels::Variant *variant) {
    return kernels::embed(made.scene.step(), {variant, &made.table, made.norm_at, made.x, made.control_view});
}

Entry reading(std::uint32_t token, std::uint32_t left) {
    Entry entry{};
    entry.prompt_read = shader::kPromptLength + 5;
    entry.prompt_end = entry.prompt_read + left;
    entry.prompt[5] = token;
    return entry;
}

Entry generating(std::uint32_t token) {
    Entry entry{};
    entry.generating = 1;
    entry.limit = 8;
    entry.produced = 2;
    entry.pending = 1;
    entry.next_token = token;
    return entry;
}

} // namespace

TEST_CASE("embed normalises the row of the next token") {
    struct Shape {
        std::uint32_t vocabulary, width, token;
    };
    for (const kernels::Variant *variant : runnable_variants("embed"))
        for (const Shape shape : {Shape{1, 4, 0}, {97, 77, 96}, {256, 129, 0}, {130, 769, 77}, {50277, 12, 50276}}) {
            CAPTURE(variant->name);
            CAPTURE(shape.vocabulary);
            CAPTURE(shape.width);
            Case made = make_case(shape.vocabulary, shape.width, weight_type(*variant), reading(shape.token, 2));
            const auto launches = launches_of(made, variant);
            made.scene.run(launches, {&made.control});
            std::vector<float> x = made.scene.floats(made.x);
            for (std::size_t i = shape.width; i < x.size(); ++i) CHECK(x[i] == 0.0F);
            x.resize(shape.width);
            const reference::Floats row(made.values.data() + std::size_t{shape.token} * shape.width, shape.width);
            CHECK_CLOSE(x, reference::embed(row, made.weight, made.bias), kTolerance);
        }
}

TEST_CASE("embed finds the row in a table of several parts") {
    for (const kernels::Variant *variant : runnable_variants("embed"))
        for (const std::uint32_t token : {0U, 31U, 32U, 96U}) {
            CAPTURE(variant->name);
            CAPTURE(token);
            Case made = make_case(97, 77, weight_type(*variant), reading(token, 1));
            made.scene.run(launches_of(made, variant), {&made.control});
            const auto whole = made.scene.words(made.x);
            made.scene.traits.max_storage_buffer_range = 32 * made.table.row_bytes();
            const auto launches = launches_of(made, variant);
            CHECK(launches.size() == 4);
            made.scene.run(launches, {&made.control});
            CHECK(made.scene.words(made.x) == whole);
        }
}

TEST_CASE("embed decides what the step does") {
    struct Row {
        std::string_view what;
        Entry entry;
        std::uint32_t run, token, logits, sample;
    };
    const auto with = [](Entry entry, auto change) {
        change(entry);
        return entry;
    };
    const Row rows[] = {
        {"nothing to read", Entry{}, 0, 0, 0, 0},
        {"in the middle of a prompt", reading(9, 3), 1, 9, 0, 0},
        {"every token's logits are wanted", with(reading(9, 3), [](Entry &e) { e.logits_every = 1; }), 1, 9, 1, 0},
        {"the prompt's last token", reading(9, 1), 1, 9, 1, 0},
        {"the prompt's last token, then a sample", with(reading(9, 1), [](Entry &e) { e.generating = 1, e.limit = 1; }),
         1, 9, 1, 1},
        {"a prompt to read before the sample", with(reading(9, 2), [](Entry &e) { e.generating = 1, e.limit = 1; }), 1,
         9, 0, 0},
        {"the token just produced", generating(11), 1, 11, 1, 1},
        {"a prompt goes before the token just produced",
         with(reading(9, 1), [](Entry &e) { e.pending = 1, e.next_token = 11; }), 1, 9, 1, 0},
        {"the first sample, from logits that are there", with(generating(11), [](Entry &e) { e.pending = 0; }), 0, 11,
         0, 1},
        {"the last token of the limit is read, none is produced",
         with(generating(11), [](Entry &e) { e.produced = 8; }), 1, 11, 1, 0},
        {"halted", with(generating(11), [](Entry &e) { e.halt = shader::kHaltStopToken, e.pending = 0; }), 0, 11, 0, 0},
        {"the host wants no more", with(generating(11), [](Entry &e) { e.stop_request = 1; }), 0, 11, 0, 0},
    };
    const kernels::Variant *variant = runnable_variants("embed").front();
    for (const Row &row : rows) {
        CAPTURE(row.what);
        Entry entry = row.entry;
        entry.slot = 2;
        entry.parity = 1;
        Case made = make_case(97, 77, weight_type(*variant), entry);
        made.scene.run(launches_of(made, variant), {&made.control});
        const auto header = made.scene.scratch.words(made.scene.header);
        CHECK(header[shader::kStepRun] == row.run);
        if (row.run != 0) CHECK(header[shader::kStepToken] == row.token);
        CHECK(header[shader::kStepLogits] == row.logits);
        CHECK(header[shader::kStepSample] == row.sample);
        CHECK(header[shader::kStepParity] == 1);
        CHECK(header[shader::kStepSlot] == 2);
        CHECK(header[shader::kStepEntry] == 1);
    }
}
