#include "tests/support/temporary_file.h"

#include <random>

namespace ff::test {

TemporaryFile::TemporaryFile(std::string_view name) {
    std::random_device device; // two runs of the tests at once must not meet
    path_ = std::filesystem::temp_directory_path() /
            ("firefinch-" + std::string(name) + "-" + std::to_string(device()) + std::to_string(device()));
}

TemporaryFile::~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

} // namespace ff::test
