// A file name of this process's own that is removed at the end of a test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ff::test {

class TemporaryFile {
  public:
    explicit TemporaryFile(std::string_view name);
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;
    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

} // namespace ff::test
