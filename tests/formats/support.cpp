#include "tests/formats/support.h"

#include "loader/description.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace ff::loader::test {

Bytes bytes_of(std::string_view text) {
    const auto *begin = reinterpret_cast<const std::byte *>(text.data());
    return {begin, begin + text.size()};
}

Bytes bytes_of(const std::vector<float> &values) {
    const auto *begin = reinterpret_cast<const std::byte *>(values.data());
    return {begin, begin + values.size() * sizeof(float)};
}

Bytes words(std::initializer_list<unsigned> values) {
    Bytes out;
    for (const unsigned value : values) append_le(out, static_cast<std::uint16_t>(value));
    return out;
}

void append(Bytes &to, std::span<const std::byte> more) {
    to.insert(to.end(), more.begin(), more.end());
}

void check_sentence(const Error &error, std::string_view path) {
    INFO(error.message);
    CHECK(error.status != Status::ok);
    CHECK(error.status != Status::internal);
    CHECK(error.message.starts_with(path));
    CHECK(error.message.find_first_of("\n\r\t") == std::string::npos);
    CHECK(error.message.size() > path.size() + 10);
    CHECK(error.message.size() < 600);
    CHECK(error.message.find(": ") != std::string::npos);
    CHECK_FALSE(error.message.ends_with("."));
    CHECK_FALSE(error.message.ends_with("\n"));
}

void check_error(const Error &error, std::string_view path, Status status,
                 std::initializer_list<std::string_view> parts) {
    check_sentence(error, path);
    INFO(error.message);
    CHECK(static_cast<int>(error.status) == static_cast<int>(status));
    for (const std::string_view part : parts) {
        CAPTURE(part);
        CHECK(error.message.find(part) != std::string::npos);
    }
}

Error refusal(std::span<const std::byte> bytes) {
    return error_of(open_tensor_source("x", bytes));
}

std::unique_ptr<TensorSource> opened(std::span<const std::byte> bytes) {
    auto source = open_tensor_source("x", bytes);
    REQUIRE_MESSAGE(source.ok(), (source.ok() ? "" : source.error().message));
    return std::move(source).value();
}

std::vector<float> values_of(const TensorSource &source, std::string_view name) {
    const auto index = find_tensor(source, name);
    REQUIRE_MESSAGE(index.has_value(), name);
    const TensorInfo &info = source.tensors()[*index];
    const auto stored = source.read(*index);
    REQUIRE_MESSAGE(stored.ok(), (stored.ok() ? "" : stored.error().message));
    std::vector<float> values(info.elements());
    REQUIRE(stored->bytes().size() == info.bytes());
    to_float32(info.dtype, stored->bytes(), values);
    return values;
}

std::optional<std::string> shared_file(const std::string &relative) {
    const std::string path = FIREFINCH_SHARED_DIR "/" + relative;
    if (std::filesystem::exists(path)) return path;
    MESSAGE("SKIPPED: the shared file ", relative, " is not there");
    return std::nullopt;
}

TemporaryPath::TemporaryPath() {
    static std::atomic<int> counter{0};
    path_ = (std::filesystem::temp_directory_path() /
             ("firefinch-formats-" + std::to_string(::getpid()) + "-" + std::to_string(counter++)))
                .string();
}

TemporaryPath::~TemporaryPath() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void TemporaryPath::write(std::span<const std::byte> bytes) const {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.good());
}

} // namespace ff::loader::test
