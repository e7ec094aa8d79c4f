// From options to open objects: what every command that runs a model does first.
#pragma once

#include "options.h"
#include "terminal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

struct WorkOptions {
    OutputOptions output;
    DeviceOptions device;
    std::string model; // "": the embedded demo model
    std::vector<Lora> loras;
    std::string weights = "as-stored";
    std::string tokenizer = "auto";

    bool demo() const { return model.empty(); }
};

// The adapters are merged into it.
// All of them, for commands that take each.
void add_work_options(CLI::App &command, WorkOptions &out);

firefinch::Checkpoint open_checkpoint(const std::string &model, const std::vector<Lora> &loras = {});
// The model, or random weights in a shape that is not empty.
firefinch::Checkpoint open_model_or_shape(const WorkOptions &options, const std::string &shape);
// "the embedded demo model" or the file's path, for messages
std::string model_name(const std::string &model);

// The token that ends a document and is read before one. The demo model's vocabulary of bytes has none, but the model
// was trained with one.
std::optional<std::uint32_t> end_of_text(bool demo, const firefinch::Tokenizer &tokenizer);

// The terminal is told what the library logs and how far it is, and must outlive the engine.
firefinch::Engine open_engine(const DeviceOptions &options, const Environment &environment, Terminal &terminal);
firefinch::Model open_model(const firefinch::Engine &engine, const firefinch::Checkpoint &checkpoint,
                            const std::string &weights, Terminal &terminal, std::uint32_t max_sessions = 1);

// Throws Failure with the first message if --validate was given and the layers sent any. To be called when the work and
// its clean-up are done.
void check_validation(const firefinch::Engine &engine, const DeviceOptions &options);

} // namespace program
