// firefinch generate: text from a prompt, streamed to standard output.
#include "commands.h"
#include "delivery.h"
#include "demo_model.h"
#include "failure.h"
#include "generate_report.h"
#include "open.h"
#include "prompt.h"
#include "text.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>

#include <fmt/format.h>

namespace program {
namespace {

// Id 0 ends a document in the World and 20B vocabularies and for the demo model. In other models of bytes it is a byte
// like any other, and of an unknown vocabulary nothing is known.
constexpr std::uint32_t kEndOfText = 0;
bool ends_documents(bool demo, std::string_view vocabulary) {
    return demo || vocabulary == "world" || vocabulary == "20b";
}
constexpr float kTemperature = 1.0f, kTopP = 0.5f;
constexpr std::size_t kPrefillPiece = 256; // between two looks at Ctrl-C

struct Options {
    WorkOptions work;
    PromptOptions prompt;
    ff_sampling sampling = firefinch::sampling();
    CLI::Option *temperature = nullptr, *top_p = nullptr, *seed = nullptr; // were they given?
    std::uint64_t count = 256, top_k = 0, seed_value = 0;
    std::vector<std::string> stops;
    std::string load_state, save_state;
    bool print_tokens = false, ignore_eos = false;

    bool demo() const { return work.model.empty(); }
    bool needs_text() const { return !print_tokens || !stops.empty(); }
    bool prompt_is_text() const { return !prompt.ids && (prompt.text || prompt.file || demo()); }
};

ff_sampling sampling_of(const Options &options) {
    ff_sampling sampling = options.sampling;
    if (options.temperature->empty()) sampling.temperature = options.demo() ? kDemoTemperature : kTemperature;
    if (options.top_p->empty()) sampling.top_p = options.demo() ? kDemoTopP : kTopP;
    sampling.top_k = static_cast<std::uint32_t>(options.top_k);
    sampling.seed = options.seed->empty() ? std::random_device{}() : options.seed_value;
    return sampling;
}

double prefill(firefinch::Session &session, const std::vector<std::uint32_t> &ids, Terminal &terminal) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t done = 0; done < ids.size();) {
        if (interrupted()) throw Interrupted();
        const std::size_t count = std::min(kPrefillPiece, ids.size() - done);
        session.prefill(ids.data() + done, count);
        done += count;
        if (ids.size() > kPrefillPiece) terminal.progress("prompt", done, ids.size());
    }
    terminal.end_progress();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string reason_of(const ff_generate_result &result, const Delivery &delivery) {
    if (delivery.stopped_by_text()) return "stop_text";
    if (interrupted()) return "interrupted";
    if (delivery.reader_gone()) return "reader_gone";
    return result.reason == FF_STOP_TOKEN ? "stop_token" : "limit";
}

int run(const Options &options, const Environment &environment) {
    const WorkOptions &work = options.work;
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);
    const firefinch::Checkpoint checkpoint = open_checkpoint(work.model);
    const std::uint32_t vocabulary = checkpoint.info().vocabulary;
    std::optional<firefinch::Tokenizer> tokenizer; // needed only where there is text
    if (options.needs_text() || options.prompt_is_text() || work.tokenizer != WorkOptions().tokenizer)
        tokenizer.emplace(work.tokenizer, &checkpoint);
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
    wanted.sampling = sampling_of(options);
    const std::string known = tokenizer ? tokenizer->name() : checkpoint.info().tokenizer;
    if (!options.ignore_eos && ends_documents(options.demo(), known)) {
        wanted.stop_tokens = &kEndOfText;
        wanted.stop_token_count = 1;
    }
    Delivery delivery(options.needs_text() ? &*tokenizer : nullptr, options.stops, show);
    report.result = session->generate(wanted, [&](std::uint32_t id) { return delivery.deliver(id); });
    delivery.finish();
    if (!options.save_state.empty()) session->save(options.save_state);

    report.reason = reason_of(report.result, delivery);
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

void add_sampling_options(CLI::App &app, Options &options) {
    ff_sampling &sampling = options.sampling;
    options.temperature = add_real(
        app, "--temp", sampling.temperature,
        fmt::format("Temperature; 0 takes the most probable token [{}; demo model {}]", kTemperature, kDemoTemperature),
        0.0f, 100.0f);
    add_whole(app, "--top-k", options.top_k, "Only the K most probable tokens; 0: all [0]", 0,
              std::numeric_limits<std::uint32_t>::max());
    options.top_p = add_real(
        app, "--top-p", sampling.top_p,
        fmt::format("Only the fewest tokens whose probability reaches P [{}; demo model {}]", kTopP, kDemoTopP), 1e-6f,
        1.0f);
    add_real(app, "--presence", sampling.presence, "Taken from the logit of every token produced before [0]", -100.0f,
             100.0f);
    add_real(app, "--frequency", sampling.frequency, "Times a token's decayed count, taken from its logit [0]", -100.0f,
             100.0f);
    add_real(app, "--penalty-decay", sampling.penalty_decay,
             fmt::format("What the counts are multiplied by at each token [{}]", sampling.penalty_decay), 0.0f, 1.0f);
    options.seed = add_whole(app, "--seed", options.seed_value,
                             "Same seed, same device, same build: same tokens [random, shown by -v and --json]");
}

} // namespace

Command add_generate(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("generate", "Go on from a prompt; the text streams to stdout");
    add_prompt_options(*app, options->prompt);
    add_whole(*app, "-n,--count", options->count, "Tokens to produce at most [256]", 1, 4294967294U);
    add_sampling_options(*app, *options);
    app->add_option("--stop", options->stops, "End before this text, which is not printed; may be given several times")
        ->type_name("TEXT")
        ->allow_extra_args(false) // one value each; it also keeps CLI11 from taking "[...]" for a list
        ->check(CLI::Validator([](const std::string &text) { return text.empty() ? "the text is empty" : ""; }, ""));
    app->add_flag(
        "--ignore-eos", options->ignore_eos,
        "Do not end at token 0, which ends a document in the World and 20B vocabularies and for the demo model");
    app->add_flag("--print-tokens", options->print_tokens,
                  "Print ids instead of text; those of a stop text are printed as well");
    app->add_option("--load-state", options->load_state, "Begin from this state; a prompt may be left out")
        ->type_name("FILE");
    app->add_option("--save-state", options->save_state, "Write the state that has read all tokens up to the end")
        ->type_name("FILE");
    add_model_option(*app, options->work.model);
    add_tokenizer_option(*app, options->work.tokenizer);
    add_weights_option(*app, options->work.weights);
    add_device_options(*app, options->work.device);
    add_output_options(*app, options->work.output);
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
