#include "runtime/api/objects.h"

#include "loader/formats/gguf_writer.h"
#include "loader/formats/safetensors_writer.h"

#include <fmt/format.h>

using namespace ff;

struct ff_write_report {
    loader::WriteReport report;
};

namespace {

Result<std::vector<loader::TypeRule>> rules_of(const ff_write_options &options) {
    std::vector<loader::TypeRule> rules;
    if (options.tensor_type_count && !options.tensor_types) return api::null_argument("tensor_types");
    for (std::size_t i = 0; i < options.tensor_type_count; ++i) {
        const ff_tensor_type &given = options.tensor_types[i];
        if (!given.pattern || !given.type)
            return api::null_argument(fmt::format("tensor_types[{}].{}", i, given.pattern ? "type" : "pattern"));
        FF_TRY_ASSIGN(const loader::DType type, api::weight_type_named(given.type));
        rules.push_back({given.pattern, type});
    }
    return rules;
}

loader::WriteProgress progress_of(const ff_write_options &options) {
    if (!options.progress) return {};
    return [callback = options.progress, payload = options.progress_payload](std::string_view, std::uint64_t done,
                                                                             std::uint64_t total) {
        return callback(payload, "writing", done, total) == 0;
    };
}

Result<loader::WriteReport> write_gguf(const ff_checkpoint &checkpoint, const char *path,
                                       const ff_write_options &given) {
    if (!checkpoint.description.ok()) return checkpoint.description.error();
    loader::GgufOptions options;
    FF_TRY_ASSIGN(options.weights, api::weights_named(given.weights));
    FF_TRY_ASSIGN(options.rules, rules_of(given));
    if (given.name) options.name = given.name;
    if (given.tokenizer) {
        const ff_tokenizer &tokenizer = *given.tokenizer;
        if (tokenizer.name == "20b")
            return Error{Status::unsupported,
                         "a GGUF file takes vocabularies of longest match (world, bytes, file), the "
                         "20b tokenizer merges pairs"};
        FF_TRY_ASSIGN(options.token_texts, loader::token_texts_of(*tokenizer.tokenizer));
        options.end_of_text = tokenizer.tokenizer->special(loader::TokenRole::end_of_text);
        options.end_of_turn = tokenizer.tokenizer->special(loader::TokenRole::end_of_turn);
    }
    options.progress = progress_of(given);
    return path ? loader::write_gguf(*checkpoint.source, *checkpoint.description, options, path)
                : loader::plan_gguf(*checkpoint.source, *checkpoint.description, options);
}

Result<loader::WriteReport> write_safetensors(const ff_checkpoint &checkpoint, const char *path,
                                              const ff_write_options &given) {
    loader::SafetensorsOptions options;
    FF_TRY_ASSIGN(options.weights, api::weights_named(given.weights));
    FF_TRY_ASSIGN(options.rules, rules_of(given));
    if (given.name) options.name = given.name;
    options.progress = progress_of(given);
    return path ? loader::write_safetensors(*checkpoint.source, options, path)
                : loader::plan_safetensors(*checkpoint.source, options);
}

} // namespace

ff_status ff_checkpoint_write(const ff_checkpoint *checkpoint, const char *path, const ff_write_options *given,
                              ff_write_report **report, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!checkpoint) return api::null_argument("checkpoint");
        const ff_write_options options = api::from_caller(given, ff_write_options(FF_WRITE_OPTIONS_INIT));
        const std::string_view container = options.container ? options.container : "gguf";
        if (container != "gguf" && container != "safetensors")
            return Error{Status::argument, fmt::format("there is no container \"{}\" to write; expected gguf or "
                                                       "safetensors",
                                                       container)};
        FF_TRY_ASSIGN(loader::WriteReport written, container == "gguf" ? write_gguf(*checkpoint, path, options)
                                                                       : write_safetensors(*checkpoint, path, options));
        if (report) *report = new ff_write_report{std::move(written)};
        return {};
    });
}

void ff_write_report_destroy(ff_write_report *report) {
    delete report;
}
uint64_t ff_write_report_bytes(const ff_write_report *report) {
    return report ? report->report.bytes : 0;
}
size_t ff_write_report_count(const ff_write_report *report) {
    return report ? report->report.tensors.size() : 0;
}

ff_status ff_write_report_tensor(const ff_write_report *report, size_t index, ff_written_tensor *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!report || !out) return api::null_argument(report ? "out" : "report");
        if (index >= report->report.tensors.size())
            return Error{Status::argument, fmt::format("tensor {} of {}", index, report->report.tensors.size())};
        const loader::WrittenTensor &tensor = report->report.tensors[index];
        const ff_written_tensor info{sizeof(ff_written_tensor),           tensor.name.c_str(),
                                     loader::name_of(tensor.from).data(), // literals: they end with a zero
                                     loader::name_of(tensor.to).data(),   tensor.fallback,     tensor.bytes};
        api::to_caller(info, out);
        return {};
    });
}
