// firefinch convert: the same weights in another container.
#include "commands.h"
#include "write_model.h"

#include <memory>

namespace program {

Command add_convert(CLI::App &program) {
    const auto options = std::make_shared<WriteOptions>();
    CLI::App *app = program.add_subcommand("convert", "Write a model as .safetensors or .gguf, every weight as stored");
    add_write_options(*app, *options);
    app->footer("Examples:\n"
                "  firefinch convert model.pth model.safetensors\n"
                "  firefinch convert model.pth model.gguf --tokenizer world\n"
                "  firefinch convert model.pth merged.safetensors --lora adapter.pth:32");
    return {app, [options](const Environment &environment) { return write_model("convert", *options, environment); }};
}

} // namespace program
