// A member of a JSON object that others wrote, with its name for messages: results[2].samples.tokens_per_second[0].
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace program::report {

// Everything that is not as expected throws Failure.
class Field {
  public:
    Field(const std::string &file, const nlohmann::json &value) : file_(&file), value_(&value) {}

    Field operator[](const char *member) const; // of an object
    std::vector<Field> items(std::size_t most) const;
    std::vector<std::pair<std::string, Field>> members(std::size_t most) const; // by name
    bool is_null() const;                                                       // or missing
    bool is_number() const;

    std::string text() const; // on one line
    std::string text_or_none() const;
    bool truth() const; // true or false
    double number(double low, double high) const;
    std::optional<double> number_or_none(double low, double high) const;
    std::uint64_t whole(std::uint64_t low, std::uint64_t high) const;
    std::vector<double> numbers(double low, double high, std::size_t most) const;

    [[noreturn]] void fail(const std::string &expected) const;
    [[noreturn]] void fail(const std::string &found, const std::string &expected) const;

  private:
    Field(const std::string &file, const nlohmann::json *value, std::string name)
        : file_(&file), value_(value), name_(std::move(name)) {}
    std::string found() const;

    const std::string *file_;
    const nlohmann::json *value_; // null if missing
    std::string name_;
};

} // namespace program::report
