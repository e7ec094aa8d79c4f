// firefinch quantize: a GGUF file with fewer bits a weight.
#include "commands.h"
#include "failure.h"
#include "write_model.h"

#include <memory>

#include <fmt/format.h>

namespace program {
namespace {

std::pair<std::string, std::string> parse_tensor_type(const std::string &text) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0)
        throw CLI::ValidationError("--tensor-type",
                                   fmt::format("'{}' is not PATTERN=T, as in 'blocks.*.att.*=q8_0'", text));
    std::string type = text.substr(equals + 1);
    if (const std::string wrong = weight_type()(type); !wrong.empty())
        throw CLI::ValidationError("--tensor-type", wrong);
    return {text.substr(0, equals), type};
}

} // namespace

Command add_quantize(CLI::App &program) {
    const auto options = std::make_shared<WriteOptions>();
    CLI::App *app = program.add_subcommand("quantize", "Write a model as .gguf with fewer bits a weight");
    add_write_options(*app, *options);
    app->add_option("--type", options->weights,
                    "What the layers' matrices become; the head gets no fewer than six bits, tables 16, and what is "
                    "small or sensitive stays as it is")
        ->type_name("TYPE")
        ->required()
        ->check(weight_type());
    const auto take = [options](const std::vector<std::string> &texts) {
        options->tensor_types.clear();
        for (const std::string &text : texts) options->tensor_types.push_back(parse_tensor_type(text));
    };
    app->add_option_function<std::vector<std::string>>(
           "--tensor-type", take,
           "An exception: tensors of these official names, in which * stands for any text, become T; the first that "
           "fits decides; may be given several times")
        ->type_name("PATTERN=T")
        ->allow_extra_args(false);
    app->footer("Examples:\n"
                "  firefinch quantize model.pth model-q8_0.gguf --type q8_0\n"
                "  firefinch quantize model.pth small.gguf --type q4_k --dry-run\n"
                "  firefinch quantize model.pth mixed.gguf --type q4_k --tensor-type 'blocks.*.att.*=q8_0'");
    return {app, [options](const Environment &environment) {
                if (container_of(options->out) != "gguf")
                    throw UsageError(
                        fmt::format("'{}' does not end in .gguf, which is what quantize writes", options->out));
                return write_model("quantize", *options, environment);
            }};
}

} // namespace program
