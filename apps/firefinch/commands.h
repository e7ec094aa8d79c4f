// One function a command: it adds the command's options to the program, and says how to run it once they are parsed.
#pragma once

#include "options.h"

#include <functional>
#include <vector>

namespace program {

struct Command {
    CLI::App *app;
    std::function<int(const Environment &)> run; // the exit status; throws what failure.h and firefinch.hpp define
};

Command add_bench(CLI::App &program);
Command add_chat(CLI::App &program);
Command add_convert(CLI::App &program);
Command add_devices(CLI::App &program);
Command add_inspect(CLI::App &program);
Command add_doctor(CLI::App &program);
Command add_generate(CLI::App &program);
Command add_logits(CLI::App &program);
Command add_perplexity(CLI::App &program);
Command add_quantize(CLI::App &program);
Command add_report(CLI::App &program);
Command add_tokenize(CLI::App &program);
Command add_tune(CLI::App &program);

} // namespace program
