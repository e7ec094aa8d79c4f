// firefinch inspect: what a model file holds, and with --plan the launches of a decode step on a device.
#include "commands.h"
#include "device_text.h"
#include "failure.h"
#include "open.h"
#include "plan.h"
#include "text.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

namespace program {
namespace {

struct Options {
    WorkOptions work;
    std::string positional;
    bool tensors = false, plan = false;
};

// What can be said of any file whose tensors can be listed, even where the model itself is refused.
struct Contents {
    std::uint64_t parameters = 0, bytes = 0;
    std::map<std::string, std::uint64_t> bytes_by_dtype;
};

Contents contents_of(const firefinch::Checkpoint &checkpoint) {
    Contents all;
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const ff_tensor_info tensor = checkpoint.tensor(i);
        std::uint64_t elements = 1;
        for (std::size_t axis = 0; axis < tensor.rank; ++axis) elements *= tensor.shape[axis];
        all.parameters += elements;
        all.bytes += tensor.bytes;
        all.bytes_by_dtype[tensor.dtype] += tensor.bytes;
    }
    return all;
}

Json description_json(const std::string &name, const Contents &contents, std::size_t tensors,
                      const ff_model_info *info) {
    Json out = {{"schema", "firefinch-inspect/1"}, {"model", name}};
    if (info != nullptr)
        out.update(Json{{"version", info->version},
                        {"layers", info->layers},
                        {"width", info->width},
                        {"attention_width", info->attention_width},
                        {"heads", info->heads},
                        {"head_size", info->head_size},
                        {"ffn_width", info->ffn_width},
                        {"vocabulary", info->vocabulary},
                        {"ranks",
                         {{"w", info->rank_w},
                          {"a", info->rank_a},
                          {"v", info->rank_v},
                          {"g", info->rank_g},
                          {"mix", info->rank_mix}}},
                        {"container", info->container},
                        {"tokenizer", info->tokenizer},
                        {"runnable", info->runnable != 0}});
    out["parameters"] = info != nullptr ? info->parameters : contents.parameters;
    out["bytes"] = contents.bytes;
    out["bytes_by_dtype"] = contents.bytes_by_dtype;
    out["tensor_count"] = tensors;
    return out;
}

std::string ranks_text(const ff_model_info &info) {
    std::string out;
    const std::pair<const char *, std::uint32_t> ranks[] = {
        {"decay", info.rank_w}, {"in-context rate", info.rank_a}, {"value residual", info.rank_v},
        {"gate", info.rank_g},  {"mix", info.rank_mix},
    };
    for (const auto &[name, rank] : ranks)
        if (rank != 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, rank);
    return out.empty() ? out : fmt::format("low ranks   {}\n", out);
}

std::string description_text(const std::string &name, const Contents &contents, std::size_t tensors,
                             const ff_model_info *info) {
    std::string out = fmt::format("model       {}\n", name);
    if (info != nullptr) {
        out += fmt::format("version     RWKV-{}, {}\n", info->version, info->container);
        out += fmt::format("layers      {}\nwidth       {}, attention {}, feed-forward {}\n", info->layers, info->width,
                           info->attention_width, info->ffn_width);
        if (info->heads != 0) out += fmt::format("heads       {} of {}\n", info->heads, info->head_size);
        out += ranks_text(*info);
        out += fmt::format("vocabulary  {}, tokenizer {}\n", info->vocabulary,
                           *info->tokenizer != '\0' ? info->tokenizer : "unknown: name one with --tokenizer");
    }
    out += fmt::format("parameters  {} in {} tensors\n",
                       grouped(info != nullptr ? info->parameters : contents.parameters), tensors);
    out += fmt::format("bytes       {}", grouped(contents.bytes));
    for (const auto &[dtype, bytes] : contents.bytes_by_dtype) out += fmt::format(", {} {}", dtype, grouped(bytes));
    out += '\n';
    if (info != nullptr && info->runnable == 0)
        out += fmt::format("runs        no: this build does not run RWKV-{}\n", info->version);
    return out;
}

Json tensors_json(const firefinch::Checkpoint &checkpoint) {
    Json all = Json::array();
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const ff_tensor_info tensor = checkpoint.tensor(i);
        all.push_back({{"name", tensor.name},
                       {"dtype", tensor.dtype},
                       {"shape", std::vector<std::uint64_t>(tensor.shape, tensor.shape + tensor.rank)},
                       {"bytes", tensor.bytes}});
    }
    return all;
}

std::string tensors_text(const firefinch::Checkpoint &checkpoint) {
    std::string out = "\n";
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const ff_tensor_info tensor = checkpoint.tensor(i);
        out += fmt::format("{:<44} {:<5} {:>14} bytes  [{}]\n", tensor.name, tensor.dtype, grouped(tensor.bytes),
                           fmt::join(tensor.shape, tensor.shape + tensor.rank, ", "));
    }
    return out;
}

