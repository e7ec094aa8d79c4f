#include "write_model.h"

#include "failure.h"
#include "text.h"
#include "write_report.h"

#include <chrono>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace program {
namespace {

// Writing replaces OUT at the end, when MODEL or an adapter would be gone.
void check_not_an_input(const WriteOptions &options) {
    std::error_code ignored; // a path that is not there is nothing's equal
    const auto same = [&](const std::string &path) { return std::filesystem::equivalent(path, options.out, ignored); };
    const auto check = [&](const std::string &path) {
        if (same(path))
            throw Failure(fmt::format(
                "{}: it is what is being read, and is not overwritten; give the result another name", options.out));
    };
    check(options.model);
    for (const Lora &lora : options.loras) check(lora.path);
}

// What the file is given beside what it already brings: nothing for a file with a vocabulary of its own, and none where
// nothing is known.
std::optional<firefinch::Tokenizer> tokenizer_to_write(const WriteOptions &options,
                                                       const firefinch::Checkpoint &checkpoint) {
    if (options.tokenizer != "auto") return firefinch::Tokenizer(options.tokenizer, &checkpoint);
    const std::string known = checkpoint.info().tokenizer;
    if (known != "world" && known != "bytes") return std::nullopt;
    return firefinch::Tokenizer(known, &checkpoint);
}

} // namespace

std::string container_of(const std::string &path) {
    const std::string extension = std::filesystem::path(path).extension().string();
    if (extension == ".gguf") return "gguf";
    if (extension == ".safetensors") return "safetensors";
    throw UsageError(fmt::format("'{}' ends neither in .gguf nor in .safetensors", path));
}

void add_write_options(CLI::App &command, WriteOptions &out) {
    command.add_option("MODEL", out.model, "What is read: .safetensors, .pth, .gguf, or rwkv.cpp's .bin")
        ->type_name("FILE")
        ->required();
    command.add_option("OUT", out.out, "What is written; it appears when it is complete")
        ->type_name("FILE")
        ->required();
    add_lora_option(command, out.loras);
    command.add_option("--name", out.name, "The model's name in the file [its own, or its file's]")->type_name("TEXT");
    command
        .add_option("--tokenizer", out.tokenizer,
                    "The vocabulary that goes into a GGUF file: bytes, world, or a vocabulary file [auto: the one in "
                    "MODEL, else world or bytes by the size of its vocabulary, else none]")
        ->type_name("KIND|FILE");
    command.add_flag("--dry-run", out.dry_run, "Write nothing; only say what the file would hold, and its size");
    add_output_options(command, out.output);
}

int write_model(const std::string &command, const WriteOptions &options, const Environment &environment) {
    Terminal terminal(options.output.quiet, options.output.verbose, environment.colour);
    const std::string container = container_of(options.out);
    if (container != "gguf" && options.tokenizer != "auto")
        throw UsageError("--tokenizer: only a GGUF file holds a vocabulary");
    check_not_an_input(options);
    const firefinch::Checkpoint checkpoint = open_checkpoint(options.model, options.loras);
    std::optional<firefinch::Tokenizer> tokenizer;
    if (container == "gguf") tokenizer = tokenizer_to_write(options, checkpoint);

    ff_write_options wanted = firefinch::write_options();
    wanted.container = container.c_str();
    wanted.weights = options.weights.c_str();
    std::vector<ff_tensor_type> tensor_types;
    for (const auto &[pattern, type] : options.tensor_types) tensor_types.push_back({pattern.c_str(), type.c_str()});
    wanted.tensor_types = tensor_types.data();
    wanted.tensor_type_count = tensor_types.size();
    wanted.name = options.name.empty() ? nullptr : options.name.c_str();
    wanted.tokenizer = tokenizer ? tokenizer->get() : nullptr;
    wanted.progress = Terminal::progress_callback;
    wanted.progress_payload = &terminal;
    const auto begin = std::chrono::steady_clock::now();
    const firefinch::WriteReport report(
        checkpoint, options.dry_run ? std::nullopt : std::optional<std::string>(options.out), wanted);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    terminal.end_progress();

    Output out;
    if (options.output.json) {
        Json json = {{"schema", "firefinch-" + command + "/1"},
                     {"model", options.model},
                     {"file", options.out},
                     {"container", container},
                     {"weights", options.weights},
                     {"dry_run", options.dry_run}};
        json["vocabulary"] = tokenizer ? Json(tokenizer->name()) : Json();
        json.update(write_report_json(report));
        json["seconds"] = seconds.count();
        print_json(out, json);
    } else {
        out.write(write_report_text(report, options.out, options.dry_run));
    }
    return kDone;
}

} // namespace program
