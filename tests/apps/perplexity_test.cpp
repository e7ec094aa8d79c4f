// The program's perplexity command: against logits summed up here, against itself, and on texts that begin or end
// oddly.
#include "process.h"

#include <cmath>
#include <cstring>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using Json = nlohmann::json;

namespace {

constexpr double kClose = 1e-5; // tokens read together may round otherwise than one by one

Json perplexity(Arguments more) {
    Arguments arguments = {"perplexity", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_on_device(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return Json::parse(outcome.out);
}

} // namespace

TEST_CASE("apps perplexity: what the logits say, counted by hand") {
    const Folder folder;
    const std::string text = "ROMEO:\nBut soft";
    std::string ids = "0";
    for (const char c : text) ids += " " + std::to_string(static_cast<unsigned char>(c));
    const std::string out = folder.path("logits");
    REQUIRE(run_on_device({"logits", "--tokens-file", folder.write("ids", ids), "--out", out}).status == 0);
    const std::string bytes = read(out);
    std::vector<float> logits(bytes.size() / sizeof(float));
    std::memcpy(logits.data(), bytes.data(), bytes.size());
    double bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) { // row i, behind the token before text[i]
        double sum = 0;
        for (std::size_t v = 0; v < 256; ++v) sum += std::exp(static_cast<double>(logits[i * 256 + v]));
        bits -= std::log2(std::exp(static_cast<double>(logits[i * 256 + static_cast<unsigned char>(text[i])])) / sum);
    }
    const std::string file = folder.write("text", text);
    const Json json = perplexity({"-f", file});
    const double count = static_cast<double>(text.size());
    CHECK(json["schema"] == "firefinch-perplexity/1");
    CHECK(json["scored_tokens"] == text.size());
    CHECK(json["scored_bytes"] == text.size());
    CHECK(json["bits_per_byte"].get<double>() == doctest::Approx(bits / count).epsilon(kClose));
    CHECK(json["nats_per_token"].get<double>() == doctest::Approx(bits * std::log(2.0) / count).epsilon(kClose));
    CHECK(json["perplexity"].get<double>() == doctest::Approx(std::exp2(bits / count)).epsilon(kClose));
    CHECK(perplexity({"-f", file, "--chunk", "4"})["bits_per_byte"].get<double>() ==
          doctest::Approx(bits / count).epsilon(kClose));
    CHECK(run_on_device({"perplexity", "-f", file}).out.rfind("bits per byte", 0) == 0);
}

TEST_CASE("apps perplexity: a model agrees with itself, and less with a coarser one") {
    const Folder folder;
    const std::string file = folder.write("text", "JULIET:\nO Romeo, Romeo! wherefore art thou Romeo?\n");
    const Json same = perplexity({"-f", file, "--against-weights", "as-stored"})["against"];
    CHECK(same["kl_mean"] == 0.0);
    CHECK(same["kl_max"] == 0.0);
    CHECK(same["top1_agreement"] == 1.0);
    const Json coarse = perplexity({"-f", file, "--weights", "q4_0", "--against-weights", "as-stored"});
    CHECK(coarse["against"]["weights"] == "as-stored");
    CHECK(coarse["against"]["bits_per_byte"] == same["bits_per_byte"]);
    CHECK(coarse["against"]["kl_mean"].get<double>() > 1e-6);
    CHECK(coarse["against"]["kl_mean"].get<double>() < 0.1);
    CHECK(coarse["against"]["kl_max"].get<double>() >= coarse["against"]["kl_mean"].get<double>());
    CHECK(perplexity({"-f", file, "--against", FIREFINCH_DEMO_FILE})["against"]["kl_max"] == 0.0);
}

TEST_CASE("apps perplexity: characters are not cut, and without an end of text the first token is not scored") {
    const Folder folder;
    const std::string file = folder.write("text", "na\u00efve");
    CHECK(perplexity({"-f", file, "--limit-bytes", "3"})["bytes"] == 2);
    CHECK(perplexity({"-f", file, "--limit-bytes", "4"})["bytes"] == 4);
    const Json json = perplexity({"-f", file, "-m", FIREFINCH_DEMO_FILE}); // a vocabulary of bytes ends no text
    CHECK(json["bytes"] == 6);
    CHECK(json["scored_tokens"] == 5);
    CHECK(json["scored_bytes"] == 5);
}

TEST_CASE("apps perplexity: what cannot be scored is refused") {
    const Folder folder;
    const std::string empty = folder.write("empty", "");
    for (const Arguments &arguments : {Arguments{"perplexity", "-f", empty},
                                       {"perplexity", "-f", folder.path("missing")},
                                       {"perplexity", "-f", empty, "--against", folder.path("missing")}}) {
        const Outcome outcome = run_on_device(arguments);
        CAPTURE(outcome.err);
        CHECK(outcome.status == 1);
        CHECK(outcome.err.find(folder.path("")) != std::string::npos);
    }
    CHECK(run({"perplexity"}).status == 2);
    CHECK(run({"perplexity", "-f", empty, "--chunk", "0"}).status == 2);
    CHECK(run({"perplexity", "-f", empty, "--against-weights", "f8"}).status == 2);
}
