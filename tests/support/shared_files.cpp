#include "tests/support/shared_files.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace ff::test {

std::optional<std::filesystem::path> shared_file(std::string_view name) {
    std::filesystem::path path = std::filesystem::path(FIREFINCH_SHARED_DIR) / name;
    if (!std::filesystem::is_regular_file(path)) return std::nullopt;
    return path;
}

std::filesystem::path source_file(std::string_view name) {
    return std::filesystem::path(FIREFINCH_SOURCE_DIR) / name;
}

std::string read_text(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<float> read_floats(const std::filesystem::path &path) {
    static_assert(std::endian::native == std::endian::little);
    const std::string bytes = read_text(path);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
}

} // namespace ff::test
