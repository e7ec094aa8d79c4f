// From options to open objects: what every command that runs a model does first.
#pragma once

#include "options.h"
#include "terminal.h"

#include <string>

#include <firefinch/firefinch.hpp>

namespace program {

struct WorkOptions {
    OutputOptions output;
    DeviceOptions device;
    std::string model; // "": the embedded demo model
    std::string weights = "as-stored";
    std::string tokenizer = "auto";
};

firefinch::Checkpoint open_checkpoint(const std::string &model);
// "the embedded demo model" or the file's path, for messages
std::string model_name(const std::string &model);

// The terminal is told what the library logs and how far it is, and must outlive the engine.
firefinch::Engine open_engine(const DeviceOptions &options, const Environment &environment, Terminal &terminal);
firefinch::Model open_model(const firefinch::Engine &engine, const firefinch::Checkpoint &checkpoint,
                            const std::string &weights, Terminal &terminal);

// Throws Failure with the first message if --validate was given and the layers sent any. To be called when the work and
// its clean-up are done.
void check_validation(const firefinch::Engine &engine, const DeviceOptions &options);

} // namespace program