// What a model loaded with other weights is kept as, and which tensors stay because their rows are no whole blocks.
struct Loaded {
    std::map<std::string, std::size_t> tensors_by_type;
    std::vector<std::pair<std::string, std::string>> fallbacks; // name and type
};

Loaded loaded_as(const firefinch::Checkpoint &checkpoint, const std::string &weights) {
    Loaded all;
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const auto [type, fallback] = checkpoint.loaded_type(i, weights);
        ++all.tensors_by_type[type];
        if (fallback) all.fallbacks.emplace_back(checkpoint.tensor(i).name, type);
    }
    return all;
}

Json loaded_json(const Loaded &loaded, const std::string &weights) {
    Json fallbacks = Json::array();
    for (const auto &[name, type] : loaded.fallbacks) fallbacks.push_back({{"name", name}, {"type", type}});
    return {{"weights", weights}, {"tensors_by_type", loaded.tensors_by_type}, {"fallbacks", fallbacks}};
}

std::string loaded_text(const Loaded &loaded, const std::string &weights) {
    std::string out = fmt::format("loaded      with --weights {}:", weights);
    const char *comma = "";
    for (const auto &[type, tensors] : loaded.tensors_by_type) {
        out += fmt::format("{} {} {}", comma, tensors, type);
        comma = ",";
    }
    out += '\n';
    constexpr std::size_t kShown = 8;
    for (std::size_t i = 0; i < std::min(kShown, loaded.fallbacks.size()); ++i)
        out += fmt::format("            {} stays {}: its rows are no whole blocks of {}\n", loaded.fallbacks[i].first,
                           loaded.fallbacks[i].second, weights);
    if (loaded.fallbacks.size() > kShown)
        out += fmt::format("            and {} more; --json has them all\n", loaded.fallbacks.size() - kShown);
    return out;
}

int run(const Options &options, const Environment &environment) {
    const WorkOptions &work = options.work;
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);
    const std::string &path = options.positional.empty() ? work.model : options.positional;
    const firefinch::Checkpoint checkpoint = open_checkpoint(path);
    const Contents contents = contents_of(checkpoint);
    std::optional<ff_model_info> info;
    std::string refusal;
    try {
        info = checkpoint.info();
    } catch (const firefinch::Error &error) { // its tensors can be listed all the same
        refusal = error.what();
    }
    const ff_model_info *known = info ? &*info : nullptr;

    Output out;
    Json json;
    if (work.output.json)
        json = description_json(model_name(path), contents, checkpoint.tensor_count(), known);
    else
        out.write(description_text(model_name(path), contents, checkpoint.tensor_count(), known));
    if (work.weights != WorkOptions().weights) {
        const Loaded loaded = loaded_as(checkpoint, work.weights);
        if (work.output.json)
            json["loaded"] = loaded_json(loaded, work.weights);
        else
            out.write(loaded_text(loaded, work.weights));
    }
    if (options.tensors && work.output.json)
        json["tensors"] = tensors_json(checkpoint);
    else if (options.tensors)
        out.write(tensors_text(checkpoint));
    if (options.plan && known != nullptr) {
        const firefinch::Engine engine = open_engine(work.device, environment, terminal);
        {
            const firefinch::Model model = open_model(engine, checkpoint, work.weights, terminal);
            if (work.output.json) {
                json["launches"] = plan_json(model);
                json["denied"] = denied_json(engine.denied());
            } else {
                out.write(plan_text(model, engine));
            }
        }
        check_validation(engine, work.device);
    }
    if (work.output.json) print_json(out, json);
    if (known == nullptr) throw Failure(refusal);
    return kDone;
}

} // namespace

Command add_inspect(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("inspect", "What a model file holds: version, shapes, types, tokenizer");
    CLI::Option *model = add_model_option(*app, options->work.model);
    app->add_option("MODEL", options->positional, "The same as -m MODEL")->type_name("FILE")->excludes(model);
    app->add_flag("--tensors", options->tensors, "List the tensors");
    CLI::Option *plan = app->add_flag("--plan", options->plan,
                                      "Load the model on a device and print the launches of a "
                                      "decode step, in order");
    add_weights_option(*app, options->work.weights);
    add_device_options(*app, options->work.device, plan);
    add_output_options(*app, options->work.output);
    app->footer("Examples:\n"
                "  firefinch inspect                     the embedded demo model\n"
                "  firefinch inspect model.pth --tensors\n"
                "  firefinch inspect model.pth --weights q4_k      what would be kept as what\n"
                "  firefinch inspect model.pth --plan -d 0\n"
                "  firefinch inspect model.pth --plan --json | jq '.launches | length'");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
