#include "report/field.h"

#include "failure.h"
#include "utf8.h"

#include <cmath>

#include <fmt/format.h>

namespace program::report {
namespace {

constexpr std::size_t kLongestText = 500; // bytes; a model's file may have a name of 255
constexpr std::size_t kShownText = 60;    // of a text that is not what it should be
constexpr double kSmallest = 1e-9;        // what is less shows as 0, and would make quotients infinite

} // namespace

Field Field::operator[](const char *member) const {
    if (value_ == nullptr || !value_->is_object()) fail("an object");
    const auto found = value_->find(member);
    return {*file_, found == value_->end() ? nullptr : &*found,
            name_.empty() ? std::string(member) : fmt::format("{}.{}", name_, member)};
}

std::vector<Field> Field::items(std::size_t most) const {
    if (value_ == nullptr || !value_->is_array()) fail("an array");
    if (value_->size() > most)
        fail(fmt::format("has {} elements", value_->size()), fmt::format("no more than {}", most));
    std::vector<Field> all;
    for (const nlohmann::json &item : *value_) all.push_back({*file_, &item, fmt::format("{}[{}]", name_, all.size())});
    return all;
}

std::vector<std::pair<std::string, Field>> Field::members(std::size_t most) const {
    if (value_ == nullptr || !value_->is_object()) fail("an object");
    if (value_->size() > most)
        fail(fmt::format("has {} members", value_->size()), fmt::format("no more than {}", most));
    std::vector<std::pair<std::string, Field>> all;
    for (const auto &[key, value] : value_->items()) {
        const std::string shown(one_line(whole_characters(key, kShownText)));
        all.emplace_back(shown, Field(*file_, &value, fmt::format("{}.{}", name_, shown)));
    }
    return all;
}

bool Field::is_null() const {
    return value_ == nullptr || value_->is_null();
}

bool Field::is_number() const {
    return value_ != nullptr && value_->is_number();
}

std::string Field::text() const {
    if (value_ == nullptr || !value_->is_string()) fail("a text");
    const auto &text = value_->get_ref<const std::string &>();
    if (text.size() > kLongestText)
        fail(fmt::format("is a text of {} bytes", text.size()), fmt::format("no more than {}", kLongestText));
    return one_line(text);
}

std::string Field::text_or_none() const {
    return is_null() ? std::string() : text();
}

bool Field::truth() const {
    if (value_ == nullptr || !value_->is_boolean()) fail("true or false");
    return value_->get<bool>();
}

double Field::number(double low, double high) const {
    const std::string expected = fmt::format("a number from {} to {}", low, high);
    if (!is_number()) fail(expected);
    const auto value = value_->get<double>();
    if (!(value >= low && value <= high)) fail(expected); // written so that a NaN is refused
    return std::abs(value) < kSmallest ? 0 : value;
}

std::optional<double> Field::number_or_none(double low, double high) const {
    if (is_null()) return {};
    return number(low, high);
}

std::uint64_t Field::whole(std::uint64_t low, std::uint64_t high) const {
    const std::string expected = fmt::format("a whole number from {} to {}", low, high);
    if (value_ == nullptr || !value_->is_number_unsigned()) fail(expected);
    const auto value = value_->get<std::uint64_t>();
    if (value < low || value > high) fail(expected);
    return value;
}

std::vector<double> Field::numbers(double low, double high, std::size_t most) const {
    std::vector<double> all;
    for (const Field &item : items(most)) all.push_back(item.number(low, high));
    return all;
}

std::string Field::found() const {
    if (value_ == nullptr) return "is missing";
    if (value_->is_null()) return "is null";
    if (value_->is_number() || value_->is_boolean()) return fmt::format("is {}", value_->dump());
    if (!value_->is_string()) return value_->is_array() ? "is an array" : "is an object";
    const auto &text = value_->get_ref<const std::string &>();
    const std::string shown = one_line(whole_characters(text, kShownText));
    return fmt::format("is \"{}{}\"", shown, text.size() > kShownText ? "..." : "");
}

void Field::fail(const std::string &expected) const {
    fail(found(), expected);
}

void Field::fail(const std::string &found, const std::string &expected) const {
    throw Failure(
        fmt::format("{}: {} {}, expected {}", *file_, name_.empty() ? "the file's value" : name_, found, expected));
}

} // namespace program::report
