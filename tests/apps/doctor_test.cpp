// firefinch doctor: a device that computes rightly passes, an error in any variant is named, and what was named is not used.
// And tune: numbers with which a kernel computes wrongly are not kept, however fast.
#include "model_file.h"
#include "planted.h"
#include "process.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

using namespace test;
using nlohmann::json;

namespace {

const Arguments kGenerate = {"generate", "--temp", "0", "-n", "24", "--json"};

json variant_of(const json &report, const std::string &full_name) {
    for (const json &variant : report["variants"])
        if (variant["kernel"].get<std::string>() + "." + variant["variant"].get<std::string>() == full_name) return variant;
    return {};
}

std::vector<std::string> failed_in(const json &report) {
    std::vector<std::string> failed;
    for (const json &variant : report["variants"])
        if (variant["outcome"] == "failed")
            failed.push_back(variant["kernel"].get<std::string>() + "." + variant["variant"].get<std::string>());
    return failed;
}

struct Patient {
    Folder folder;
    std::vector<std::string> variables;
    explicit Patient(const std::vector<std::string> &planted)
        : variables({"FIREFINCH_CACHE_DIR=" + folder.path("cache")}) {
        if (!planted.empty()) variables.push_back("FIREFINCH_SHADER_DIR=" + plant(folder, planted));
    }
    Outcome run(Arguments arguments, const std::string &more = "FIREFINCH_NOTHING=") const {
        std::vector<std::string> all = variables;
        all.push_back(more);
        return run_on_device_with(all, std::move(arguments));
    }
};

json chosen_variants() { // by kernel, for f16
    const json all = json::parse(run_on_device({"devices", "--json"}).out);
    return all["devices"][all["default"].get<std::size_t>()]["variants"];
}

bool has_subgroups() { // what the plain variants' alternatives need
    return chosen_variants()["head"] == "f16_subgroup";
}

std::string deny_list_in(const std::string &cache) {
    for (const auto &entry : std::filesystem::directory_iterator(cache))
        if (entry.path().filename().string().rfind("denied-", 0) == 0 && entry.path().extension() == ".json") // no part of one
            return entry.path().string();
    return {};
}

std::vector<std::string> chosen_of(const std::vector<std::string> &kernels) { // in the order of reports
    const json chosen = chosen_variants();
    std::vector<std::string> all;
    for (const ShaderVariant &variant : shader_variants())
        if (std::find(kernels.begin(), kernels.end(), variant.kernel) != kernels.end() && chosen[variant.kernel] == variant.name)
            all.push_back(variant.full_name());
    return all;
}

// The demo model's text with an error in one of `variants` after the other, and the list that the patient's doctor wrote: of it
// the entry counts whose shader is the one in use.
void check_text_without(const Patient &patient, const std::vector<std::string> &variants) {
    Arguments generate = kGenerate; // with a prompt that wide steps read
    generate.insert(generate.end(), {"-v", "-p", "Once upon a time there was a bird that lived on a small island."});
    const json tokens = json::parse(run_on_device(generate).out)["tokens"];
    for (const std::string &variant : variants) {
        CAPTURE(variant);
        const Folder folder;
        const Outcome cured = run_on_device_with({patient.variables.front(), "FIREFINCH_SHADER_DIR=" + plant(folder, {variant})}, generate,
                                                 std::chrono::minutes(5));
        REQUIRE_MESSAGE(cured.status == 0, cured.err);
        CHECK(cured.err.find(variant + " is not used on") != std::string::npos);
        CHECK(cured.err.find("is not used on") == cured.err.rfind("is not used on"));
        CHECK(json::parse(cured.out)["tokens"] == tokens);
    }
}

} // namespace

TEST_CASE("doctor: a short test passes, and its report says what was tested") {
    const Patient patient({});
    const std::string saved = patient.folder.path("report.json");
    const Outcome outcome = patient.run({"doctor", "--quick", "--json", "--no-validation", "--out", saved});
    CHECK_MESSAGE(outcome.status == 0, outcome.err);
    const json report = json::parse(outcome.out);
    CHECK(report["schema"] == "firefinch-doctor/1");
    CHECK(report["passed"] == true);
    CHECK(report["denied"] == 0);
    CHECK(report["variants"].size() > 100);
    CHECK(variant_of(report, "embed.f16")["outcome"] == "passed");
    CHECK(json::parse(read(saved))["variants"] == report["variants"]);
}

