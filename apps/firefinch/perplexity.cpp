// firefinch perplexity: how well a model predicts a text, and how far another one, or another weight type, is from it.
#include "commands.h"
#include "failure.h"
#include "files.h"
#include "open.h"
#include "perplexity_run.h"
#include "text.h"
#include "token_ids.h"
#include "utf8.h"

#include <cmath>
#include <memory>
#include <numbers>
#include <optional>

#include <fmt/format.h>

namespace program {
namespace {

struct Options {
    WorkOptions work;
    std::string file;
    std::uint64_t chunk = 128, limit_bytes = 0;
    std::optional<std::string> against, against_weights;

    bool compares() const { return against || against_weights; }
    const std::string &other_model() const { return against ? *against : work.model; }
    std::string other_weights() const { return against_weights.value_or("as-stored"); }
};

struct Text {
    std::string bytes;
    std::vector<std::uint32_t> ids; // with what is fed first
    std::size_t scored_tokens = 0, scored_bytes = 0;
    bool begins_with_end_of_text = false;
};

// Every token of the text is scored if the vocabulary has a token for "nothing came before"; else the first one cannot
// be, and neither it nor its bytes count.
Text read_text(const Options &options, const firefinch::Tokenizer &tokenizer, std::uint32_t vocabulary) {
    Text text;
    text.bytes = read_file(options.file);
    if (options.limit_bytes != 0)
        text.bytes.resize(whole_characters(text.bytes, static_cast<std::size_t>(options.limit_bytes)).size());
    text.ids = tokenizer.encode(text.bytes);
    const std::string source = options.file == "-" ? "standard input" : options.file;
    check_token_ids(text.ids, vocabulary, source);
    const std::optional<std::uint32_t> first = end_of_text(options.work.demo(), tokenizer);
    text.begins_with_end_of_text = first && *first < vocabulary;
    text.scored_tokens = text.ids.size();
    text.scored_bytes = text.bytes.size();
    if (text.begins_with_end_of_text) {
        text.ids.insert(text.ids.begin(), *first);
    } else if (!text.ids.empty()) {
        --text.scored_tokens;
        text.scored_bytes -= tokenizer.decode(text.ids.front()).size();
    }
    if (text.scored_tokens == 0)
        throw Failure(
            fmt::format("{}: there is no token to score in {} bytes; give more text", source, text.bytes.size()));
    return text;
}

struct Measures {
    double bits_per_byte, nats_per_token, perplexity;
};

Measures measures_of(double nats, const Text &text) {
    const double per_token = nats / static_cast<double>(text.scored_tokens);
    return {nats / std::numbers::ln2 / static_cast<double>(text.scored_bytes), per_token, std::exp(per_token)};
}

Json measures_json(const Measures &measures) {
    return {{"bits_per_byte", measures.bits_per_byte},
            {"nats_per_token", measures.nats_per_token},
            {"perplexity", measures.perplexity}};
}

Json report_json(const Options &options, const Text &text, const PerplexityResult &result,
                 const firefinch::Tokenizer &tokenizer, const ff_device_info &device) {
    const double scored = static_cast<double>(text.scored_tokens);
    Json json = {{"schema", "firefinch-perplexity/1"},
                 {"model", model_name(options.work.model)},
                 {"weights", options.work.weights},
                 {"tokenizer", tokenizer.name()},
                 {"file", options.file},
                 {"bytes", text.bytes.size()},
                 {"scored_tokens", text.scored_tokens},
                 {"scored_bytes", text.scored_bytes}};
    json.update(measures_json(measures_of(result.nats, text)));
    json["seconds"] = result.seconds;
    json["tokens_per_second"] = scored / result.seconds;
    json["device"] = {{"name", device.name}, {"driver", device.driver}};
    if (options.compares()) {
        json["against"] = {{"model", model_name(options.other_model())}, {"weights", options.other_weights()}};
        json["against"].update(measures_json(measures_of(result.other_nats, text)));
        json["against"]["kl_mean"] = result.kl_sum / scored;
        json["against"]["kl_max"] = result.kl_max;
        json["against"]["top1_agreement"] = static_cast<double>(result.agreements) / scored;
    }
    return json;
}

std::string report_text(const Options &options, const Text &text, const PerplexityResult &result) {
    const double scored = static_cast<double>(text.scored_tokens);
    const Measures own = measures_of(result.nats, text);
    std::string out = fmt::format(
        "bits per byte    {:.5f}\n"
        "nats per token   {:.5f}\n"
        "perplexity       {:.4f}\n"
        "scored           {} tokens, {} bytes{}\n"
        "speed            {:.1f} tokens/s\n",
        own.bits_per_byte, own.nats_per_token, own.perplexity, grouped(text.scored_tokens), grouped(text.scored_bytes),
        text.begins_with_end_of_text ? "" : " (the first token has nothing before it)", scored / result.seconds);
    if (options.compares()) {
        const Measures other = measures_of(result.other_nats, text);
        out += fmt::format("against          {}, weights {}\n"
                           "  bits per byte  {:.5f}, perplexity {:.4f}\n"
                           "  KL divergence  {:.3e} nats a token, at most {:.3e}\n"
                           "  same best      {:.3f} % of the tokens\n",
                           printable(model_name(options.other_model())), options.other_weights(), other.bits_per_byte,
                           other.perplexity, result.kl_sum / scored, result.kl_max,
                           100.0 * static_cast<double>(result.agreements) / scored);
    }
    return out;
}

int run(const Options &options, const Environment &environment) {
    const WorkOptions &work = options.work;
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);
    const firefinch::Checkpoint checkpoint = open_checkpoint(work.model, work.loras);
    const std::uint32_t vocabulary = checkpoint.info().vocabulary;
    const firefinch::Tokenizer tokenizer(work.tokenizer, &checkpoint);
    std::optional<firefinch::Checkpoint> other_checkpoint;
    if (options.compares()) {
        other_checkpoint.emplace(
            open_checkpoint(options.other_model(), options.against ? std::vector<Lora>() : work.loras));
        if (const std::uint32_t found = other_checkpoint->info().vocabulary; found != vocabulary)
            throw Failure(
                fmt::format("{}: its vocabulary has {} tokens, {} has {}; only models of one vocabulary can be "
                            "compared",
                            model_name(options.other_model()), found, model_name(work.model), vocabulary));
    }
    const Text text = read_text(options, tokenizer, vocabulary);

