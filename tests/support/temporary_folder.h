// The path of a folder of this test's own, which whoever writes first makes, and which is gone at the end of the test.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <string_view>

namespace ff::test {

class TemporaryFolder {
  public:
    explicit TemporaryFolder(std::string_view name) {
        std::random_device device; // two runs of the tests at once must not meet
        path_ = std::filesystem::temp_directory_path() /
                ("firefinch-" + std::string(name) + "-" + std::to_string(device()) + std::to_string(device()));
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;
    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

} // namespace ff::test