TEST_CASE("doctor: a soak leaves the same bits in every round") {
    const Patient patient({});
    const Outcome outcome = patient.run({"doctor", "--quick", "--seconds", "1", "--json", "--no-validation"});
    CHECK_MESSAGE(outcome.status == 0, outcome.err);
    const json soak = json::parse(outcome.out)["soak"];
    CAPTURE(soak.dump());
    CHECK(soak["passed"] == true);
    CHECK(soak["rounds"].get<int>() >= 2);
    CHECK(soak["tokens"].get<int>() > 0);
    CHECK(soak["seconds"].get<double>() >= 1);
}

TEST_CASE("doctor: errors in variants are named with their element, and generation does without these variants") {
    if (!has_subgroups()) {
        MESSAGE("SKIPPED: without subgroups most kernels have one variant only");
        return;
    }
    const std::vector<std::string> planted = {"embed.f16", "head.f16_subgroup", "sparse_value.f16"};
    const Outcome right = run_on_device(kGenerate);
    REQUIRE(right.status == 0);
    const json tokens = json::parse(right.out)["tokens"];

    const Patient patient(planted);
    const Outcome wrong = patient.run(kGenerate);
    REQUIRE_MESSAGE(wrong.status == 0, wrong.err);
    CHECK(json::parse(wrong.out)["tokens"] != tokens); // the errors matter

    const Outcome doctor = patient.run({"doctor", "--quick", "--json", "--no-validation"});
    CHECK_MESSAGE(doctor.status == 1, doctor.err);
    const json report = json::parse(doctor.out);
    std::vector<std::string> failed = failed_in(report);
    std::sort(failed.begin(), failed.end());
    CHECK(failed == planted);
    for (const std::string &name : planted) {
        const json variant = variant_of(report, name);
        CAPTURE(variant.dump());
        CHECK(variant["element"].is_number_unsigned());
        CHECK(variant["expected"] != variant["found"]);
        CHECK(variant["where"].get<std::string>().find("7.0 with f16 weights, decode step") == 0);
    }
    CHECK(variant_of(report, "head.f16_subgroup")["element"] == 3); // the row it was planted in
    CHECK(report["denied"] == 3);

    const Outcome cured = patient.run(kGenerate);
    REQUIRE_MESSAGE(cured.status == 0, cured.err);
    CHECK(json::parse(cured.out)["tokens"] == tokens);
    for (const std::string &name : planted) CHECK(cured.err.find(name + " is not used on") != std::string::npos);

    const Outcome ignoring = patient.run(kGenerate, "FIREFINCH_DENY_LIST=off");
    CHECK(json::parse(ignoring.out)["tokens"] == json::parse(wrong.out)["tokens"]);

    const json plan = json::parse(patient.run({"inspect", "--plan", "--json"}).out);
    CHECK(plan["launches"].size() > 0);
    for (const json &launch : plan["launches"]) CHECK(launch["kernel"] != "sparse_value");
    CHECK(plan["denied"].size() == planted.size());
}

TEST_CASE("doctor: right text through another variant, whichever kernel's first choice is wrong") {
    if (!has_subgroups()) {
        MESSAGE("SKIPPED: without subgroups most kernels have one variant only");
        return;
    }
    const std::vector<std::string> planted =
        chosen_of({"embed", "mix_project", "wkv7", "project_add", "sparse_value", "head", "sample"});
    const Patient patient(planted);
    const Outcome doctor = patient.run({"doctor", "--quick", "--json", "--no-validation"});
    CHECK_MESSAGE(doctor.status == 1, doctor.err);
    CHECK(failed_in(json::parse(doctor.out)) == planted);
    check_text_without(patient, planted);
}

TEST_CASE("doctor: where nothing can take a denied variant's place, making a model says so") {
    const Patient patient({"embed.f16"});
    Outcome doctor = run_on_device_with(patient.variables, {"doctor", "--quick", "--json", "--no-validation", "--profile", "floor"});
    if (std::getenv("FIREFINCH_TEST_PROFILE") != nullptr) return; // the option cannot be given twice
    CHECK_MESSAGE(doctor.status == 1, doctor.err);
    const Outcome refused = run_on_device_with(patient.variables, {"generate", "-n", "4", "--profile", "floor"});
    CHECK(refused.status == 1);
    CHECK_MESSAGE(refused.err.find("embed.f16 is ruled out on this device") != std::string::npos, refused.err);
}

