// The program's report command: a page with the figures of its files and no others, and exit statuses for CI.
#include "bench_json.h"
#include "process.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

using namespace test;

namespace {

std::string two_decimals(double value) { // as the table of bench has it
    char text[64];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

// What stands in the columns of this name.
std::set<std::string> column(const std::string &page, const std::string &name) {
    std::set<std::string> all;
    const std::string label = "data-label=\"" + name + "\">";
    for (std::size_t at = page.find(label); at != page.npos; at = page.find(label, at + 1)) {
        const std::size_t begin = at + label.size();
        all.insert(page.substr(begin, page.find('<', begin) - begin));
    }
    return all;
}

std::set<std::string> figures(const std::vector<Json> &files, const char *name) {
    std::set<std::string> all;
    for (const Json &file : files)
        for (const Json &result : file["results"])
            all.insert(two_decimals(result["tokens_per_second"][name].get<double>()));
    return all;
}

std::string page_of(const std::vector<std::string> &paths, Arguments more = {}) {
    Arguments arguments = {"report"};
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(outcome.err.empty());
    return outcome.out;
}

Json with_samples(const std::vector<double> &samples) {
    Json json = bench_json();
    json["results"] = {result_json("decode", 1, 128, samples, std::vector<double>(samples.size(), 20.0))};
    return json;
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
}

void check_refused_in_a_line(const Arguments &arguments, int status, const std::string &says) {
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, says));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.size() < 1000);
}

} // namespace

TEST_CASE("apps report: tokens/s are those of the files, all of them and no others") {
    const Folder folder;
    const std::vector<Json> files = {bench_json(), bench_json(0.77), bench_json(1.31)};
    std::vector<std::string> paths;
    for (const Json &json : files)
        paths.push_back(folder.write("bench" + std::to_string(paths.size()) + ".json", json.dump()));
    const std::string page = page_of(paths);
    CHECK(column(page, "tokens/s") == figures(files, "median"));
    CHECK(column(page, "baseline tokens/s") == figures({files[0]}, "median"));
    std::set<std::string> least = figures(files, "min"), most = figures(files, "max");
    for (const char *host : {"20.8", "22.4"}) { // min and max of host time stand in columns of the same name
        least.insert(host);
        most.insert(host);
    }
    const std::set<std::string> shown_least = column(page, "min"), shown_most = column(page, "max");
    CHECK(shown_least.size() == 10);
    CHECK(std::includes(least.begin(), least.end(), shown_least.begin(), shown_least.end()));
    CHECK(std::includes(most.begin(), most.end(), shown_most.begin(), shown_most.end()));
    CHECK(column(page, "tokens/s at the limit") == std::set<std::string>{"625.00"}); // 250 GB/s over 400 MB
    for (const char *part : {"Example GPU 9000", "Mesa 99.1", "goose.gguf", "mix_project.f16", "900.5", "88.8 %",
                             "0.77 s", "512.00 MB", "250 GB/s", "5 T/s", "bench1.json", "2026-01-02T03:04:05Z"}) {
        CAPTURE(part);
        CHECK(contains(page, part));
    }
}

TEST_CASE("apps report: equal files give equal bytes, to a file as to standard output") {
    const Folder folder;
    const std::string a = folder.write("a.json", bench_json().dump()),
                      b = folder.write("b.json", bench_json(0.9).dump());
    const std::string page = page_of({a, b}), out = folder.path("report.html");
    CHECK(page == page_of({a, b}));
    CHECK(page_of({a, b}, {"-o", out}).empty());
    CHECK(read(out) == page);
    CHECK(page.starts_with("<!DOCTYPE html>"));
    const std::string markdown = page_of({a, b}, {"--markdown"});
    CHECK(markdown.starts_with("## RWKV on Example GPU 9000\n"));
    CHECK(page_of({a, b}, {"--markdown", "-o", out}).empty());
    CHECK(read(out) == markdown);
    CHECK(run({"report", "-", b}, bench_json().dump()).out.size() > 1000);
}

