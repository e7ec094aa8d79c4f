// The report, looked at directly: bench files of every kind of wrong, what the bootstrap calls slower, and what becomes
// of names that others chose.
#include "bench_json.h"
#include "failure.h"
#include "numbers.h"
#include "report/bench_file.h"
#include "report/compare.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/runs.h"
#include "report/sections.h"
#include "utf8.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

using namespace program;
using namespace program::report;
using test::bench_json;
using test::Json;
using test::noisy;
using test::suite_json;

namespace {

BenchFile parsed(const Json &json) {
    return parse_bench_files("b.json", json.dump()).front();
}

std::string refusal(const std::string &text) {
    try {
        parse_bench_files("b.json", text);
    } catch (const Failure &failure) {
        return failure.what();
    }
    return "";
}

Json changed(const char *pointer, const Json &value) {
    Json json = bench_json();
    json[Json::json_pointer(pointer)] = value;
    return json;
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

std::size_t count_of(const std::string &text, const std::string &part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

Verdict verdict(const std::vector<double> &base, const std::vector<double> &samples) {
    return compare_samples(base, samples, Better::larger, kTolerance).verdict;
}

// Every place in `json` that is no object or array, by its pointer.
std::vector<std::string> leaves(const Json &json) {
    std::vector<std::string> all;
    const Json flat = json.flatten();
    for (const auto &[pointer, value] : flat.items()) all.push_back(pointer);
    return all;
}

} // namespace

TEST_CASE("report: a bench file is read whole") {
    const BenchFile file = parsed(bench_json());
    CHECK(file.device.name == "Example GPU 9000");
    CHECK(file.device.traits ==
          std::vector<std::pair<std::string, std::string>>{{"storage16", "1"}, {"subgroup_size", "32"}});
    CHECK(file.host_cpu.empty());
    CHECK(file.model.bytes_read_per_token == 400'000'000);
    REQUIRE(file.results.size() == 3);
    CHECK(file.results[2].batch == 8);
    CHECK(file.results[1].tokens_per_second.median == 413.0);
    CHECK(file.results[1].speed_samples.size() == 5);
    CHECK(file.results[0].dispatches_per_token == 0.25);
    CHECK(file.kernels.size() == 2);
    CHECK(!file.peak_host_bytes);
    CHECK(file.tuned == false);
    CHECK(file.denied == std::vector<std::string>{"head.f16_subgroup"});
    CHECK(!file.source->suite);
}

TEST_CASE("report: what bench may leave out may be missing") {
    Json json = bench_json();
    json["kernels"] = nullptr;
    json["device"]["traits"] = nullptr;
    json["device"].erase("profile");
    json.erase("tuning");
    json.erase("denied"); // which older versions did not write
    json["results"][0]["dispatches_per_token"] = nullptr;
    for (Json &result : json["results"]) result.erase("samples");
    const BenchFile file = parsed(json);
    CHECK(!file.results[0].dispatches_per_token);
    CHECK(!file.tuned);
    CHECK(!file.denied);
    CHECK(file.kernels_refused);
    const std::string page = html_of(page_of({file, file}, kTolerance));
    CHECK(contains(page, "no timestamps"));
    CHECK(count_of(page, ">too few samples<") == 3);
}

TEST_CASE("report: a wrong member is named, with what was expected and found") {
    const struct {
        const char *pointer;
        Json value;
        const char *says;
    } wrong[] = {
        {"/schema", "firefinch-generate/1", "schema is \"firefinch-generate/1\", expected \"firefinch-bench/1\""},
        {"/schema", 1, "schema is 1, expected a text"},
        {"/device", Json::array(), "device is an array, expected an object"},
        {"/device/name", nullptr, "device.name is null, expected a text"},
        {"/device/name", std::string(501, 'x'), "device.name is a text of 501 bytes, expected no more than 500"},
        {"/results", Json::object(), "results is an object, expected an array"},
        {"/results/1/test", "decoed", "results[1].test is \"decoed\", expected \"prefill\" or \"decode\""},
        {"/results/1/batch", 0, "results[1].batch is 0, expected a whole number from 1"},
        {"/results/1/batch", 1.5, "results[1].batch is 1.5, expected a whole number"},
        {"/results/1/tokens", -1, "results[1].tokens is -1"},
        {"/results/1/repeats", 4, "results[1].samples.tokens_per_second has 5 samples, expected 4"},
        {"/results/1/samples/tokens_per_second", Json::array(), "has 0 samples, expected 5"},
        {"/results/1/samples/tokens_per_second/3", "x", "results[1].samples.tokens_per_second[3] is \"x\""},
        {"/results/1/samples/tokens_per_second/3", nullptr, "results[1].samples.tokens_per_second[3] is null"},
        {"/results/1/samples/tokens_per_second/3", 0, "results[1].samples.tokens_per_second[3] is 0"},
        {"/results/1/tokens_per_second/median", 410, "is 410, expected 413, as the samples have it"},
        {"/results/1/tokens_per_second/min", 500, "no more than the median"},
        {"/results/1/bandwidth_fraction", -0.5, "results[1].bandwidth_fraction is -0.5"},
        {"/roofline/read_bytes_per_second", 0, "roofline.read_bytes_per_second is 0"},
        {"/roofline/read_bytes_per_second", 1e300, "roofline.read_bytes_per_second is 1e+300"},
        {"/model/bytes_read_per_token", 0, "model.bytes_read_per_token is 0"},
        {"/kernels/0/microseconds", true, "kernels[0].microseconds is true, expected a number"},
        {"/tuning", 1, "tuning is 1, expected an object"},
        {"/tuning/used", 1, "tuning.used is 1, expected true or false"},
        {"/tuning/used", nullptr, "tuning.used is null, expected true or false"},
        {"/denied", "head.f16", "denied is \"head.f16\", expected an array"},
        {"/denied", std::vector<int>(1025), "denied has 1025 elements, expected no more than 1024"},
        {"/denied/0", 7, "denied[0] is 7, expected a text"},
        {"/device/traits/storage16", Json::array(), "device.traits.storage16 is an array"},
    };
    for (const auto &[pointer, value, says] : wrong) {
        const std::string sentence = refusal(changed(pointer, value).dump());
        CAPTURE(sentence);
        CHECK(sentence.starts_with("b.json: "));
        CHECK(contains(sentence, says));
    }
    Json json = bench_json();
    json["startup"].erase("load_seconds");
    CHECK(contains(refusal(json.dump()), "startup.load_seconds is missing"));
    CHECK(contains(refusal("7"), "the file's value is 7, expected an object"));
    CHECK(contains(refusal("{\"schema\":\n nan}"), "line 2, column"));
    CHECK(contains(refusal("{\"schema\": 1e999}"), "no double can hold"));
    CHECK(contains(refusal(""), "is no JSON"));
    CHECK(contains(refusal("\xFF\xFE"), "is no JSON"));
    CHECK(refusal("{\"schema\": \"" + std::string(1'000'000, 'x') + "\"}").size() < 300);
    CHECK(refusal("{\"" + std::string(1'000'000, 'x') + "\": \"" + std::string(1'000'000, 'y')).size() < 300);
    CHECK(!refusal(std::string(1'000'000, '[')).empty());
    CHECK(!refusal(std::string(1'000'000, '[') + std::string(1'000'000, ']')).empty());
}

// Whatever stands in the place of any value: a sentence, or a page without nonsense.
TEST_CASE("report: any value in any place is refused or shown") {
    Json original = bench_json();
    original["results"] = {original["results"][1]}; // bootstraps take time under a sanitizer
    const BenchFile good = parsed(original);
    const Json others[] = {Json(nullptr),
                           Json(true),
                           Json(-1),
                           Json(0),
                           Json(1),
                           Json(1e-320),
                           Json(1e300),
                           Json(18446744073709551615U),
                           Json(""),
                           Json("<b>"),
                           Json::array(),
                           Json::object(),
                           Json::array({1, 2}),
                           Json::object({{"a", 1}})};
    std::size_t refused = 0, shown = 0;
    for (const std::string &pointer : leaves(original))
        for (const Json &other : others) {
            const std::string text = changed(pointer.c_str(), other).dump();
            CAPTURE(pointer);
            CAPTURE(other.dump());
            if (!refusal(text).empty()) {
                ++refused;
                continue;
            }
            ++shown;
            const Page page = page_of({good, parse_bench_files("b.json", text).front()}, kTolerance);
            for (const std::string &out : {html_of(page), markdown_of(page)}) {
                const bool sane = !contains(out, "nan") && !contains(out, "inf") && !contains(out, "<b>");
                CHECK(sane);
            }
        }
    CHECK(refused > 500);
    CHECK(shown > 100);
}

TEST_CASE("report: a suite's runs are read as so many files") {
    Json small = bench_json(), large = bench_json();
    large["model"]["name"] = "larger";
    large["model"]["width"] = 4096;
    const Json runs = Json::array({small, large});
    for (const Json &document : {suite_json(runs), runs}) {
        const std::vector<BenchFile> files = parse_bench_files("suite.json", document.dump());
        REQUIRE(files.size() == 2);
        CHECK(files[0].path == "suite.json, run 1");
        CHECK(files[1].model.name == "larger");
        CHECK(files[0].source == files[1].source);
        CHECK(files[0].source->suite.has_value() == document.is_object());
        CHECK(contains(markdown_of(page_of(files, kTolerance)), "larger"));
    }
    CHECK(contains(refusal("[]"), "no run"));
    CHECK(contains(refusal(R"({"schema": "firefinch-suite/1"})"), "runs"));
    CHECK(contains(refusal(R"({"schema": "firefinch-suite/1", "runs": [{"schema": "firefinch-suite/1"}]})"), "schema"));
    CHECK(contains(refusal(Json{{"schema", "firefinch-suite/2"}, {"runs", runs}}.dump()), "firefinch-bench/1"));
}

TEST_CASE("report: what a suite says of itself is checked") {
    const auto suite = [](const char *member, const Json &value) {
        Json json = suite_json(Json::array({bench_json()}));
        json[member] = value;
        return json.dump();
    };
    CHECK(refusal(suite("score", nullptr)).empty());
    CHECK(contains(refusal(suite("score", "41")), "score is \"41\", expected a number from 0"));
    CHECK(contains(refusal(suite("score", -1)), "score is -1, expected a number from 0"));
    CHECK(contains(refusal(suite("tests", nullptr)), "tests is null, expected a whole number"));
    CHECK(contains(refusal(suite("scored_tests", 9)), "scored_tests is 9, expected a whole number from 0 to 8"));
    CHECK(contains(refusal(suite("scored_tests", 1.5)), "scored_tests is 1.5, expected a whole number"));
    CHECK(contains(refusal(suite("cut", nullptr)), "cut is null, expected an array"));
    CHECK(contains(refusal(suite("cut", std::vector<std::string>(65))), "cut has 65 elements, expected no more than 64"));
    CHECK(contains(refusal(suite("cut", Json::array({1}))), "cut[0] is 1, expected a text"));
    CHECK(contains(refusal(suite("cut", Json::array({std::string(501, 'x')}))), "cut[0] is a text of 501 bytes"));
}

TEST_CASE("report: a file cut anywhere is refused") {
    const std::string text = bench_json().dump();
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK(!refusal(text.substr(0, size)).empty());
    }
}

TEST_CASE("report: noise is no difference, a fifth is") {
    constexpr unsigned kTrials = 50;
    unsigned false_alarms = 0, found = 0, small = 0;
    for (unsigned seed = 0; seed < kTrials; ++seed) {
        const std::vector<double> base = noisy(100, 5, seed), again = noisy(100, 5, seed + 1000);
        false_alarms += verdict(base, again) != Verdict::no_clear_difference ? 1 : 0;
        found += verdict(base, noisy(80, 5, seed + 2000)) == Verdict::slower ? 1 : 0;
        small += verdict(base, noisy(99, 5, seed + 3000)) == Verdict::slower ? 1 : 0;
    }
    CHECK(false_alarms <= kTrials / 50);
    CHECK(small <= kTrials / 50); // a hundredth is below the tolerance, however sure
    CHECK(found == kTrials);
}

TEST_CASE("report: verdicts turn around with the files, and times are better when smaller") {
    const std::vector<double> fast = noisy(100, 6, 1), slow = noisy(80, 6, 2);
    CHECK(verdict(fast, slow) == Verdict::slower);
    CHECK(verdict(slow, fast) == Verdict::faster);
    CHECK(compare_samples(fast, slow, Better::smaller, kTolerance).verdict == Verdict::faster);
    CHECK(compare_samples(slow, fast, Better::smaller, kTolerance).verdict == Verdict::slower);
    CHECK(compare_samples(fast, slow, Better::larger, 0.4).verdict == Verdict::no_clear_difference);
    CHECK(verdict(fast, fast) == Verdict::no_clear_difference);
}

TEST_CASE("report: the interval holds the ratio, shrinks with more samples, and is the same each time") {
    const auto width = [](std::size_t count) {
        const std::vector<double> base = noisy(100, count, 1), samples = noisy(80, count, 2);
        const Interval interval = bootstrap_ratio(base, samples), again = bootstrap_ratio(base, samples);
        CHECK(interval.low == again.low);
        CHECK(interval.high == again.high);
        CHECK(interval.low < 0.81);
        CHECK(interval.high > 0.79);
        return interval.high - interval.low;
    };
    const double few = width(5), many = width(50), thousand = width(1000);
    CHECK(many < few / 2);
    CHECK(thousand < many / 3);
    const std::vector<double> one = {4}, two = {5};
    CHECK(bootstrap_ratio(one, two).low == 1.25);
    // Of {1, 2} a resample's median is 1, 1.5 or 2: an even number of samples has its middle between two.
    const std::vector<double> unit = {1, 1}, pair = {1, 2};
    CHECK(bootstrap_ratio(unit, pair).low == 1);
    CHECK(bootstrap_ratio(unit, pair).high == 2);
}

// Of nine different samples a resample's median is the least in 0.13 % of all cases, one of the two least in 3.0 %.
TEST_CASE("report: resamples are drawn evenly") {
    const std::vector<double> unit = {1, 1, 1, 1}, steps = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const Interval interval = bootstrap_ratio(unit, steps);
    CHECK(interval.low == 2);
    CHECK(interval.high == 8);
}

TEST_CASE("report: three samples are too few, however different") {
    CHECK(verdict({100, 101, 102}, {10, 11, 12}) == Verdict::too_few_samples);
    CHECK(verdict({100, 101, 102, 103}, {10, 11, 12}) == Verdict::too_few_samples);
    CHECK(verdict({100, 101, 102, 103}, {10, 11, 12, 13}) == Verdict::slower);
}

TEST_CASE("report: models of other shapes are shown, not compared; without a common test either") {
    Json other = bench_json();
    other["model"]["width"] = 1024;
    const BenchFile first = parsed(bench_json());
    std::string page = html_of(page_of({first, first, parsed(other)}, kTolerance));
    CHECK(contains(page, "model of another shape: not compared"));
    CHECK(count_of(page, "class=\"text\" data-label=\"verdict\"") == 3);
    Json fewer = bench_json();
    for (Json &result : fewer["results"]) result["tokens"] = 99;
    page = html_of(page_of({first, parsed(fewer)}, kTolerance));
    CHECK(contains(page, "no test that the baseline has"));
}

TEST_CASE("report: where nothing can be compared nothing is, and nothing is a baseline") {
    Json suite = suite_json(Json::array());
    for (const int width : {256, 768, 1024}) {
        suite["runs"].push_back(bench_json());
        suite["runs"].back()["model"]["width"] = width;
    }
    std::vector<BenchFile> files = parse_bench_files("suite.json", suite.dump());
    for (const std::vector<BenchFile> &each : {files, {files[0], files[1]}, {files[0]}}) {
        const Page page = page_of(each, kTolerance);
        const std::string markdown = markdown_of(page);
        CHECK(!contains(markdown, "aseline"));
        CHECK(!contains(markdown, "ompared"));
        CHECK(!contains(markdown, "Differences"));
        CHECK(!contains(html_of(page), "<rect class=\"base\"")); // nor drawn as one
    }
    const std::vector<BenchFile> again = parse_bench_files("again.json", suite.dump());
    files.insert(files.end(), again.begin(), again.end());
    const Page page = page_of(files, kTolerance);
    CHECK(contains(page.lead, "The first run of each model is the baseline."));
    CHECK(count_of(markdown_of(page), " (baseline) |") == 3);
    CHECK(contains(page_of({files[0], files[3]}, kTolerance).lead, "The first is the baseline."));
}

TEST_CASE("report: a run is compared with the first of its model and weights") {
    const auto run = [](int width, const char *weights, double speed) {
        Json json = bench_json(speed);
        json["model"]["width"] = width;
        json["model"]["weights"] = weights;
        return parsed(json);
    };
    const std::vector<BenchFile> files = {run(1024, "f16", 1), run(2048, "f16", 1), run(2048, "q8_0", 1), run(4096, "f16", 1),
                                          run(1024, "f16", 2), run(2048, "q8_0", 2)};
    const std::vector<std::optional<std::size_t>> expected = {{}, {}, 1, {}, 0, 2};
    for (std::size_t i = 0; i < files.size(); ++i) CHECK(baseline_of(files, i) == expected[i]);
    const std::string page = html_of(page_of(files, kTolerance));
    CHECK(contains(page, "Baseline is the first run of the same model."));
    CHECK(contains(page, "; baseline: run 1"));
    CHECK(contains(page, "; baseline: run 3"));
    CHECK(count_of(page, "model of another shape: not compared") == 1); // the fourth
}

TEST_CASE("report: sizes are plotted when there is more than one") {
    Json larger = bench_json(0.5);
    larger["model"].update({{"width", 2048}, {"bytes_read_per_token", 900'000'000}});
    const BenchFile small = parsed(bench_json()), large = parsed(larger);
    CHECK(!contains(html_of(page_of({small, small}, kTolerance)), "Scaling with model size"));
    const std::string page = html_of(page_of({large, small}, kTolerance));
    CHECK(contains(page, "Scaling with model size"));
    CHECK(count_of(page, "<circle") == 3); // two points and the legend
    CHECK(contains(page, "class=\"limit\""));
}

TEST_CASE("report: drivers of one device, and files of one driver, have lines and rows of their own") {
    const auto suite = [](const char *path, const char *driver, const char *version, double speed) {
        Json small = bench_json(speed), large = bench_json(speed / 2);
        large["model"].update({{"name", "larger.gguf"}, {"width", 2048}, {"bytes_read_per_token", 900'000'000}});
        for (Json *run : {&small, &large})
            (*run)["device"].update({{"driver", driver}, {"driver_version", version == nullptr ? Json() : Json(version)}});
        return parse_bench_files(path, suite_json(Json::array({small, large})).dump());
    };
    struct Lines {
        std::vector<std::string> names; // and how many points each has
        std::set<std::string> rows;     // no two alike
        std::size_t limits = 0;
    };
    const auto lines = [](const std::vector<std::vector<BenchFile>> &suites) {
        std::vector<BenchFile> files;
        for (const std::vector<BenchFile> &each : suites) files.insert(files.end(), each.begin(), each.end());
        const Section section = scaling_section(files);
        Lines out;
        for (const Series &series : section.plot->series) {
            out.names.push_back(series.name + ": " + std::to_string(series.points.size()));
            if (series.limit > 0) ++out.limits;
        }
        for (const std::vector<Cell> &row : section.tables.front().rows) {
            const bool other = out.rows.insert(row[0].text + " | " + row[1].text).second;
            CHECK(other);
        }
        return out;
    };
    const std::vector<BenchFile> radv = suite("radv.json", "radv", "Mesa 25.0", 1),
                                 amdvlk = suite("amdvlk.json", "amdvlk", "2025.1", 2),
                                 update = suite("new/radv.json", "radv", "Mesa 25.1", 1.1),
                                 again = suite("new/radv.json", "radv", "Mesa 25.0", 1.2),
                                 unknown = suite("unknown.json", "radv", nullptr, 1);
    const Lines drivers = lines({radv, amdvlk});
    CHECK(drivers.names == std::vector<std::string>{"Example GPU 9000, radv, Mesa 25.0, f16: 2",
                                                    "Example GPU 9000, amdvlk, 2025.1, f16: 2"});
    CHECK(drivers.limits == 2);
    CHECK(drivers.rows.size() == 4);
    CHECK(drivers.rows.contains("goose.gguf, f16 | Example GPU 9000, amdvlk, 2025.1"));
    const Lines versions = lines({radv, update, unknown}); // the driver is the same: not said
    CHECK(versions.names == std::vector<std::string>{"Example GPU 9000, Mesa 25.0, f16: 2", "Example GPU 9000, Mesa 25.1, f16: 2",
                                                     "Example GPU 9000, f16: 2"});
    CHECK(versions.rows.size() == 6);
    const Lines files = lines({radv, again}); // of equal names
    CHECK(files.names == std::vector<std::string>{"Example GPU 9000, radv.json (file 1), f16: 2",
                                                  "Example GPU 9000, radv.json (file 2), f16: 2"});
    CHECK(files.limits == 1); // the device's, by one driver
    CHECK(files.rows.size() == 4);
    Json large = bench_json();
    large["model"].update({{"name", "larger.gguf"}, {"bytes_read_per_token", 900'000'000}});
    const std::vector<BenchFile> array = parse_bench_files("all.json", Json::array({bench_json(), bench_json(2), large}).dump());
    CHECK(lines({array}).rows.contains("goose.gguf, f16 | Example GPU 9000, run 2")); // one model twice in a file
    CHECK(lines({{parsed(bench_json())}, array}).rows.contains("goose.gguf, f16 | Example GPU 9000, all.json (file 2), run 3"));
    const Lines alone = lines({{radv[0]}, {radv[1]}}); // a file each, and nothing that differs
    CHECK(alone.names == std::vector<std::string>{"Example GPU 9000, f16: 2"});
}

TEST_CASE("report: runs of two drivers are told apart by their names") {
    Json other = bench_json();
    other["device"]["driver"] = "otherdrv";
    const std::vector<std::string> names = run_names({parsed(bench_json()), parsed(other)});
    CHECK(names == std::vector<std::string>{"1: exampledrv", "2: otherdrv"});
}

TEST_CASE("report: a device that reads at another speed than before is pointed out") {
    Json other = bench_json();
    other["roofline"]["read_bytes_per_second"] = 200e9;
    CHECK(
        contains(html_of(page_of({parsed(bench_json()), parsed(other)}, kTolerance)), "conditions were not the same"));
    CHECK(!contains(html_of(page_of({parsed(bench_json()), parsed(bench_json())}, kTolerance)), "conditions were not"));
}

TEST_CASE("report: a prompt's host time, launches and submissions are shown, and nothing says that they are not known") {
    const Section section = host_section({parsed(bench_json())});
    CHECK(section.lead.ends_with("with launches and submissions."));
    REQUIRE(section.tables.size() == 3);
    CHECK(section.tables[0].title == "Prefill of 512 tokens (pp512)");
    const std::vector<Cell> &row = section.tables[0].rows.front();
    CHECK(row[2].text == "21.1");
    CHECK(row[5].text == "0.25");
    CHECK(row[6].text == "0.125");
}

TEST_CASE("report: what makes a comparison unfair is on the page: tuning, denied variants, what a score is of") {
    Json tuned = bench_json(), older = bench_json();
    tuned["tuning"]["used"] = true;
    tuned["denied"] = Json::array();
    older.erase("tuning");
    older.erase("denied");
    const std::string markdown = markdown_of(page_of({parsed(bench_json()), parsed(tuned), parsed(older)}, kTolerance));
    CHECK(contains(markdown, "| firefinch | tuning | denied |\n"));
    CHECK(contains(markdown, "| 0.1.0 0123456789ab | the table's values | head.f16\\_subgroup |\n"));
    CHECK(contains(markdown, "| 0.1.0 0123456789ab | tuned | none |\n"));
    CHECK(contains(markdown, "| 0.1.0 0123456789ab | - | - |\n"));
    CHECK(contains(html_of(page_of({parsed(bench_json())}, kTolerance)), "data-label=\"denied\">head.f16_subgroup</td>"));
    CHECK(!contains(markdown_of(page_of({parsed(tuned), parsed(older)}, kTolerance)), "enied")); // nothing was
    CHECK(!contains(markdown, "Suite in"));

    const auto suite = [](const Json &score, std::size_t scored) {
        Json json = suite_json(Json::array({bench_json(), bench_json()}));
        json["score"] = score;
        json["scored_tests"] = scored;
        return parse_bench_files("a/suite.json", json.dump());
    };
    const Page page = page_of(suite(41.5, 6), kTolerance);
    const std::string rows = "| score | 41.5 (6 of 8 tests) |\n| cut | 7-2.9b q4\\_k: would take too long on this device |\n";
    CHECK(contains(markdown_of(page), "**Suite in suite.json**\n\n| fact | value |\n|---|---|\n" + rows));
    CHECK(contains(html_of(page), "7-2.9b q4_k: would take too long on this device</td>"));
    for (const Json &nothing : {Json(nullptr), Json(0)}) // 0 before it was null
        CHECK(contains(markdown_of(page_of(suite(nothing, 0), kTolerance)), "| score | none |"));
    std::vector<BenchFile> two = suite(1, 8);
    for (const BenchFile &run : suite(nullptr, 0)) two.push_back(run);
    const std::string both = markdown_of(page_of(two, kTolerance));
    CHECK(count_of(both, "**Suite in suite.json (file 1)**") == 1);
    CHECK(contains(both, "| score | 1.0 (8 of 8 tests) |"));
    CHECK(count_of(both, "**Suite in suite.json (file 2)**") == 1);
    CHECK(contains(both, "| score | none |"));
}

TEST_CASE("report: names are text, never markup") {
    const std::string name = "</title><script>alert('1')</script>\"&|`*_[a](http://b)@c\n# www.d\xE2\x80\xAE"
                             "e";
    Json json = bench_json();
    for (const char *pointer :
         {"/device/name", "/device/driver", "/device/driver_version", "/model/name", "/model/weights",
          "/kernels/0/name", "/kernels/0/variant", "/host/os", "/firefinch", "/time", "/device/profile", "/denied/0"})
        json[Json::json_pointer(pointer)] = name;
    json["device"]["traits"][name] = name;
    Json suite = suite_json(Json::array({json}));
    suite["cut"] = Json::array({name});
    const Page page = page_of({parse_bench_files("<i>.json", suite.dump()).front(), parsed(bench_json())}, kTolerance);
    const std::string html = html_of(page);
    CHECK(!contains(html, "<script"));
    CHECK(count_of(html, "</title>") == count_of(html, "<title>"));
    CHECK(contains(html, "&lt;script&gt;alert(&#39;1&#39;)"));
    CHECK(!contains(html, "<i>"));
    CHECK(contains(html, "&lt;i&gt;.json"));
    CHECK(count_of(html, "<td class=\"text\" data-label=\"value\">&lt;/title&gt;&lt;script&gt;") == 6); // five of the device, a cut
    CHECK(!contains(html, "\xE2\x80\xAE")); // it would turn the page's own text around
    const std::string markdown = markdown_of(page);
    CHECK(!contains(markdown, "<"));
    CHECK(!contains(markdown, "@c"));
    CHECK(!contains(markdown, "http://b"));
    CHECK(!contains(markdown, "www.d"));
    CHECK(!contains(markdown, "\n# www"));
    CHECK(contains(markdown, "\\|\\`\\*\\_\\[a\\](http\\://b)"));
}

TEST_CASE("report: a name that begins a paragraph makes no heading and no list of it") {
    for (const auto &[name, says] : {std::pair{"# Official", "\n\\# Official"}, {"   - x", "\n\\- x"}, {"12. x", "\n12\\. x"}}) {
        Json json = bench_json();
        json["model"]["name"] = name;
        CHECK(contains(markdown_of(page_of({parsed(json)}, kTolerance)), says));
    }
}

TEST_CASE("report: as many samples as can be compared, and whatever limits a driver states") {
    Json json = bench_json();
    json["device"]["traits"]["max_allocation_bytes"] = 18446744073709551615ULL;
    CHECK(parsed(json).results.size() == json["results"].size());
    Json many = json["results"][1];
    many["repeats"] = 10'000;
    many["samples"]["tokens_per_second"] = std::vector<double>(10'000, 1);
    many["samples"]["host_microseconds_per_token"] = std::vector<double>(10'000, 1);
    for (const char *figure : {"median", "min", "max"}) many["tokens_per_second"][figure] = 1;
    if (many["host_microseconds_per_token"].is_number()) many["host_microseconds_per_token"] = 1;
    json["results"] = Json::array();
    for (int i = 0; i < 11; ++i) {
        many["tokens"] = 1 + i;
        json["results"].push_back(many);
    }
    CHECK(contains(refusal(json.dump()), "results has 110000 samples, expected 100000 at most"));
    json["results"].erase(10);
    CHECK(parsed(json).results.size() == 10);
}

TEST_CASE("report: a page asks for nothing outside itself") {
    const std::string html = html_of(page_of({parsed(bench_json()), parsed(bench_json(0.8))}, kTolerance));
    for (const char *part : {"href", "src=", "url(", "@import", "://", "<script", "<iframe", "<link"}) {
        CAPTURE(part);
        CHECK(!contains(html, part));
    }
    CHECK(contains(html, "default-src 'none'"));
    CHECK(contains(html, "prefers-color-scheme: dark"));
    CHECK(contains(html, "@media print"));
}

TEST_CASE("report: every table is a table in Markdown") {
    const std::string markdown = markdown_of(page_of({parsed(bench_json()), parsed(bench_json(0.8))}, kTolerance));
    std::size_t columns = 0; // of the table that the line before belongs to; 0: none
    std::size_t tables = 0;
    for (std::size_t at = 0; at < markdown.size();) {
        const std::string line = markdown.substr(at, markdown.find('\n', at) - at);
        at += line.size() + 1;
        const std::size_t bars = count_of(line, "|") - count_of(line, "\\|");
        if (!line.starts_with("|")) {
            CHECK(bars == 0);
            columns = 0;
        } else if (columns == 0) {
            columns = bars;
            ++tables;
        }
        CHECK(bars == columns);
    }
    CHECK(tables >= 10);
    CHECK(contains(markdown, "**slower**"));
    CHECK(!contains(markdown, "svg"));
}

TEST_CASE("report: text on one line") {
    CHECK(one_line("a\tb\nc\x7F"
                   "d\xC2\x85"
                   "e\u2028f") == "a b c d e f");
    CHECK(one_line("caf\u00e9 \u20ac \U0001F426") == "caf\u00e9 \u20ac \U0001F426");
    CHECK(one_line("a\u202Eb\u200Bc\uFEFF") == "abc");
    CHECK(one_line("\xC0\x80") == "\uFFFD\uFFFD");
    CHECK(one_line("\xE2\x82") == "\uFFFD\uFFFD");
    CHECK(one_line("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");
    CHECK(one_line("\xF0\x9F\x90") == "\uFFFD\uFFFD\uFFFD");
    CHECK(one_line("") == "");
}

TEST_CASE("numbers as people read them") {
    CHECK(grouped(2993920) == "2,993,920");
    CHECK(bytes_text(5987840) == "5.99 MB");
    CHECK(scaled_text(12.34e9) == "12.3 G");
    CHECK(scaled_text(999.7e9) == "1 T");
    CHECK(percent_text(0.4164) == "41.6 %");
    CHECK(speed_text(97.8449) == "97.84");
}
