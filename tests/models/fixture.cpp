#include "tests/models/fixture.h"

#include "tests/support/finish.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>

namespace ff::test {
namespace {

std::unique_ptr<firefinch::Engine> make_engine() {
    ff_engine_options options = firefinch::engine_options();
    const char *validate = std::getenv("FIREFINCH_TEST_VALIDATE");
    options.device = std::getenv("FIREFINCH_TEST_DEVICE");
    options.profile = std::getenv("FIREFINCH_TEST_PROFILE");
    options.validate = validate == nullptr || std::string_view(validate) != "0" ? 1 : 0;
    try {
        return std::make_unique<firefinch::Engine>(options);
    } catch (const firefinch::Error &error) {
        std::fprintf(stderr, "no device to test on: %s\n", error.what());
        std::exit(2);
    }
}

std::string destroy(std::unique_ptr<firefinch::Engine> &made) {
    std::string first;
    const std::uint64_t messages = made->validation_messages(&first);
    made.reset();
    return messages == 0 ? "" : fmt::format("{} validation messages, the first: {}", messages, first);
}

} // namespace

const firefinch::Engine &engine() {
    static std::unique_ptr<firefinch::Engine> made;
    if (!made) {
        made = make_engine();
        std::printf("device: %s\n", made->device().name);
        at_finish([] { return destroy(made); });
    }
    return *made;
}

firefinch::Model load(const std::filesystem::path &file, std::uint32_t sessions, const char *weights) {
    const firefinch::Checkpoint checkpoint(file.string());
    ff_model_options options = firefinch::model_options();
    options.max_sessions = sessions;
    options.weights = weights;
    return {engine(), checkpoint, options};
}

firefinch::Model load_memory(std::span<const std::byte> file, std::uint32_t sessions, const char *weights) {
    const firefinch::Checkpoint checkpoint("[synthetic]", file.data(), file.size());
    ff_model_options options = firefinch::model_options();
    options.weights = weights;
    options.max_sessions = sessions;
    return {engine(), checkpoint, options};
}

bool counts_inputs() {
    ff_device_list_options options = firefinch::device_list_options();
    options.profile = std::getenv("FIREFINCH_TEST_PROFILE");
    const firefinch::DeviceList devices(options);
    for (const auto &[name, value] : devices.traits(devices.choose(std::getenv("FIREFINCH_TEST_DEVICE"))))
        if (name == "integer_dot_accelerated") return value != 0;
    throw std::runtime_error("no trait integer_dot_accelerated");
}

std::vector<float> evaluate(firefinch::Session &session, std::span<const std::uint32_t> tokens,
                            std::size_t vocabulary) {
    std::vector<float> logits(tokens.size() * vocabulary);
    session.evaluate(tokens.data(), tokens.size(), logits.data());
    return logits;
}

std::vector<float> prefill(firefinch::Session &session, std::span<const std::uint32_t> tokens, std::size_t vocabulary) {
    std::vector<float> logits(vocabulary);
    session.prefill(tokens.data(), tokens.size(), logits.data());
    return logits;
}

Generated generate(firefinch::Session &session, const ff_generate_options &options, std::size_t stop_after) {
    Generated generated{};
    generated.result = session.generate(options, [&](std::uint32_t token) {
        generated.tokens.push_back(token);
        return generated.tokens.size() < stop_after;
    });
    return generated;
}

ff_generate_options greedy_options(std::uint64_t count) {
    ff_generate_options options = firefinch::generate_options();
    options.count = count;
    options.sampling.temperature = 0;
    return options;
}

std::size_t argmax(std::span<const float> logits) {
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

} // namespace ff::test
