// The engine of the executable and models on it, through the public API alone.
#pragma once

#include "tests/models/golden.h"

#include <firefinch/firefinch.hpp>

namespace ff::test {

// One engine, validated, on the device that the environment chooses (see tests/CMakeLists.txt); destroyed after the
// last test, when no validation message may have come.
const firefinch::Engine &engine();

// A model with room for `sessions` conversations; `weights` as in ff_model_options.
firefinch::Model load(const std::filesystem::path &file, std::uint32_t sessions = 4, const char *weights = nullptr);

// Of a file in memory.
firefinch::Model load_memory(std::span<const std::byte> file, std::uint32_t sessions, const char *weights = nullptr);

// Whether integer dot products are fast here: decode steps of block formats count inputs in 16 bits then, and wide ones do not.
bool counts_inputs();

// Reads prompts one token after the other, as it generates: for tests that compare bits.
class Recurrent : public firefinch::Session {
  public:
    explicit Recurrent(const firefinch::Model &model) : Session(model) { set_chunk(1); }
};

std::vector<float> evaluate(firefinch::Session &session, std::span<const std::uint32_t> tokens, std::size_t vocabulary);
// The logits after the last of the tokens, all read in one call.
std::vector<float> prefill(firefinch::Session &session, std::span<const std::uint32_t> tokens, std::size_t vocabulary);

// Tokens a generate call delivers; stops by callback after `stop_after` of them.
struct Generated {
    std::vector<std::uint32_t> tokens;
    ff_generate_result result;
};
Generated generate(firefinch::Session &session, const ff_generate_options &options, std::size_t stop_after = ~0ULL);
ff_generate_options greedy_options(std::uint64_t count);

std::size_t argmax(std::span<const float> logits); // the lowest id on a tie

} // namespace ff::test
