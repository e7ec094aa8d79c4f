// The program's chat, in a pipe: every line a turn, slash commands, and states that are exactly what was said.
#include "process.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using Json = nlohmann::json;

namespace {

// The replies to `input`, as JSON lines.
std::vector<Json> replies(const std::string &input, const Arguments &more = {}, std::string *err = nullptr) {
    Arguments arguments = {"chat", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (std::find(more.begin(), more.end(), "-n") == more.end()) arguments.insert(arguments.end(), {"-n", "24"});
    const Outcome outcome = run_on_device(arguments, input);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    if (err == nullptr)
        CHECK(outcome.err.empty());
    else
        *err = outcome.err;
    std::vector<Json> all;
    for (std::size_t begin = 0; begin < outcome.out.size();) {
        const std::size_t end = outcome.out.find('\n', begin);
        all.push_back(Json::parse(outcome.out.substr(begin, end - begin)));
        begin = end + 1;
    }
    return all;
}

const Arguments kGreedy = {"--temp", "0"};

} // namespace

TEST_CASE("apps chat: in a pipe each line is a turn, and only replies are written") {
    const std::vector<Json> all = replies("hello\n\nhow are you", {"--seed", "1"});
    REQUIRE(all.size() == 2);
    CHECK(all[0]["schema"] == "firefinch-chat/1");
    CHECK(all[0]["user"] == "hello");
    CHECK(all[1]["user"] == "how are you");
    CHECK(all[0]["seed"] == 1);
    CHECK(all[1]["seed"] == 2);
    const Outcome plain = run_on_device({"chat", "--seed", "1", "-n", "24"}, "hello\nhow are you\n");
    CHECK(plain.status == 0);
    CHECK(plain.err.empty());
    CHECK(plain.out == all[0]["text"].get<std::string>() + "\n" + all[1]["text"].get<std::string>() + "\n");
    CHECK(run_on_device({"chat"}, "").out.empty());
}

TEST_CASE("apps chat: after a reply the state has read it and the end of its turn, whatever ended it") {
    const Folder folder;
    const std::string state = folder.path("state"), next = "NURSE:\nMadam,";
    // A limit; a stop text that is read before it is known to be one; the form's own end of a turn.
    for (const Arguments &end : {Arguments{"-n", "9"}, {"--stop", "t"}, {"-n", "400"}}) {
        Arguments arguments = {"--temp", "0", "--save-state", state};
        arguments.insert(arguments.end(), end.begin(), end.end());
        const std::string text = replies("Who is there?\n", arguments).at(0)["text"];
        CAPTURE(text);
        const std::string whole = "JULIET:\nWho is there?\n\nROMEO:\n" + text + "\n\n" + next;
        const Arguments greedy = {"generate", "--temp", "0", "-n", "30", "-p"};
        Arguments read_again = greedy, go_on = greedy;
        read_again.push_back(whole);
        go_on.insert(go_on.end(), {next, "--load-state", state});
        CHECK(run_on_device(go_on).out == run_on_device(read_again).out);
    }
}

TEST_CASE("apps chat: /undo takes turns back as if they had not been") {
    const auto all = replies("Good morrow.\nWho art thou?\n/undo\nWho art thou?\n/undo 2\nGood morrow.\n", kGreedy);
    REQUIRE(all.size() == 4);
    CHECK(all[2]["text"] == all[1]["text"]);
    CHECK(all[3]["text"] == all[0]["text"]);
    std::string err;
    replies("a\nb\n/undo 9\n/undo\n", {"--temp", "0", "--undo-depth", "1", "-n", "2"}, &err);
    CHECK(err == "firefinch: there is no turn to take back\n"); // the first took back the one it could
}

TEST_CASE("apps chat: /fork goes on in a copy, /switch between them") {
    const auto all = replies("Good morrow.\n/fork night\nWho art thou?\nFarewell!\n/switch main\nWho art thou?\n"
                             "/switch night\n/undo\nFarewell!\n",
                             kGreedy);
    REQUIRE(all.size() == 5);
    CHECK(all[0]["branch"] == "main");
    CHECK(all[1]["branch"] == "night");
    CHECK(all[3]["branch"] == "main");
    CHECK(all[3]["text"] == all[1]["text"]);
    CHECK(all[4]["text"] == all[2]["text"]);
}

TEST_CASE("apps chat: /retry answers again with the next seed, and a seed makes it all again") {
    const std::string input = "Good morrow.\n/retry\nWho art thou?\n";
    const auto all = replies(input, {"--seed", "10"});
    REQUIRE(all.size() == 3);
    CHECK(all[1]["user"] == "Good morrow.");
    CHECK(all[1]["seed"] == 11);
    CHECK(all[1]["text"] != all[0]["text"]);
    CHECK(all[1]["text"] == replies("Good morrow.\n", {"--seed", "11"}).at(0)["text"]);
    const auto again = replies(input, {"--seed", "10"});
    CHECK(again[2]["text"] == all[2]["text"]);
    const auto chosen = replies("Good morrow.\nWho art thou?\n", {"--seed", "11"});
    CHECK(chosen[1]["text"] == all[2]["text"]); // the first reply is forgotten
}

TEST_CASE("apps chat: /save, /load, /reset, and states from one run to the next") {
    const Folder folder;
    const std::string state = folder.path("state");
    const auto all = replies("Good morrow.\n/save " + state + "\nWho art thou?\n/load " + state +
                                 "\nWho art thou?\n/reset\nGood morrow.\n",
                             kGreedy);
    REQUIRE(all.size() == 4);
    CHECK(all[2]["text"] == all[1]["text"]);
    CHECK(all[3]["text"] == all[0]["text"]);
    const auto later = replies("Who art thou?\n", {"--temp", "0", "--load-state", state});
    CHECK(later.at(0)["text"] == all[1]["text"]);
}

TEST_CASE("apps chat: mistakes are told, and the chat goes on") {
    const Folder folder;
    const std::string missing = folder.path("missing/state");
    std::string err;
    const auto all = replies("/frobnicate\n/load " + missing + "\n/save " + missing +
                                 "\n/undo\n/undo x\n/retry\n/fork\n/fork main\n/switch nowhere\nGood morrow.\n/help\n"
                                 "/stats\n/switch\n//undo\n/quit\nnever read\n",
                             kGreedy, &err);
    REQUIRE(all.size() == 2);
    CHECK(all[1]["user"] == "/undo");
    for (const std::string &says :
         {std::string("'/frobnicate'"), missing, std::string("'x'"), std::string("/fork NAME"), std::string("'main'"),
          std::string("'nowhere'"), std::string("/switch [NAME]"), std::string("produced"), std::string("* main")}) {
        CAPTURE(says);
        CHECK(err.find(says) != std::string::npos);
    }
}

TEST_CASE("apps chat: what is thought is told apart from the answer, and not written in a pipe") {
    const Arguments think = {"--template", "g1", "--think", "on", "--temp", "0", "-n", "12"};
    const Json thought = replies("hello\n", think).at(0);
    CHECK(thought["text"] == "");
    CHECK(!thought["thinking"].get<std::string>().empty());
    Arguments plain = {"chat"};
    plain.insert(plain.end(), think.begin(), think.end());
    CHECK(run_on_device(plain, "hello\n").out == "\n");
    // An empty thought is closed but for its ">", which every token is made to be here.
    const Json fake =
        replies("hello\n", {"--template", "g1", "--think", "fake", "--logit-bias", "62=1000", "-n", "5"}).at(0);
    CHECK(fake["text"] == ">>>>");
    CHECK(fake["thinking"] == "");
}

TEST_CASE("apps chat: a template from a file, a system text, and what cannot be used") {
    const Folder folder;
    const std::string form = folder.write(
        "form", "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content + '\\n\\n' }}{% else %}"
                "{{ ('JULIET' if m.role == 'user' else 'ROMEO') + ':\\n' + m.content|trim + '\\n\\n' }}{% endif %}"
                "{% endfor %}{% if add_generation_prompt %}{{ 'ROMEO:\\n' }}{% endif %}");
    const std::string input = "Good morrow.\nWho art thou?\n";
    const Arguments system = {"--temp", "0", "--system", "Enter ROMEO and JULIET."};
    Arguments with_form = system;
    with_form.insert(with_form.end(), {"--template", form});
    const auto built_in = replies(input, system), own = replies(input, with_form);
    CHECK(own.at(0)["text"] == built_in.at(0)["text"]);
    CHECK(own.at(1)["text"] == built_in.at(1)["text"]);
    CHECK(own.at(0)["prompt_tokens"] == built_in.at(0)["prompt_tokens"]);
    CHECK(own.at(1)["prompt_tokens"] == built_in.at(1)["prompt_tokens"]);
    CHECK(built_in.at(0)["prompt_tokens"].get<int>() - replies(input, kGreedy).at(0)["prompt_tokens"].get<int>() == 25);

    const Outcome broken = run({"chat", "--template", folder.write("broken", "{{ x | frob }}")}, "hello\n");
    CHECK(broken.status == 1);
    CHECK(broken.err.find("'frob'") != std::string::npos);
    CHECK(run({"chat", "--template", "world", "--think", "on"}).status == 2);
    CHECK(run({"chat", "--template", "file"}).status == 1);
    CHECK(run({"chat", "--undo-depth", "0"}).status == 2);
}

TEST_CASE("apps chat: Ctrl-C in a pipe ends it with what was said so far") {
    Arguments arguments = {"chat", "--seed", "1", "-n", "1000000", "--template", "g1", "--logit-bias", "0=-1000"};
    const Arguments device = device_arguments();
    arguments.insert(arguments.end(), device.begin(), device.end());
    Process process(arguments, "hello\nhow are you\n");
    for (int i = 0; i < 6000 && process.out_so_far().size() < 10; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    process.send(SIGINT);
    const Outcome outcome = process.wait();
    CHECK(outcome.status == 130);
    CHECK(outcome.out.size() >= 10);
    CHECK(outcome.out.ends_with('\n'));
    CHECK(outcome.err.empty());
}
