// A checkpoint written as another file: what `convert` and `quantize` share.
#pragma once

#include "open.h"

#include <string>
#include <utility>
#include <vector>

namespace program {

struct WriteOptions {
    OutputOptions output;
    std::string model, out, name, tokenizer = "auto";
    std::string weights = "as-stored";
    std::vector<std::pair<std::string, std::string>> tensor_types; // pattern, type
    std::vector<Lora> loras;
    bool dry_run = false;
};
// MODEL, OUT and what else both commands have.
void add_write_options(CLI::App &command, WriteOptions &out);

// "gguf" or "safetensors" by the end of the name; throws UsageError for another one.
std::string container_of(const std::string &path);

// Writes, or with dry_run only reports; `command` names the report's schema.
int write_model(const std::string &command, const WriteOptions &options, const Environment &environment);

} // namespace program
