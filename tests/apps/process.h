// Runs the firefinch program as a user would, and keeps what it said.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace test {

struct Outcome {
    int status = -1; // of exit; -1 if a signal ended it
    int signal = 0;
    std::string out, err;
};

using Arguments = std::vector<std::string>;
constexpr std::chrono::minutes kPatience(2); // before a program is ended that does not end

class Process {
  public:
    // `variables` ("NAME=value") take the place of those that tests run with.
    Process(const Arguments &arguments, std::string_view input, const std::vector<std::string> &variables = {});
    ~Process(); // ends it if it still runs
    Process(const Process &) = delete;
    Process &operator=(const Process &) = delete;

    std::string out_so_far() const;
    void send(int signal) const;
    Outcome wait(std::chrono::minutes patience = kPatience);

  private:
    std::filesystem::path out_, err_;
    int id_ = -1;
    bool reaped_ = false;
};

Outcome run(const Arguments &arguments, std::string_view input = {});
// With the device and profile under test: FIREFINCH_TEST_DEVICE, FIREFINCH_TEST_PROFILE.
Outcome run_on_device(Arguments arguments, std::string_view input = {});
Outcome run_on_device_with(const std::vector<std::string> &variables, Arguments arguments,
                           std::chrono::minutes patience = kPatience);
Arguments device_arguments();

// A folder for one test's files, gone with it.
class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;

    std::string path(const std::string &name) const { return (folder_ / name).string(); }
    std::string write(const std::string &name, std::string_view bytes) const; // returns its path

  private:
    std::filesystem::path folder_;
};

std::string read(const std::string &path);

} // namespace test
