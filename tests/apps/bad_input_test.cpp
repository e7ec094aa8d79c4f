// What is wrong is refused with the right exit status and one line on stderr, and nothing crashes.
#include "process.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace test;

namespace {

// `says` is part of the sentence.
void check_refused(const Outcome &outcome, int status, const std::string &says = {}) {
    CAPTURE(outcome.err);
    CHECK(outcome.signal == 0);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.rfind("firefinch: ", 0) == 0);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find(says) != std::string::npos);
}

void check_usage(const Arguments &arguments, const std::string &says = {}) {
    CAPTURE(arguments.front());
    check_refused(run(arguments), 2, says);
}

std::string demo_file() {
    return read(FIREFINCH_DEMO_FILE);
}

std::string header_only(const std::string &json) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((json.size() >> (8 * i)) & 0xFFU);
    return bytes + json;
}

} // namespace

TEST_CASE("apps bad input: command lines that cannot be") {
    check_usage({"frobnicate"}, "frobnicate");
    check_usage({"--frobnicate"});
    check_usage({"generate", "--frobnicate"}, "--frobnicate");
    check_usage({"generate", "-n", "0"}, "from 1");
    check_usage({"generate", "-n", "-5"});
    check_usage({"generate", "-n", "ten"});
    check_usage({"generate", "-n", "18446744073709551616"});
    check_usage({"generate", "-n"});
    check_usage({"generate", "--temp", "nan"});
    check_usage({"generate", "--temp", "-1"});
    check_usage({"generate", "--top-p", "2"});
    check_usage({"generate", "--top-p", "0"});
    check_usage({"generate", "--top-k", "4294967296"});
    check_usage({"generate", "--seed", "x"});
    check_usage({"generate", "--min-p", "1.5"}, "from 0");
    check_usage({"generate", "--typical", "0"});
    check_usage({"generate", "--logit-bias", "5"}, "ID=V");
    check_usage({"generate", "--logit-bias", "5=nan"}, "ID=V");
    check_usage({"generate", "--logit-bias", "-1=2"}, "ID=V");
    check_usage({"generate", "--stop", ""});
    check_usage({"generate", "--tokens", "1 two 3"}, "'two'");
    check_usage({"generate", "--tokens", "1 -2"});
    check_usage({"generate", "-p", "a", "-f", "b"});
    check_usage({"generate", "-q", "-v"});
    check_usage({"generate", "--profile", "frobnicate"}, "native");
    check_usage({"generate", "--weights", "f8"}, "bf16");
    check_usage({"inspect", "-m", "a", "b"});
    check_usage({"inspect", "-d", "0"}, "--plan");
    check_usage({"logits"});
    check_usage({"logits", "--tokens-file", "a"}, "--out");
    check_usage({"logits", "--tokens-file", "a", "--out", "b", "--chunk", "0"});
    check_usage({"tokenize", "--decode", "-p", "1 x"}, "'x'");
    check_usage({"devices", "--profiles", "-d", "0"});
    for (const Arguments &dropped : {Arguments{"--batch", "8"}, {"--repeat", "2"}, {"--cool-down", "1"}, {"--kernels"},
                                     {"--prefill", "8"}, {"--decode", "8"}, {"--weights", "f16"}, {"-m", "x"},
                                     {"--model-shape", "7-0.1b"}}) {
        Arguments arguments = {"bench", "--suite", "standard"};
        arguments.insert(arguments.end(), dropped.begin(), dropped.end());
        CAPTURE(dropped.front());
        check_usage(arguments, "--suite");
    }
    check_usage({"bench", "--decode", "0", "--batch", "8"}, "--batch");
    check_usage({"bench", "--seconds", "60"}, "--suite");
    check_usage({"doctor", "--validate", "--no-validation"}, "--no-validation");
    check_refused(run({}), 2, "command");
}

TEST_CASE("apps bad input: a prompt is required where the model is not the demo") {
    check_refused(run({"generate", "-m", FIREFINCH_DEMO_FILE}), 2, "prompt");
}