TEST_CASE("doctor: what a profile leaves out stays on the deny list") {
    if (std::getenv("FIREFINCH_TEST_PROFILE") != nullptr || !has_subgroups()) {
        MESSAGE("SKIPPED: the floor profile leaves nothing out here");
        return;
    }
    const Patient patient({"head.f16_subgroup"});
    REQUIRE(patient.run({"doctor", "--quick", "--no-validation"}).status == 1);
    const Outcome floor = patient.run({"doctor", "--quick", "--no-validation", "--json", "--profile", "floor"});
    CHECK_MESSAGE(floor.status == 0, floor.err);
    CHECK(variant_of(json::parse(floor.out), "head.f16_subgroup").is_null());
    CHECK(json::parse(floor.out)["denied"] == 1);
    const Outcome cured = patient.run({"generate", "--temp", "0", "-n", "24", "--json", "-v"});
    CHECK_MESSAGE(cured.err.find("head.f16_subgroup is not used on") != std::string::npos, cured.err);
    CHECK(json::parse(cured.out)["tokens"] == json::parse(run_on_device(kGenerate).out)["tokens"]);
}

TEST_CASE("doctor: a deny list that is damaged or of another device is ignored") {
    const Patient patient({});
    REQUIRE(patient.run({"doctor", "--quick", "--no-validation"}).status == 0);
    const std::string list = deny_list_in(patient.folder.path("cache"));
    REQUIRE(!list.empty());
    json other = json::parse(read(list));
    other["device"] = "0123456789abcdef";
    json hostile = json::parse(read(list));
    hostile["denied"] = json::array({1, json::object(), {{"variant", "head.none"}, {"shader", "0"}, {"why", "\n\x1b[2J"}}});
    for (const std::string &text : {std::string(), std::string("{"), std::string("[]"), std::string(100000, '['), other.dump(), hostile.dump()}) {
        CAPTURE(text.substr(0, 60));
        patient.folder.write("cache/" + std::filesystem::path(list).filename().string(), text);
        const Outcome outcome = patient.run({"devices"});
        CHECK(outcome.status == 0);
        CHECK_MESSAGE(outcome.err.find("ignored") != std::string::npos, outcome.err);
        CHECK(outcome.out.find("denied ") == std::string::npos);
    }
}

TEST_CASE("doctor: an entry of another build's shader stays on the list, and is not counted") {
    const Patient patient({});
    const Outcome first = patient.run({"doctor", "--quick", "--no-validation", "--json"});
    REQUIRE_MESSAGE(first.status == 0, first.err);
    const json before = json::parse(first.out);
    std::string untested; // the last, which a second does not come to the next time either
    for (const json &variant : before["variants"])
        if (variant["outcome"] == "not tested") untested = variant["kernel"].get<std::string>() + "." + variant["variant"].get<std::string>();
    if (untested.empty()) {
        MESSAGE("SKIPPED: a second is enough for all variants here");
        return;
    }
    const std::string path = deny_list_in(patient.folder.path("cache"));
    json list = json::parse(read(path));
    list["denied"] = json::array({{{"variant", untested}, {"shader", "0123456789abcdef"}, {"why", "once"}}});
    patient.folder.write("cache/" + std::filesystem::path(path).filename().string(), list.dump());
    const json report = json::parse(patient.run({"doctor", "--quick", "--no-validation", "--json"}).out);
    CHECK(report["denied"] == 0);
    CHECK(json::parse(read(path))["denied"] == list["denied"]);
}

TEST_CASE("doctor: where the deny list cannot be written, the report says so and what failed") {
    Patient patient({"embed.f16"});
    patient.folder.write("file", "no folder");
    patient.variables.front() = "FIREFINCH_CACHE_DIR=" + patient.folder.path("file") + "/cache";
    const Outcome doctor = patient.run({"doctor", "--quick", "--json", "--no-validation"});
    CHECK(doctor.status == 1);
    REQUIRE_MESSAGE(!doctor.out.empty(), doctor.err);
    const json report = json::parse(doctor.out);
    CHECK(failed_in(report) == std::vector<std::string>{"embed.f16"});
    CHECK(report["deny_failure"].get<std::string>().find("cannot be created") != std::string::npos);
}