TEST_CASE("apps report: a file that is read is not overwritten") {
    const Folder folder;
    const std::string text = bench_json().dump(), a = folder.write("a.json", text), b = folder.write("b.json", text);
    for (const std::string &out : {b, folder.path("./b.json")}) { // by whatever name
        check_refused_in_a_line({"report", a, b, "-o", out}, 1, out + ": it is what is being read");
        CHECK(read(b) == text);
    }
    const std::string old = folder.write("old.html", "old");
    CHECK(page_of({a, b}, {"-o", old}).empty());
    CHECK(read(old).size() > 1000);
}

TEST_CASE("apps report: what bench has measured is shown") {
    const Folder folder;
    const Outcome bench = run_on_device(
        {"bench", "--json", "--prefill", "20", "--decode", "6", "--repeat", "4", "--batch", "1,2", "--kernels"});
    REQUIRE(bench.status == 0);
    const Json json = Json::parse(bench.out);
    const std::string path = folder.write("real.json", bench.out), page = page_of({path});
    CHECK(column(page, "tokens/s") == figures({json}, "median"));
    for (const Json &kernel : json["kernels"])
        CHECK(contains(page, kernel["name"].get<std::string>() + "." + kernel["variant"].get<std::string>()));
    const Outcome same = run({"report", path, path, "--compare"}); // nothing is slower than itself
    CHECK(same.status == 0);
    CHECK(contains(same.out, "tg6 x2"));
    CHECK(same.err.empty());
}

TEST_CASE("apps report: --compare tells a regression from noise") {
    const Folder folder;
    const auto file = [&](const char *name, double centre, unsigned seed) {
        return folder.write(name, with_samples(noisy(centre, 5, seed)).dump());
    };
    const std::string base = file("base.json", 100, 1), noise = file("noise.json", 100, 2),
                      slower = file("slower.json", 80, 3), faster = file("faster.json", 125, 4);
    for (const std::string &path : {base, noise, faster}) {
        const Outcome outcome = run({"report", base, path, "--compare"});
        CAPTURE(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(contains(outcome.out, path == faster ? "  faster\n" : "  no clear difference\n"));
        CHECK(outcome.err.empty());
    }
    const Outcome outcome = run({"report", base, noise, slower, "--compare"});
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.out, "  slower\n"));
    CHECK(contains(outcome.err, "slower.json is slower than " + base + ": tg128 -"));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(run({"report", base, slower, "--compare", "--tolerance", "40"}).status == 0);

    Json drifted = with_samples(noisy(80, 5, 3)); // slower still, but so was the device
    drifted["roofline"]["read_bytes_per_second"] = 200e9;
    const Outcome other = run({"report", base, folder.write("drifted.json", drifted.dump()), "--compare"});
    CHECK(other.status == 1);
    CHECK(contains(other.out, "note: the device read 200 GB/s, in the baseline 250 GB/s"));
    CHECK(contains(other.err, "conditions were not the same"));
    CHECK(!contains(outcome.err, "conditions"));

    // The page is there for whoever looks at the failed build.
    const std::string out = folder.path("report.html");
    CHECK(run({"report", base, slower, "--compare", "-o", out}).status == 1);
    CHECK(contains(read(out), ">slower<"));
    const Outcome markdown = run({"report", base, slower, "--compare", "--markdown"});
    CHECK(markdown.status == 1);
    CHECK(contains(markdown.out, "**slower**"));
    CHECK(!contains(markdown.out, slower + " beside ")); // the table is not wanted twice
}

TEST_CASE("apps report: --compare refuses what cannot be compared") {
    const Folder folder;
    const auto file = [&](const char *name, const Json &json) { return folder.write(name, json.dump()); };
    const auto changed = [&](const char *pointer, const Json &value) {
        Json json = bench_json();
        json[Json::json_pointer(pointer)] = value;
        return json;
    };
    const std::string base = file("base.json", bench_json());
    check_refused_in_a_line({"report", base, file("device.json", changed("/device/name", "Other")), "--compare"}, 1,
                            "device.name is Other, in the baseline");
    check_refused_in_a_line({"report", base, file("width.json", changed("/model/width", 64)), "--compare"}, 1,
                            "model.width is 64");
    check_refused_in_a_line({"report", base, file("type.json", changed("/model/weights", "q8_0")), "--compare"}, 1, "q8_0");
    check_refused_in_a_line({"report", base, file("test.json", changed("/results/2/batch", 4)), "--compare"}, 1,
                            "has no result tg128 x8, which the baseline");
    const std::string few = file("few.json", with_samples({1, 2, 3}));
    const Outcome outcome = run({"report", few, few, "--compare"});
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "tg128 has 3 samples and in the baseline 3, to compare takes 4"));
    check_refused_in_a_line({"report", base, "--compare"}, 2, "two files");
}

