// firefinch logits: the logits after each of the given tokens, for scripts that compare or measure.
#include "commands.h"
#include "failure.h"
#include "files.h"
#include "open.h"
#include "text.h"
#include "token_ids.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

namespace program {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

struct Options {
    WorkOptions work;
    std::string tokens_file, out, load_state, save_state;
    std::uint64_t chunk = 128;
};

std::vector<std::uint32_t> read_tokens(const std::string &path, std::uint32_t vocabulary) {
    std::vector<std::uint32_t> ids;
    try {
        ids = parse_token_ids(read_file(path));
    } catch (const std::invalid_argument &error) {
        throw Failure(fmt::format("{}: {}", path, error.what()));
    }
    if (ids.empty()) throw Failure(fmt::format("{}: there are no tokens in it; give at least one", path));
    check_token_ids(ids, vocabulary, path);
    return ids;
}

// [tokens, vocabulary] to the file, a chunk at a time.
void evaluate(firefinch::Session &session, const std::vector<std::uint32_t> &ids, std::size_t chunk,
              std::size_t vocabulary, OutputFile &file, Terminal &terminal) {
    session.set_chunk(static_cast<std::uint32_t>(chunk));
    chunk = std::min(chunk, ids.size());
    std::vector<float> logits(chunk * vocabulary);
    for (std::size_t done = 0; done < ids.size();) {
        if (interrupted()) throw Interrupted();
        const std::size_t count = std::min(chunk, ids.size() - done);
        session.evaluate(ids.data() + done, count, logits.data());
        file.write(logits.data(), count * vocabulary * sizeof(float));
        done += count;
        terminal.progress("logits", done, ids.size());
    }
    terminal.end_progress();
}

int run(const Options &options, const Environment &environment) {
    Terminal terminal(options.work.output.quiet, options.work.output.verbose, environment.colour);
    const firefinch::Checkpoint checkpoint = open_checkpoint(options.work.model, options.work.loras);
    const std::uint32_t vocabulary = checkpoint.info().vocabulary;
    const std::vector<std::uint32_t> ids = read_tokens(options.tokens_file, vocabulary);
    const firefinch::Engine engine = open_engine(options.work.device, environment, terminal);
    std::optional<firefinch::Model> model(open_model(engine, checkpoint, options.work.weights, terminal));
    std::optional<firefinch::Session> session(std::in_place, *model);
    if (!options.load_state.empty()) session->load(options.load_state);

    OutputFile file(options.out);
    const auto begin = std::chrono::steady_clock::now();
    evaluate(*session, ids, options.chunk, vocabulary, file, terminal);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (!options.save_state.empty()) session->save(options.save_state);
    session.reset();
    model.reset();
    check_validation(engine, options.work.device);
    file.commit();

    const ff_device_info device = engine.device();
    const double speed = static_cast<double>(ids.size()) / seconds.count();
    if (terminal.verbose())
        terminal.note(fmt::format("device: {}, {} {}\nlogits: {} tokens, {:.1f} tokens/s", device.name, device.driver,
                                  device.driver_info, grouped(ids.size()), speed));
    if (options.work.output.json) {
        Output out;
        print_json(out, {{"schema", "firefinch-logits/1"},
                         {"file", options.out},
                         {"tokens", ids.size()},
                         {"vocabulary", vocabulary},
                         {"seconds", seconds.count()},
                         {"tokens_per_second", speed},
                         {"device", {{"name", device.name}, {"driver", device.driver}}}});
    }
    return kDone;
}

} // namespace

Command add_logits(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("logits", "Logits after each token, float32 little-endian, "
                                                     "[tokens, vocabulary]");
    app->add_option("--tokens-file", options->tokens_file, "Token ids separated by white space; - is stdin")
        ->type_name("FILE")
        ->required();
    app->add_option("--out", options->out, "Where the logits go; the file appears when it is complete")
        ->type_name("FILE")
        ->required();
    add_whole(
        *app, "--chunk", options->chunk,
        "Tokens read in one step, as far as the device's plan goes; 1 reads one after the other, as generation does. "
        "Results agree within the rounding of float32 [128]",
        1, 65536);
    app->add_option("--load-state", options->load_state, "Begin from this state")->type_name("FILE");
    app->add_option("--save-state", options->save_state, "Write the state after the last token")->type_name("FILE");
    add_model_option(*app, options->work.model);
    add_lora_option(*app, options->work.loras);
    add_weights_option(*app, options->work.weights);
    add_device_options(*app, options->work.device);
    add_output_options(*app, options->work.output);
    app->footer("Examples:\n"
                "  firefinch tokenize -p 'To be' > ids.txt\n"
                "  firefinch logits --tokens-file ids.txt --out logits.f32\n"
                "  firefinch logits -m model.pth --tokens-file ids.txt --out logits.f32 --chunk 1 -d 0");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
