// firefinch report: what several benches found, as a page to publish, and whether one is slower than another.
#include "commands.h"
#include "failure.h"
#include "files.h"
#include "numbers.h"
#include "report/bench_file.h"
#include "report/compare.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/runs.h"
#include "report/sections.h"
#include "utf8.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

namespace program {
namespace {

using namespace report;

struct Options {
    std::vector<std::string> files;
    std::string out; // "": standard output
    bool markdown = false, compare = false;
    float tolerance_percent = static_cast<float>(kTolerance * 100);

    double tolerance() const { return static_cast<double>(tolerance_percent) / 100; }
    bool page() const { return markdown || !out.empty() || !compare; }
};

void check(const Options &options) {
    constexpr std::size_t kMostFiles = 64;
    if (options.files.size() > kMostFiles)
        throw UsageError(
            fmt::format("{} files are given, a report takes {} at most", options.files.size(), kMostFiles));
    if (options.compare && options.files.size() < 2)
        throw UsageError("--compare takes two files or more: the baseline first");
    if (std::count(options.files.begin(), options.files.end(), "-") > 1)
        throw UsageError("standard input (-) can be read once only");
    if (options.out.empty() && options.page() && !options.markdown && Output().is_terminal())
        throw UsageError("-o FILE is missing, and a page of HTML is nothing for a terminal");
}

// A report replaces what was there, and a bench's file cannot be measured again.
void check_not_an_input(const Options &options) {
    if (options.out == "-") return;
    for (const std::string &path : options.files) {
        std::error_code ignored; // a path that is not there is nothing's equal
        if (path != "-" && std::filesystem::equivalent(path, options.out, ignored))
            throw Failure(fmt::format("{}: it is what is being read, and is not overwritten; give the report another name",
                                      options.out));
    }
}

// Members that must agree before slower and faster can mean firefinch or the driver.
void check_comparable(const BenchFile &base, const BenchFile &file) {
    const auto check = [&](const char *name, const auto &found, const auto &expected) {
        if (found != expected)
            throw Failure(fmt::format("{}: {} is {}, in the baseline {} it is {}; --compare is for one model on one "
                                      "device, a report without it shows the two side by side",
                                      file.path, name, found, base.path, expected));
    };
    check("device.name", file.device.name, base.device.name);
    check("device.profile", file.device.profile, base.device.profile);
    check("model.version", file.model.version, base.model.version);
    check("model.layers", file.model.layers, base.model.layers);
    check("model.width", file.model.width, base.model.width);
    check("model.vocabulary", file.model.vocabulary, base.model.vocabulary);
    check("model.weights", file.model.weights, base.model.weights);
    if (base.results.empty())
        throw Failure(fmt::format("{}: results is empty: there is nothing to compare", base.path));
    for (const BenchTest &test : base.results)
        if (file.find(test) == nullptr)
            throw Failure(
                fmt::format("{}: has no result {}, which the baseline {} has", file.path, test_code(test), base.path));
}

std::string comparison_text(const BenchFile &base, const BenchFile &file, const std::vector<Difference> &all) {
    std::string out =
        fmt::format("{} beside {}\n{:<14}{:>14}{:>14}{:>10}{:>22}  {}\n", one_line(file.path), one_line(base.path),
                    "test", "baseline", "tokens/s", "change", "95 % interval", "verdict");
    for (const Difference &difference : all) {
        const Change &speed = difference.speed;
        const ChangeTexts texts = change_texts(speed.ratio, speed.interval);
        out += fmt::format("{:<14}{:>14}{:>14}{:>10}{:>22}  {}\n", test_code(*difference.test),
                           speed_text(difference.base->tokens_per_second.median),
                           speed_text(difference.test->tokens_per_second.median), texts.change, texts.interval,
                           verdict_name(speed.verdict));
    }
    if (other_conditions(base, file)) out += fmt::format("note: {}\n", conditions_text(base, file));
    return out;
}

// What `all` says against `file`: "" or a sentence.
std::string complaint(const BenchFile &base, const BenchFile &file, const std::vector<Difference> &all) {
    std::vector<std::string> slower;
    for (const Difference &difference : all) {
        const Change &speed = difference.speed;
        if (speed.verdict == Verdict::too_few_samples)
            throw Failure(fmt::format("{}: {} has {} samples and in the baseline {}, to compare takes {} on each side; "
                                      "bench with a larger --repeat",
                                      file.path, test_code(*difference.test), difference.test->speed_samples.size(),
                                      difference.base->speed_samples.size(), kLeastSamples));
        if (speed.verdict != Verdict::slower) continue;
        const ChangeTexts texts = change_texts(speed.ratio, speed.interval);
        slower.push_back(fmt::format("{} {} ({})", test_code(*difference.test), texts.change, texts.interval));
    }
    if (slower.empty()) return {};
    const std::string conditions =
        other_conditions(base, file) ? fmt::format(" (but {})", conditions_text(base, file)) : "";
    return fmt::format("{} is slower than {}: {}{}", file.path, base.path, fmt::join(slower, ", "), conditions);
}

void write_page(const Options &options, const std::string &text) {
    if (options.out.empty() || options.out == "-") {
        Output().write(text);
        return;
    }
    OutputFile file(options.out);
    file.write(text.data(), text.size());
    file.commit();
}

using Document = std::vector<BenchFile>; // what one file holds: a run, or those of a suite

bool same_run(const BenchFile &a, const BenchFile &b) {
    return a.same_model(b) && a.model.weights == b.model.weights && a.model.name == b.model.name;
}

std::string model_text(const BenchFile &file) {
    const BenchFile::Model &model = file.model;
    return fmt::format("{}, RWKV-{}, {} layers, {} wide, vocabulary {}, {}", model.name, model.version, model.layers,
                       model.width, model.vocabulary, model.weights);
}

// The baseline's run that `file` is to be compared with: of two files with a run each the other one, of a suite that of the
// same model.
const BenchFile &base_of(const BenchFile &file, const Document &baseline) {
    if (baseline.size() == 1) return baseline.front();
    for (const BenchFile &base : baseline)
        if (same_run(base, file)) return base;
    throw Failure(fmt::format("{}: the baseline has no run of {}", file.path, model_text(file)));
}

// Every run of the baseline has a run to be compared with, and every test of it: else --compare would pass what it did not see.
void check_comparable(const std::string &path, const Document &document, const Document &baseline) {
    for (const BenchFile &file : document) check_comparable(base_of(file, baseline), file);
    if (baseline.size() == 1) return; // any run is compared with that one
    for (const BenchFile &base : baseline)
        if (std::none_of(document.begin(), document.end(), [&](const BenchFile &file) { return same_run(base, file); }))
            throw Failure(fmt::format("{}: has no run of {}, which the baseline has ({})", path, model_text(base), base.path));
}

// Throws Failure where a run is slower than the baseline's, after all have been looked at.
void compare(const Options &options, const std::vector<Document> &documents) {
    std::vector<std::string> complaints;
    std::string text;
    for (std::size_t i = 1; i < documents.size(); ++i)
        for (const BenchFile &file : documents[i]) {
            const BenchFile &base = base_of(file, documents[0]);
            const std::vector<Difference> all = differences(base, file, options.tolerance());
            text += comparison_text(base, file, all);
            if (std::string sentence = complaint(base, file, all); !sentence.empty())
                complaints.push_back(std::move(sentence));
        }
    const bool stdout_taken = options.page() && (options.out.empty() || options.out == "-");
    if (!stdout_taken) Output().write(text);
    if (!complaints.empty()) throw Failure(fmt::format("{}", fmt::join(complaints, "; ")));
}

int run(const Options &options) {
    check(options);
    check_not_an_input(options);
    std::vector<Document> documents;
    std::vector<BenchFile> files;
    for (const std::string &path : options.files) {
        const std::string name = path == "-" ? "standard input" : path;
        documents.push_back(parse_bench_files(name, read_file(path, kLargestBenchFile)));
        if (options.compare && documents.size() > 1) check_comparable(name, documents.back(), documents.front());
        files.insert(files.end(), documents.back().begin(), documents.back().end());
    }
    if (options.page()) {
        const Page page = page_of(files, options.tolerance());
        write_page(options, options.markdown ? markdown_of(page) : html_of(page));
    }
    if (options.compare) compare(options, documents);
    return kDone;
}

} // namespace

Command add_report(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("report", "A page to publish from what benches found, and a check for CI");
    app->add_option("FILE", options->files, "What 'firefinch bench --json' wrote, of one model or of a suite; the first is the baseline; -: stdin")
        ->type_name("")
        ->required();
    app->add_option("-o,--output", options->out, "Write the report here: one HTML page, or Markdown [standard output]")
        ->type_name("FILE");
    app->add_flag("--markdown", options->markdown, "Markdown with tables instead of HTML");
    app->add_flag("--compare", options->compare,
                  "Exit status 1 if a file is slower than the first beyond noise; prints a table where no report is "
                  "written to standard output");
    add_real(*app, "--tolerance", options->tolerance_percent,
             "Percent beyond which the whole 95 % interval of a change must lie to be called slower or faster [2]",
             0.0F, 50.0F)
        ->type_name("PERCENT");
    app->footer(
        "The page needs nothing but itself: no links, no scripts; light and dark, narrow screens, and paper.\n\n"
        "Examples:\n"
        "  firefinch report bench.json -o report.html\n"
        "  firefinch report radv.json anv.json nvk.json -o vendors.html\n"
        "  firefinch report before.json after.json --markdown\n"
        "  firefinch report before.json after.json --compare && echo as fast as before");
    return {app, [options](const Environment &) { return run(*options); }};
}

} // namespace program
