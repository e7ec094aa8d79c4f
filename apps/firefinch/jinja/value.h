// What a template computes with: undefined, none, booleans, whole numbers, text, lists and maps.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace program::jinja {

// One sentence that begins with the line it is about.
class TemplateError : public std::runtime_error {
  public:
    TemplateError(int line, const std::string &what);
};

struct Undefined {
    friend bool operator==(Undefined, Undefined) = default;
};
struct None {
    friend bool operator==(None, None) = default;
};

class Value {
  public:
    using List = std::vector<Value>;
    using Map = std::vector<std::pair<std::string, Value>>; // in the order they were put in; there are never many

    Value() = default; // undefined
    Value(None) : data_(None{}) {}
    Value(bool truth) : data_(truth) {}
    Value(std::int64_t number) : data_(number) {}
    Value(std::string text) : data_(std::make_shared<const std::string>(std::move(text))) {}
    Value(const char *text) : Value(std::string(text)) {}
    Value(List list);
    Value(Map map);
    // A map that templates may change, for all who hold a copy of the value.
    static Value make_namespace(Map fields);

    // nullptr if it is something else
    const std::string *text() const;
    const std::int64_t *number() const { return std::get_if<std::int64_t>(&data_); }
    const bool *truth() const { return std::get_if<bool>(&data_); }
    const List *list() const;
    Map *map() const;
    bool undefined() const { return std::holds_alternative<Undefined>(data_); }
    bool none() const { return std::holds_alternative<None>(data_); }

    // As Python's: nothing, zero and what is empty is false.
    explicit operator bool() const;
    bool operator==(const Value &other) const;
    // For {{ }} and ~: undefined is nothing. Lists and maps have no text here.
    std::string to_text(int line) const;
    const char *kind() const; // "a list", for messages

    // How deep lists and maps are nested in it; a namespace counts as deeper than may be put into anything, so that a
    // template builds no chains, whose end would be as deep a recursion, nor rings.
    static constexpr int kDeepestItem = 8;
    int depth() const { return depth_; }

    const Value *find(std::string_view key) const; // in a map; nullptr if it is none or has none
    void put(std::string_view key, Value value);   // into a map

  private:
    // Copies share what is large.
    std::variant<Undefined, None, bool, std::int64_t, std::shared_ptr<const std::string>, std::shared_ptr<const List>,
                 std::shared_ptr<Map>>
        data_;
    int depth_ = 0;
};

} // namespace program::jinja
