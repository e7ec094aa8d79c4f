// What every test of this folder uses.
#pragma once

#include "loader/tensor_source.h"

#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ff::loader::test {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text);
Bytes bytes_of(const std::vector<float> &values);
Bytes words(std::initializer_list<unsigned> values); // 16 bits each
void append(Bytes &to, std::span<const std::byte> more);

template <class T>
void append_le(Bytes &to, T value) {
    const auto *begin = reinterpret_cast<const std::byte *>(&value); // the hosts that we build for are little-endian
    to.insert(to.end(), begin, begin + sizeof value);
}

// The error of a Result that must have failed; fails the test otherwise.
template <class T>
Error error_of(const Result<T> &result) {
    REQUIRE_FALSE(result.ok());
    return result.error();
}

// Every message is one sentence: names the file first, stands on one line, is not a novel.
void check_sentence(const Error &error, std::string_view path);

// Checks status, form, and that each of `parts` occurs in the message.
void check_error(const Error &error, std::string_view path, Status status,
                 std::initializer_list<std::string_view> parts);

// The error of opening `bytes` under the name "x"; fails the test if they open.
Error refusal(std::span<const std::byte> bytes);

// A source over `bytes`, which must outlive it; fails the test if they do not open.
std::unique_ptr<TensorSource> opened(std::span<const std::byte> bytes);

// float32 values of the tensor called `name`; fails the test if it is not there.
std::vector<float> values_of(const TensorSource &source, std::string_view name);

// The path of a file in the shared folder; if it is not there, says so and returns nothing.
std::optional<std::string> shared_file(const std::string &relative);

// A file or folder under the system's temporary folder, removed at the end.
class TemporaryPath {
  public:
    TemporaryPath();
    ~TemporaryPath();
    TemporaryPath(const TemporaryPath &) = delete;
    TemporaryPath &operator=(const TemporaryPath &) = delete;
    const std::string &path() const { return path_; }
    void write(std::span<const std::byte> bytes) const;

  private:
    std::string path_;
};

} // namespace ff::loader::test
