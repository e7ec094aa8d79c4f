// firefinch generate: text from a prompt, streamed to standard output.
#include "commands.h"
#include "delivery.h"
#include "demo_model.h"
#include "failure.h"
#include "generate_report.h"
#include "open.h"
#include "prefill.h"
#include "prompt.h"
#include "sampling_options.h"
#include "text.h"

#include <memory>
#include <optional>

#include <fmt/format.h>

namespace program {
namespace {

constexpr SamplingDefaults kDefaults{.top_p = 0.5f};
constexpr SamplingDefaults kDemoDefaults{.temperature = kDemoTemperature, .top_p = kDemoTopP};

struct Options {
    WorkOptions work;
    PromptOptions prompt;
    SamplingOptions sampling;
    std::uint64_t count = 256;
    std::vector<std::string> stops;
    std::string load_state, save_state;
    bool print_tokens = false, ignore_eos = false;

    bool demo() const { return work.demo(); }
    bool needs_text() const { return !print_tokens || !stops.empty(); }
    bool prompt_is_text() const { return !prompt.ids && (prompt.text || prompt.file || demo()); }
};

// Where text is neither read nor written, a vocabulary is wanted only for its end of text, and may be missing.
std::optional<firefinch::Tokenizer> open_tokenizer(const Options &options, const firefinch::Checkpoint &checkpoint) {
    const bool needed =
        options.needs_text() || options.prompt_is_text() || options.work.tokenizer != WorkOptions().tokenizer;
    try {
        return firefinch::Tokenizer(options.work.tokenizer, &checkpoint);
    } catch (const firefinch::Error &error) {
        if (needed || error.status() != FF_ERROR_UNSUPPORTED) throw;
        return std::nullopt;
    }
}

int run(const Options &options, const Environment &environment) {
    const WorkOptions &work = options.work;
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);
    const firefinch::Checkpoint checkpoint = open_checkpoint(work.model, work.loras);
    const std::uint32_t vocabulary = checkpoint.info().vocabulary;
    const std::optional<firefinch::Tokenizer> tokenizer = open_tokenizer(options, checkpoint);
    const Prompt prompt = make_prompt(options.prompt, options.demo(), !options.load_state.empty(),
                                      tokenizer ? &*tokenizer : nullptr, vocabulary);

    const firefinch::Engine engine = open_engine(work.device, environment, terminal);
    std::optional<firefinch::Model> model(open_model(engine, checkpoint, work.weights, terminal));
    std::optional<firefinch::Session> session(std::in_place, *model);
    if (!options.load_state.empty()) session->load(options.load_state);

    GenerateReport report;
    report.prompt_tokens = prompt.ids.size();
    report.prefill_seconds = prefill(*session, prompt.ids, terminal);
    const Show show = work.output.json ? Show::nothing : options.print_tokens ? Show::ids : Show::text;
    if (show == Show::text) terminal.echo(prompt.text);

    ff_generate_options wanted = firefinch::generate_options();
    wanted.count = options.count;
    wanted.sampling = options.sampling.sampling(options.demo() ? kDemoDefaults : kDefaults);
    const std::optional<std::uint32_t> end = tokenizer ? end_of_text(options.demo(), *tokenizer) : std::nullopt;
    if (end && !options.ignore_eos) {
        wanted.stop_tokens = &*end;
        wanted.stop_token_count = 1;
    }
    Delivery delivery(options.needs_text() ? &*tokenizer : nullptr, options.stops, show);
    report.result = session->generate(wanted, [&](std::uint32_t id) { return delivery.deliver(id); });
    delivery.finish();
    if (!options.save_state.empty()) session->save(options.save_state);

    report.reason = delivery.reason(report.result);
    report.seed = wanted.sampling.seed;
    report.device = engine.device();
    report.model = model->info();
    report.statistics = model->statistics();
    report.print_notes(terminal);
    if (work.output.json) {
        Json json = report.to_json();
        json["tokens"] = delivery.ids();
        if (options.needs_text()) json["text"] = delivery.text();
        Output out;
        print_json(out, json);
    }
    session.reset();
    model.reset();
    check_validation(engine, work.device);
    return interrupted() ? kInterrupted : kDone;
}

} // namespace

Command add_generate(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("generate", "Go on from a prompt; the text streams to stdout");
    add_prompt_options(*app, options->prompt);
    add_whole(*app, "-n,--count", options->count, "Tokens to produce at most [256]", 1, 4294967294U);
    options->sampling.add(*app, {{"", kDefaults}, {"demo model", kDemoDefaults}});
    app->add_option("--stop", options->stops, "End before this text, which is not printed; may be given several times")
        ->type_name("TEXT")
        ->allow_extra_args(false) // one value each; it also keeps CLI11 from taking "[...]" for a list
        ->check(CLI::Validator([](const std::string &text) { return text.empty() ? "the text is empty" : ""; }, ""));
    app->add_flag("--ignore-eos", options->ignore_eos,
                  "Do not end at the vocabulary's end of text: token 0 of World and 20B and for the demo model");
    app->add_flag("--print-tokens", options->print_tokens,
                  "Print ids instead of text; those of a stop text are printed as well");
    app->add_option("--load-state", options->load_state, "Begin from this state; a prompt may be left out")
        ->type_name("FILE");
    app->add_option("--save-state", options->save_state, "Write the state that has read all tokens up to the end")
        ->type_name("FILE");
    add_work_options(*app, options->work);
    app->footer("The embedded demo model writes play dialogue; without a prompt it goes on from \"ROMEO:\" and a new "
                "line,\nand its token 0 is read before a prompt of text. Other models need a prompt.\n\n"
                "Examples:\n"
                "  firefinch generate -v\n"
                "  firefinch generate -p 'LADY BRACKNELL:' -n 400 --seed 7\n"
                "  firefinch generate -m model.pth -f story.txt --temp 0 --stop '\n\n'\n"
                "  firefinch generate -m model.pth -p 'My name is Ada.' -n 1 --save-state ada.state\n"
                "  firefinch generate -m model.pth --load-state ada.state -p ' I am' --json");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
