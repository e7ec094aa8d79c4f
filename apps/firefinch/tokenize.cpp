// firefinch tokenize: text to token ids, and ids to exactly the bytes they stand for.
#include "commands.h"
#include "failure.h"
#include "files.h"
#include "open.h"
#include "text.h"
#include "token_ids.h"

#include <memory>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

namespace program {
namespace {

struct Options {
    OutputOptions output;
    std::string model, tokenizer = "auto";
    std::optional<std::string> text;
    bool decode = false;
};

int run(const Options &options, const Environment &environment) {
    Terminal terminal(options.output.quiet, options.output.verbose, environment.colour);
    std::optional<firefinch::Checkpoint> checkpoint; // only where it decides
    if (options.tokenizer == "auto" || !options.model.empty()) checkpoint.emplace(open_checkpoint(options.model));
    const firefinch::Tokenizer tokenizer(options.tokenizer, checkpoint ? &*checkpoint : nullptr);
    if (terminal.verbose())
        terminal.note(fmt::format("tokenizer: {}, {} tokens", tokenizer.name(), grouped(tokenizer.vocabulary())));
    const std::string input = options.text ? *options.text : read_standard_input();
    Output out;
    if (!options.decode) {
        const std::vector<std::uint32_t> ids = tokenizer.encode(input);
        if (options.output.json)
            print_json(out, {{"schema", "firefinch-tokenize/1"},
                             {"tokenizer", tokenizer.name()},
                             {"tokens", ids},
                             {"bytes", input.size()}});
        else
            out.write(join_token_ids(ids) + "\n");
        return kDone;
    }
    std::vector<std::uint32_t> ids;
    try {
        ids = parse_token_ids(input);
    } catch (const std::invalid_argument &error) {
        if (options.text) throw UsageError(fmt::format("-p: {}", error.what()));
        throw Failure(fmt::format("standard input: {}", error.what()));
    }
    std::string text;
    for (const std::uint32_t id : ids) text += tokenizer.decode(id);
    if (options.output.json)
        print_json(out, {{"schema", "firefinch-tokenize/1"},
                         {"tokenizer", tokenizer.name()},
                         {"text", text},
                         {"bytes", text.size()}});
    else
        out.write(text);
    return kDone;
}

} // namespace

Command add_tokenize(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("tokenize", "Text on stdin to token ids, or with --decode the other way");
    app->add_option("-p,--prompt", options->text, "The input, instead of stdin")->type_name("TEXT");
    app->add_flag("--decode", options->decode,
                  "Ids separated by white space to the bytes they stand for, exactly and with nothing added");
    add_model_option(*app, options->model);
    add_tokenizer_option(*app, options->tokenizer);
    add_output_options(*app, options->output);
    app->footer("Examples:\n"
                "  echo 'To be' | firefinch tokenize -m model.pth\n"
                "  firefinch tokenize --tokenizer world -p 'Hello'\n"
                "  firefinch tokenize --tokenizer world < book.txt | firefinch tokenize --tokenizer world --decode");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
