#include "prompt.h"

#include "demo_model.h"
#include "failure.h"
#include "files.h"
#include "token_ids.h"

#include <stdexcept>

#include <fmt/format.h>

namespace program {

void add_prompt_options(CLI::App &command, PromptOptions &out) {
    CLI::Option *text =
        command.add_option("-p,--prompt", out.text, "The text to go on from; escapes are not interpreted");
    CLI::Option *file = command.add_option("-f,--file", out.file, "The same, from a file; - is stdin");
    CLI::Option *ids = command.add_option("--tokens", out.ids, "The same, as token ids: \"1 2 3\"");
    text->type_name("TEXT")->excludes(file)->excludes(ids);
    file->type_name("FILE")->excludes(ids);
    ids->type_name("IDS");
}

Prompt make_prompt(const PromptOptions &options, bool demo, bool from_state, const firefinch::Tokenizer *tokenizer,
                   std::uint32_t vocabulary) {
    Prompt prompt;
    std::string source = "-p";
    if (options.ids) {
        source = "--tokens";
        try {
            prompt.ids = parse_token_ids(*options.ids);
        } catch (const std::invalid_argument &error) {
            throw UsageError(fmt::format("--tokens: {}", error.what()));
        }
    } else if (options.text || options.file || (demo && !from_state)) {
        if (options.file) {
            source = *options.file == "-" ? "standard input" : *options.file;
            prompt.text = read_file(*options.file);
        } else {
            prompt.text = options.text ? *options.text : std::string(kDemoPrompt);
        }
        prompt.ids = tokenizer->encode(prompt.text);
    } else {
        if (from_state) return prompt;
        throw UsageError("a prompt is required: give -p TEXT, -f FILE or --tokens IDS");
    }
    if (prompt.ids.empty())
        throw Failure(
            fmt::format("{}: the prompt has 0 tokens, and there is nothing to go on from; give at least one", source));
    check_token_ids(prompt.ids, vocabulary, source);
    if (demo && !from_state && !options.ids) prompt.ids.insert(prompt.ids.begin(), kDemoFirstToken);
    return prompt;
}

} // namespace program