    const firefinch::Engine engine = open_engine(work.device, environment, terminal);
    PerplexityResult result;
    {
        const firefinch::Model model = open_model(engine, checkpoint, work.weights, terminal);
        std::optional<firefinch::Model> other;
        if (other_checkpoint) other.emplace(open_model(engine, *other_checkpoint, options.other_weights(), terminal));
        result = run_perplexity(model, other ? &*other : nullptr, text.ids, static_cast<std::size_t>(options.chunk),
                                terminal);
    }
    check_validation(engine, work.device);
    Output out;
    if (work.output.json)
        print_json(out, report_json(options, text, result, tokenizer, engine.device()));
    else
        out.write(report_text(options, text, result));
    return kDone;
}

} // namespace

Command add_perplexity(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("perplexity", "How well a model predicts a text: bits per byte, perplexity");
    app->add_option("-f,--file", options->file, "The text; - is stdin")->type_name("FILE")->required();
    add_whole(*app, "--limit-bytes", options->limit_bytes,
              "Only the first N bytes, less a character that would be cut; 0: all [0]");
    add_whole(
        *app, "--chunk", options->chunk,
        "Tokens read in one step, as far as the device's plan goes; 1 reads one after the other, as generation does. "
        "The context is the whole text before a token, whatever N is [128]",
        1, 65536);
    app->add_option("--against", options->against,
                    "Compare with this model, the reference: KL divergence and agreement on the best token")
        ->type_name("MODEL");
    app->add_option("--against-weights", options->against_weights,
                    "Load the reference as this type [as-stored]; without --against the reference is the same file")
        ->type_name("TYPE")
        ->check(weight_type());
    add_work_options(*app, options->work);
    app->footer(
        "The vocabulary's end of text is read first, so that every token of the text is predicted from something; "
        "without one\nthe first token is not scored. The state goes through the whole text.\n\n"
        "Examples:\n"
        "  firefinch perplexity -m model.pth -f book.txt --limit-bytes 100000\n"
        "  firefinch perplexity -m model-q4.gguf -f book.txt --against model.pth\n"
        "  firefinch perplexity -m model.pth -f book.txt --weights q4_0 --against-weights as-stored");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