TEST_CASE("apps report: --compare of suites wants every run that the baseline has") {
    const Folder folder;
    Json larger = bench_json(0.5), weights = bench_json(), name = bench_json(), wide = bench_json(0.5);
    larger["model"].update({{"name", "7-2.9b"}, {"width", 2560}});
    weights["model"]["weights"] = "q8_0";
    name["model"]["name"] = "duck.gguf";
    wide["model"]["name"] = "7-2.9b";
    const auto file = [&](const char *path, const Json &runs) { return folder.write(path, suite_json(runs).dump()); };
    const std::string all = file("all.json", {larger, bench_json(), weights, name}),
                      again = file("again.json", {name, weights, bench_json(), larger});
    const Outcome whole = run({"report", all, again, "--compare"}); // in whatever order
    CAPTURE(whole.err);
    CHECK(whole.status == 0);
    CHECK(whole.err.empty());
    CHECK(contains(whole.out, again + ", run 4 beside " + all + ", run 1\n"));

    const auto lacks = [&](const char *path, const Json &runs, const std::string &missing) {
        const std::string later = file(path, runs);
        check_refused_in_a_line({"report", all, again, later, "--compare"}, 1, later + ": has no run of " + missing);
    };
    lacks("larger.json", {bench_json(), weights, name}, "7-2.9b, RWKV-7.0, 12 layers, 2560 wide, vocabulary 65536, f16, which the "
                                                        "baseline has (" + all + ", run 1)");
    lacks("weights.json", {larger, bench_json(), name}, "goose.gguf, RWKV-7.0, 12 layers, 768 wide, vocabulary 65536, q8_0, which");
    lacks("name.json", {larger, bench_json(), weights}, "duck.gguf, RWKV-7.0, 12 layers, 768 wide");
    const std::string alone = folder.write("alone.json", bench_json().dump());
    check_refused_in_a_line({"report", all, alone, "--compare"}, 1, alone + ": has no run of 7-2.9b");
    check_refused_in_a_line({"report", all, file("wide.json", Json::array({wide})), "--compare"}, 1,
                            "the baseline has no run of 7-2.9b, RWKV-7.0, 12 layers, 768 wide");
    CHECK(page_of({all, alone}).size() > 1000); // a report shows what there is
}

TEST_CASE("apps report: what is no bench file is refused, and leaves no report") {
    const Folder folder;
    const std::string base = folder.write("base.json", bench_json().dump()), out = folder.path("report.html");
    const auto refused = [&](const std::string &path, const std::string &says) {
        check_refused_in_a_line({"report", base, path, "-o", out}, 1, says);
        CHECK(!std::filesystem::exists(out));
    };
    refused(folder.path("missing.json"), "cannot be opened");
    refused(folder.path(""), "cannot be read");
    refused(folder.write("text.json", "tokens/s: 12\n"), "is no JSON, as line 1");
    refused(folder.write("empty.json", ""), "is no JSON");
    refused(folder.write("chat.json", R"({"schema": "firefinch-chat/1"})"), "schema is \"firefinch-chat/1\", expected");
    refused(folder.write("long.json", "{\"schema\": \"" + std::string(100'000'000, 'x') + "\"}"),
            "has more than 16777216");
    refused("/dev/zero", "has more than 16777216");
    check_refused_in_a_line({"report", base, "-o", folder.path("no/such/report.html")}, 1, "cannot be written");
    check_refused_in_a_line({"report"}, 2, "FILE");
    check_refused_in_a_line({"report", "-", "-"}, 2, "once");
    check_refused_in_a_line({"report", base, "--tolerance", "-1"}, 2, "--tolerance");
    check_refused_in_a_line({"report", base, "--tolerance", "nan"}, 2, "--tolerance");
}
