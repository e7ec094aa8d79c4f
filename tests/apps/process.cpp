#include "process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace test {
namespace {

using std::chrono::steady_clock;

std::filesystem::path new_file() {
    std::string name = (std::filesystem::temp_directory_path() / "firefinch-test-XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) throw std::runtime_error("mkstemp: " + std::string(std::strerror(errno)));
    ::close(descriptor);
    return name;
}

// What the tests' own environment says about firefinch stays outside, and so does the user's cache folder.
std::vector<std::string> environment(const std::vector<std::string> &own) {
    std::vector<std::string> all = own; // the first of a name counts
    all.emplace_back("FIREFINCH_CACHE_DIR=" FIREFINCH_TEST_CACHE);
    for (char **variable = environ; *variable != nullptr; ++variable)
        if (std::string_view(*variable).rfind("FIREFINCH_", 0) != 0) all.emplace_back(*variable);
    return all;
}

std::vector<char *> pointers(std::vector<std::string> &words) {
    std::vector<char *> all;
    for (std::string &word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

} // namespace

Process::Process(const Arguments &arguments, std::string_view input, const std::vector<std::string> &own)
    : out_(new_file()), err_(new_file()) {
    const std::filesystem::path in = new_file();
    std::ofstream(in, std::ios::binary) << input;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), O_WRONLY | O_TRUNC, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_.c_str(), O_WRONLY | O_TRUNC, 0);
    std::vector<std::string> words = {FIREFINCH_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment(own);
    const int error =
        posix_spawn(&id_, FIREFINCH_PROGRAM, &actions, nullptr, pointers(words).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    std::filesystem::remove(in);
    if (error != 0) throw std::runtime_error("posix_spawn " FIREFINCH_PROGRAM ": " + std::string(std::strerror(error)));
}

Process::~Process() {
    if (!reaped_) {
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }
    std::filesystem::remove(out_);
    std::filesystem::remove(err_);
}

std::string Process::out_so_far() const {
    return read(out_.string());
}

void Process::send(int signal) const {
    ::kill(id_, signal);
}

Outcome Process::wait(std::chrono::minutes patience) {
    int status = 0;
    for (const auto begin = steady_clock::now(); ::waitpid(id_, &status, WNOHANG) == 0;) {
        if (steady_clock::now() - begin > patience) {
            ::kill(id_, SIGKILL);
            ::waitpid(id_, &status, 0);
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    reaped_ = true;
    Outcome outcome;
    if (WIFEXITED(status))
        outcome.status = WEXITSTATUS(status);
    else
        outcome.signal = WTERMSIG(status);
    outcome.out = read(out_.string());
    outcome.err = read(err_.string());
    return outcome;
}

Outcome run(const Arguments &arguments, std::string_view input) {
    return Process(arguments, input).wait();
}

Arguments device_arguments() {
    Arguments arguments;
    if (const char *device = std::getenv("FIREFINCH_TEST_DEVICE")) arguments.insert(arguments.end(), {"-d", device});
    if (const char *profile = std::getenv("FIREFINCH_TEST_PROFILE"))
        arguments.insert(arguments.end(), {"--profile", profile});
    return arguments;
}

Outcome run_on_device(Arguments arguments, std::string_view input) {
    const Arguments more = device_arguments();
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, input);
}

Outcome run_on_device_with(const std::vector<std::string> &variables, Arguments arguments, std::chrono::minutes patience) {
    const Arguments more = device_arguments();
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Process(arguments, {}, variables).wait(patience);
}

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "firefinch-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
    folder_ = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string Folder::write(const std::string &name, std::string_view bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return path(name);
}

std::string read(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace test
