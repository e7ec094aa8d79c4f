#include "value.h"

#include <algorithm>

#include <fmt/format.h>

namespace program::jinja {

TemplateError::TemplateError(int line, const std::string &what)
    : std::runtime_error(fmt::format("line {}: {}", line, what)) {}

Value::Value(List list) : depth_(1) {
    for (const Value &item : list) depth_ = std::max(depth_, item.depth_ + 1);
    data_ = std::make_shared<const List>(std::move(list));
}

Value::Value(Map map) : depth_(1) {
    for (const auto &[name, item] : map) depth_ = std::max(depth_, item.depth_ + 1);
    data_ = std::make_shared<Map>(std::move(map));
}

Value Value::make_namespace(Map fields) {
    Value made(std::move(fields));
    made.depth_ += kDeepestItem;
    return made;
}

const std::string *Value::text() const {
    const auto *held = std::get_if<std::shared_ptr<const std::string>>(&data_);
    return held == nullptr ? nullptr : held->get();
}

const Value::List *Value::list() const {
    const auto *held = std::get_if<std::shared_ptr<const List>>(&data_);
    return held == nullptr ? nullptr : held->get();
}

Value::Map *Value::map() const {
    const auto *held = std::get_if<std::shared_ptr<Map>>(&data_);
    return held == nullptr ? nullptr : held->get();
}

Value::operator bool() const {
    if (undefined() || none()) return false;
    if (truth() != nullptr) return *truth();
    if (number() != nullptr) return *number() != 0;
    if (text() != nullptr) return !text()->empty();
    if (list() != nullptr) return !list()->empty();
    return !map()->empty();
}

bool Value::operator==(const Value &other) const {
    if (text() != nullptr && other.text() != nullptr) return *text() == *other.text();
    if (list() != nullptr && other.list() != nullptr) return *list() == *other.list();
    return data_ == other.data_; // a map equals only itself: none that a chat template compares, and no cycle to follow
}

std::string Value::to_text(int line) const {
    if (undefined()) return {};
    if (none()) return "None";
    if (truth() != nullptr) return *truth() ? "True" : "False";
    if (number() != nullptr) return std::to_string(*number());
    if (text() != nullptr) return *text();
    throw TemplateError(line, fmt::format("{} is used as text; only text and numbers can be written", kind()));
}

const char *Value::kind() const {
    constexpr const char *kKinds[] = {
        "something undefined", "none", "a boolean", "a number", "a text", "a list", "a map"};
    return kKinds[data_.index()];
}

const Value *Value::find(std::string_view key) const {
    if (map() != nullptr)
        for (const auto &[name, value] : *map())
            if (name == key) return &value;
    return nullptr;
}

void Value::put(std::string_view key, Value value) {
    for (auto &[name, old] : *map())
        if (name == key) {
            old = std::move(value);
            return;
        }
    map()->emplace_back(key, std::move(value));
}

} // namespace program::jinja