TEST_CASE("doctor: what was under test when the process was taken down has failed in the next test") {
    const Patient patient({});
    const auto on_trial = [&] { // as the test left it, or has it now
        const std::string folder = patient.folder.path("cache/doctor");
        const std::string list = std::filesystem::exists(folder) ? deny_list_in(folder) : "";
        const json entries = json::parse(list.empty() ? "" : read(list), nullptr, false);
        std::vector<std::string> names;
        if (entries.is_object())
            for (const json &entry : entries["denied"]) names.push_back(entry["variant"].get<std::string>());
        return names;
    };
    Arguments arguments = {"doctor", "--no-validation"};
    for (const std::string &each : device_arguments()) arguments.push_back(each);
    for (std::size_t wanted = 1; wanted <= 2; ++wanted) { // the first is not forgotten when there is a second
        for (int tries = 0; tries < 20 && on_trial().size() < wanted; ++tries) {
            Process doctor(arguments, {}, patient.variables);
            for (int waits = 0; waits < 2000 && on_trial().size() < wanted; ++waits)
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            doctor.send(SIGKILL);
            CHECK(doctor.wait().signal == SIGKILL);
        }
        REQUIRE(on_trial().size() == wanted);
    }
    std::vector<std::string> names = on_trial();
    const Outcome next = patient.run({"doctor", "--quick", "--json", "--no-validation"});
    CHECK_MESSAGE(next.status == 1, next.err);
    const json report = json::parse(next.out);
    std::vector<std::string> failed = failed_in(report);
    std::sort(failed.begin(), failed.end());
    std::sort(names.begin(), names.end());
    CHECK(failed == names);
    for (const std::string &name : names)
        CHECK(variant_of(report, name)["trouble"] == "the program ended while this was tested");
    CHECK(report["denied"] == 2);
    CHECK(on_trial().empty());
    CHECK(patient.run({"doctor", "--quick", "--no-validation"}).status == 0); // once more, they get another chance
}

TEST_CASE("doctor: a report that cannot be written ends it before it begins") {
    const Patient patient({});
    const Outcome doctor = patient.run({"doctor", "--quick", "-v", "--no-validation", "--out", patient.folder.path("none") + "/report.json"});
    CHECK(doctor.status == 1);
    CHECK_MESSAGE(doctor.err.find("report.json: cannot be written") != std::string::npos, doctor.err);
    CHECK(doctor.err.find("kernel variants") == std::string::npos);
}

TEST_CASE("doctor: Ctrl-C in the soak leaves the report of what was tested") {
    const Patient patient({});
    const std::string saved = patient.folder.path("report.json");
    Arguments arguments = {"doctor", "--quick", "--seconds", "600", "--json", "--no-validation", "--out", saved};
    for (const std::string &each : device_arguments()) arguments.push_back(each);
    Process doctor(arguments, {}, patient.variables);
    for (int tries = 0; tries < 600 && !std::filesystem::exists(saved); ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    REQUIRE(std::filesystem::exists(saved)); // before the soak, which may end the process
    doctor.send(SIGINT);
    const Outcome outcome = doctor.wait();
    CHECK_MESSAGE(outcome.status == 130, outcome.err);
    REQUIRE(!outcome.out.empty());
    const json report = json::parse(outcome.out);
    CHECK(report["variants"].size() > 100);
    CHECK(report["soak"].is_null());
    CHECK(json::parse(read(saved))["seconds"] == report["seconds"]);
}

// Six minutes of one core: tests/drivers/run --all has it, with FIREFINCH_TEST_ALL_VARIANTS=1.
TEST_CASE("doctor: an error in every variant at once, each of them named") {
    if (std::getenv("FIREFINCH_TEST_ALL_VARIANTS") == nullptr) {
        MESSAGE("SKIPPED: FIREFINCH_TEST_ALL_VARIANTS is not set");
        return;
    }
    std::vector<std::string> planted;
    for (const ShaderVariant &variant : shader_variants()) planted.push_back(variant.full_name());
    const Patient patient(planted);
    const Outcome doctor = run_on_device_with(patient.variables, {"doctor", "--seconds", "0", "--json", "--no-validation"},
                                              std::chrono::minutes(35));
    CHECK_MESSAGE(doctor.status == 1, doctor.err);
    const json report = json::parse(doctor.out);
    for (const json &variant : report["variants"]) {
        const std::string name = variant["kernel"].get<std::string>() + "." + variant["variant"].get<std::string>();
        CAPTURE(name);
        if (std::find(planted.begin(), planted.end(), name) == planted.end()) continue;
        CHECK(variant["outcome"] == "failed");
        CHECK(variant["element"].is_number_unsigned());
    }
    check_text_without(patient, chosen_of({"wide_embed", "wide_mix", "wide_wkv7", "matmul", "wide_sample"}));
}
