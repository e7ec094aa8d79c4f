#include "open.h"

#include "demo_model.h"
#include "failure.h"

#include <fmt/format.h>

namespace program {
namespace {

const char *or_null(const std::string &text) {
    return text.empty() ? nullptr : text.c_str();
}

} // namespace

void add_work_options(CLI::App &command, WorkOptions &out) {
    add_model_option(command, out.model);
    add_lora_option(command, out.loras);
    add_tokenizer_option(command, out.tokenizer);
    add_weights_option(command, out.weights);
    add_device_options(command, out.device);
    add_output_options(command, out.output);
}

std::string model_name(const std::string &model) {
    return model.empty() ? kDemoName : model;
}

firefinch::Checkpoint open_checkpoint(const std::string &model, const std::vector<Lora> &loras) {
    firefinch::Checkpoint checkpoint = model.empty()
                                           ? firefinch::Checkpoint(kDemoName, demo_model().data(), demo_model().size())
                                           : firefinch::Checkpoint(model);
    for (const Lora &lora : loras) checkpoint.merge_lora(lora.path, lora.alpha);
    return checkpoint;
}

firefinch::Checkpoint open_model_or_shape(const WorkOptions &options, const std::string &shape) {
    if (shape.empty()) return open_checkpoint(options.model, options.loras);
    const bool as_stored = options.weights == WorkOptions().weights;
    return firefinch::Checkpoint::synthetic(shape, as_stored ? nullptr : options.weights.c_str());
}

std::optional<std::uint32_t> end_of_text(bool demo, const firefinch::Tokenizer &tokenizer) {
    return demo ? std::optional<std::uint32_t>(kDemoFirstToken) : tokenizer.special(FF_TOKEN_END_OF_TEXT);
}

firefinch::Engine open_engine(const DeviceOptions &options, const Environment &environment, Terminal &terminal) {
    std::error_code ignored; // without a cache everything works, only slower
    if (!environment.cache_directory.empty()) std::filesystem::create_directories(environment.cache_directory, ignored);
    ff_engine_options wanted = firefinch::engine_options();
    wanted.device = or_null(options.device.empty() ? environment.device : options.device);
    wanted.profile = options.profile.c_str();
    wanted.cache_directory = or_null(environment.cache_directory);
    wanted.shader_directory = or_null(environment.shader_directory);
    wanted.validate = options.validate ? 1 : 0;
    wanted.ignore_deny_list = environment.ignore_deny_list ? 1 : 0;
    wanted.ignore_tuning = environment.ignore_tuning ? 1 : 0;
    wanted.no_first_test = environment.no_first_test ? 1 : 0;
    wanted.log = Terminal::log_callback;
    wanted.log_payload = &terminal;
    return firefinch::Engine(wanted);
}

firefinch::Model open_model(const firefinch::Engine &engine, const firefinch::Checkpoint &checkpoint,
                            const std::string &weights, Terminal &terminal, std::uint32_t max_sessions) {
    if (interrupted()) throw Interrupted();
    ff_model_options wanted = firefinch::model_options();
    wanted.weights = weights.c_str();
    wanted.max_sessions = max_sessions;
    wanted.progress = Terminal::progress_callback;
    wanted.progress_payload = &terminal;
    firefinch::Model model(engine, checkpoint, wanted);
    terminal.end_progress();
    return model;
}

void check_validation(const firefinch::Engine &engine, const DeviceOptions &options) {
    if (!options.validate) return;
    std::string first;
    const std::uint64_t count = engine.validation_messages(&first);
    if (count > 0)
        throw Failure(fmt::format("the Vulkan validation layers sent {} message{}, the first: {}", count,
                                  count == 1 ? "" : "s", first));
}

} // namespace program