TEST_CASE("apps bad input: model files that cannot be opened") {
    const Folder folder;
    for (const std::string command : {"inspect", "generate", "tokenize"}) {
        CAPTURE(command);
        check_refused(run({command, "-m", folder.path("missing")}), 1, folder.path("missing"));
        check_refused(run({command, "-m", folder.path("")}), 1);
    }
    const std::string secret = folder.write("secret", demo_file());
    std::filesystem::permissions(secret, std::filesystem::perms::none);
    if (::geteuid() != 0) check_refused(run({"inspect", secret}), 1, secret); // root may read everything
}

TEST_CASE("apps bad input: files that are no model") {
    const Folder folder;
    std::string noise(4096, '\0');
    unsigned state = 7;
    for (char &byte : noise) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
    const std::vector<std::pair<std::string, std::string>> files = {
        {"empty", ""},
        {"one-byte", "x"},
        {"noise", noise},
        {"text", "I am not a model.\n"},
        {"zip-of-nothing", std::string("PK\x05\x06") + std::string(18, '\0')},
        {"pickle", "\x80\x02}q.."},
        {"huge-header", std::string(7, '\xFF') + "\x7F{}"},
        {"no-json", header_only("{\"emb.weight\": ")},
        {"no-tensors", header_only("{}")},
        {"negative", header_only(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})")},
        {"overflow", header_only(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})")},
        {"outside", header_only(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})")},
        {"backwards", header_only(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})")},
        {"deep", header_only(std::string(100000, '['))},
    };
    for (const auto &[name, bytes] : files) {
        CAPTURE(name);
        const std::string path = folder.write(name, bytes);
        check_refused(run({"generate", "-m", path, "-p", "x"}), 1, path);
    }
}

TEST_CASE("apps bad input: a model file that was cut") {
    const Folder folder;
    const std::string whole = demo_file();
    for (const std::size_t size :
         {std::size_t{4}, std::size_t{8}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
        CAPTURE(size);
        const std::string path = folder.write("cut.safetensors", whole.substr(0, size));
        check_refused(run({"inspect", path}), 1, path);
        check_refused(run({"generate", "-m", path, "-p", "x"}), 1, path);
        check_refused(run({"inspect", path, "--json"}), 1);
    }
}

TEST_CASE("apps bad input: prompts without tokens, or with ones the model does not have") {
    const Folder folder;
    check_refused(run({"generate", "-p", ""}), 1, "0 tokens");
    check_refused(run({"generate", "--tokens", " "}), 1, "0 tokens");
    check_refused(run({"generate", "-f", folder.write("empty", "")}), 1, "0 tokens");
    check_refused(run({"generate", "-f", folder.path("missing")}), 1, "missing");
    check_refused(run({"generate", "-f", folder.path("")}), 1);
    check_refused(run({"generate", "--tokens", "1 256"}), 1, "vocabulary");
    const std::string out = folder.path("out");
    for (const std::string ids : {"", "1 256", "1 x"}) {
        CAPTURE(ids);
        check_refused(run({"logits", "--tokens-file", folder.write("ids", ids), "--out", out}), 1, "ids");
        CHECK(!std::filesystem::exists(out));
    }
    check_refused(run({"tokenize", "--decode"}, "1 256"), 1, "256");
    check_refused(run({"tokenize", "--decode"}, "1 x"), 1, "'x'");
    check_refused(run({"tokenize", "--tokenizer", folder.path("missing")}, "text"), 1);
}

TEST_CASE("apps bad input: a device that is not there") {
    check_refused(run({"devices", "-d", "no such device"}), 1, "no such device");
    check_refused(run({"generate", "-d", "no such device"}), 1, "no such device");
    check_refused(run({"generate", "-d", "4294967296"}), 1);
}

TEST_CASE("apps bad input: files that cannot be written, states that are none") {
    const Folder folder;
    const std::string ids = folder.write("ids", "1 2"), nowhere = folder.path("missing/out");
    check_refused(run_on_device({"logits", "--tokens-file", ids, "--out", nowhere}), 1, nowhere);
    check_refused(run_on_device({"generate", "--load-state", folder.path("missing")}), 1, "missing");
    check_refused(run_on_device({"generate", "--load-state", folder.write("noise", "noise")}), 1, "noise");
    check_refused(run_on_device({"generate", "--load-state", FIREFINCH_DEMO_FILE}), 1);
    const Outcome unsaved = run_on_device({"generate", "-n", "1", "--save-state", nowhere});
    CHECK(unsaved.status == 1);
    CHECK(unsaved.err.find(nowhere) != std::string::npos);
}
