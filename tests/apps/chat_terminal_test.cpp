// The program's chat as a person meets it: on a terminal, with a prompt, dimmed thoughts, and Ctrl-C.
#include "process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace test;

namespace {

class OnTerminal {
  public:
    explicit OnTerminal(Arguments arguments) {
        const Arguments device = device_arguments();
        arguments.insert(arguments.end(), device.begin(), device.end());
        arguments.insert(arguments.begin(), FIREFINCH_PROGRAM);
        std::vector<char *> words;
        for (std::string &word : arguments) words.push_back(word.data());
        words.push_back(nullptr);
        id_ = ::forkpty(&descriptor_, nullptr, nullptr, nullptr);
        if (id_ < 0) throw std::runtime_error("forkpty failed");
        if (id_ == 0) {
            ::setenv("TERM", "xterm", 1);
            ::setenv("FIREFINCH_CACHE_DIR", FIREFINCH_TEST_CACHE, 1);
            ::unsetenv("NO_COLOR");
            ::execv(FIREFINCH_PROGRAM, words.data());
            ::_exit(127);
        }
        ::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
    }
    ~OnTerminal() {
        if (id_ > 0) {
            ::kill(id_, SIGKILL);
            ::waitpid(id_, nullptr, 0);
        }
        ::close(descriptor_);
    }
    OnTerminal(const OnTerminal &) = delete;
    OnTerminal &operator=(const OnTerminal &) = delete;

    void type(const std::string &keys) {
        seen_ = text_.size();
        REQUIRE(::write(descriptor_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
    }
    // Until `text` comes after what was there when something was last typed.
    bool wait_for(const std::string &text) {
        for (int i = 0; i < 12000 && text_.find(text, seen_) == std::string::npos; ++i) read_some();
        return text_.find(text, seen_) != std::string::npos;
    }
    int wait() {
        int status = 0;
        for (int i = 0; i < 12000; ++i) {
            read_some();
            if (::waitpid(id_, &status, WNOHANG) != id_) continue;
            id_ = -1;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        return -1;
    }
    const std::string &text() const { return text_; }

  private:
    void read_some() {
        char piece[4096];
        const ssize_t got = ::read(descriptor_, piece, sizeof piece);
        if (got > 0)
            text_.append(piece, static_cast<std::size_t>(got));
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }

    int descriptor_ = -1;
    pid_t id_ = -1;
    std::string text_;
    std::size_t seen_ = 0;
};

} // namespace

TEST_CASE("apps chat terminal: Ctrl-C stops a reply and keeps the chat, Ctrl-D ends it") {
    OnTerminal chat({"chat", "--template", "g1", "--think", "on", "-n", "1000000", "--logit-bias", "0=-1000"});
    REQUIRE(chat.wait_for("> "));
    chat.type("hello\r");
    REQUIRE(chat.wait_for("\x1b[2m")); // a thought, dimmed
    chat.type("\x03");
    REQUIRE(chat.wait_for("\x1b[0m"));
    REQUIRE(chat.wait_for("\r\n> "));
    chat.type("/stats\r");
    CHECK(chat.wait_for("main, 1 turns"));
    chat.type("\x04");
    CHECK(chat.wait() == 0);
}

TEST_CASE("apps chat terminal: Ctrl-C at the prompt ends the chat") {
    OnTerminal chat({"chat", "-n", "4"});
    REQUIRE(chat.wait_for("> "));
    chat.type("hello\\\r");
    REQUIRE(chat.wait_for("... ")); // the line goes on
    chat.type("there\r");
    REQUIRE(chat.wait_for("\r\n> "));
    chat.type("\x03");
    CHECK(chat.wait() == 130);
}
