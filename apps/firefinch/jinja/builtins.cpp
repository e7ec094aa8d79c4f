#include "builtins.h"

#include <algorithm>

#include <fmt/format.h>

namespace program::jinja {
namespace {

constexpr std::string_view kSpace = " \t\n\r\v\f";

const std::string &text_of(const Value &value, const std::string &user, int line) {
    if (value.text() == nullptr)
        throw TemplateError(line, fmt::format("{} wants a text, and was given {}", user, value.kind()));
    return *value.text();
}

const std::string &argument_text(const Values &arguments, std::size_t index, const std::string &user, int line) {
    if (index >= arguments.size())
        throw TemplateError(
            line, fmt::format("{} wants {} argument(s), and was given {}", user, index + 1, arguments.size()));
    return text_of(arguments[index], user, line);
}

std::string stripped(std::string_view text, std::string_view characters, bool left, bool right) {
    if (left) text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
    if (right) text = text.substr(0, text.find_last_not_of(characters) + 1);
    return std::string(text);
}

// ASCII letters only, as no chat template needs more.
std::string mapped(std::string text, char low, char high, int shift) {
    for (char &c : text)
        if (c >= low && c <= high) c = static_cast<char>(c + shift);
    return text;
}
std::string lower(std::string text) {
    return mapped(std::move(text), 'A', 'Z', 'a' - 'A');
}
std::string upper(std::string text) {
    return mapped(std::move(text), 'a', 'z', 'A' - 'a');
}
std::string capitalized(const std::string &text) {
    return upper(text.substr(0, 1)) + (text.empty() ? "" : lower(text.substr(1)));
}

std::string replaced(const std::string &text, const std::string &from, const std::string &to, int line,
                     Budget &budget) {
    if (from.empty()) throw TemplateError(line, "replace wants a text to look for that is not empty");
    std::string out;
    std::size_t begin = 0;
    for (std::size_t at = 0; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size()) {
        out.append(text, begin, at - begin).append(to);
        budget.check_text(line, out.size() > text.size() ? out.size() / 16 : 0); // it may grow
    }
    out.append(text, begin);
    budget.check_text(line, out.size());
    return out;
}

Value split(const std::string &text, const Values &arguments, int line, Budget &budget) {
    Value::List pieces;
    budget.spend(line, text.size());
    if (arguments.empty()) { // at runs of white space
        for (std::size_t begin = 0; (begin = text.find_first_not_of(kSpace, begin)) != std::string::npos;) {
            const std::size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
            pieces.emplace_back(text.substr(begin, end - begin));
            budget.spend(line);
            begin = end;
        }
        return pieces;
    }
    const std::string &separator = argument_text(arguments, 0, "split", line);
    if (separator.empty()) throw TemplateError(line, "split wants a separator that is not empty");
    std::size_t most = arguments.size() > 1 && arguments[1].number() != nullptr && *arguments[1].number() >= 0
                           ? static_cast<std::size_t>(*arguments[1].number())
                           : std::string::npos;
    std::size_t begin = 0;
    for (std::size_t at = 0; most > 0 && (at = text.find(separator, begin)) != std::string::npos; --most) {
        pieces.emplace_back(text.substr(begin, at - begin));
        budget.spend(line);
        begin = at + separator.size();
    }
    pieces.emplace_back(text.substr(begin));
    return pieces;
}

Value length(const Value &value, int line) {
    if (value.text() != nullptr) // in characters, as Python's
        return static_cast<std::int64_t>(std::count_if(value.text()->begin(), value.text()->end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
        }));
    if (value.list() != nullptr) return static_cast<std::int64_t>(value.list()->size());
    if (value.map() != nullptr) return static_cast<std::int64_t>(value.map()->size());
    throw TemplateError(line, fmt::format("{} has no length", value.kind()));
}

Value joined(const Value &value, const Values &arguments, int line, Budget &budget) {
    if (value.list() == nullptr) throw TemplateError(line, fmt::format("join wants a list, not {}", value.kind()));
    const std::string between = arguments.empty() ? "" : argument_text(arguments, 0, "join", line);
    std::string out;
    for (std::size_t i = 0; i < value.list()->size(); ++i) {
        out += (i > 0 ? between : "") + (*value.list())[i].to_text(line);
        budget.check_text(line, out.size() / 16);
    }
    budget.check_text(line, out.size());
    return out;
}

} // namespace

Value apply_filter(const std::string &name, const Value &value, const Values &arguments, int line, Budget &budget) {
    if (name == "default" || name == "d") {
        const bool also_false = arguments.size() > 1 && bool(arguments[1]);
        if (!value.undefined() && !(also_false && !bool(value))) return value;
        return arguments.empty() ? Value("") : arguments[0];
    }
    if (name == "length" || name == "count") return length(value, line);
    if (name == "join") return joined(value, arguments, line, budget);
    if (name == "string") return value.to_text(line);
    if (name == "safe") return value;
    if (name == "first" || name == "last") {
        if (value.list() == nullptr)
            throw TemplateError(line, fmt::format("{} wants a list, not {}", name, value.kind()));
        if (value.list()->empty()) return {};
        return name == "first" ? value.list()->front() : value.list()->back();
    }
    const bool on_text =
        name == "trim" || name == "upper" || name == "lower" || name == "capitalize" || name == "replace";
    if (!on_text)
        throw TemplateError(line,
                            fmt::format("the filter '{}' is not supported; known are trim, upper, lower, capitalize, "
                                        "replace, length, count, join, first, last, default, string, safe",
                                        name));
    const std::string text = value.to_text(line);
    budget.check_text(line, text.size());
    if (name == "upper") return upper(text);
    if (name == "lower") return lower(text);
    if (name == "capitalize") return capitalized(text);
    if (name == "replace")
        return replaced(text, argument_text(arguments, 0, name, line), argument_text(arguments, 1, name, line), line,
                        budget);
    return stripped(text, arguments.empty() ? kSpace : argument_text(arguments, 0, name, line), true, true);
}

bool apply_test(const std::string &name, const Value &value, const Values &arguments, int line) {
    if (name == "defined") return !value.undefined();
    if (name == "undefined") return value.undefined();
    if (name == "none") return value.none();
    if (name == "true" || name == "false") return value.truth() != nullptr && *value.truth() == (name == "true");
    if (name == "boolean") return value.truth() != nullptr;
    if (name == "string") return value.text() != nullptr;
    if (name == "number" || name == "integer") return value.number() != nullptr;
    if (name == "mapping") return value.map() != nullptr;
    if (name == "sequence" || name == "iterable")
        return value.list() != nullptr || value.text() != nullptr || value.map() != nullptr;
    if ((name == "equalto" || name == "eq") && arguments.size() == 1) return value == arguments[0];
    if ((name == "even" || name == "odd") && value.number() != nullptr)
        return (*value.number() % 2 == 0) == (name == "even");
    throw TemplateError(line,
                        fmt::format("the test 'is {}' is not supported here; known are defined, undefined, none, true, "
                                    "false, boolean, string, number, mapping, sequence, iterable, equalto, even, odd",
                                    name));
}

Value call_method(const std::string &name, const Value &object, const Values &arguments, int line, Budget &budget) {
    if (object.map() != nullptr && name == "get" && !arguments.empty()) {
        const Value *found = object.find(text_of(arguments[0], "get", line));
        if (found != nullptr) return *found;
        return arguments.size() > 1 ? arguments[1] : Value(None{});
    }
    if (object.text() == nullptr)
        throw TemplateError(line, fmt::format("{} has no method '{}' that is supported", object.kind(), name));
    const std::string &text = *object.text();
    budget.check_text(line, text.size());
    if (name == "strip" || name == "lstrip" || name == "rstrip")
        return stripped(text, arguments.empty() ? kSpace : argument_text(arguments, 0, name, line), name != "rstrip",
                        name != "lstrip");
    if (name == "split") return split(text, arguments, line, budget);
    if (name == "startswith") return text.starts_with(argument_text(arguments, 0, name, line));
    if (name == "endswith") return text.ends_with(argument_text(arguments, 0, name, line));
    if (name == "upper") return upper(text);
    if (name == "lower") return lower(text);
    if (name == "capitalize") return capitalized(text);
    if (name == "replace")
        return replaced(text, argument_text(arguments, 0, name, line), argument_text(arguments, 1, name, line), line,
                        budget);
    throw TemplateError(line,
                        fmt::format("the method '.{}()' is not supported; known are strip, lstrip, rstrip, split, "
                                    "startswith, endswith, upper, lower, capitalize, replace, get",
                                    name));
}

bool contains(const Value &container, const Value &item, int line, Budget &budget) {
    if (container.text() != nullptr) {
        budget.spend(line, container.text()->size());
        return container.text()->find(text_of(item, "'in' a text", line)) != std::string::npos;
    }
    if (container.list() != nullptr) {
        budget.spend(line, container.list()->size() * 64);
        return std::find(container.list()->begin(), container.list()->end(), item) != container.list()->end();
    }
    if (container.map() != nullptr) return container.find(text_of(item, "'in' a map", line)) != nullptr;
    throw TemplateError(line, fmt::format("'in' wants a text, a list or a map, and was given {}", container.kind()));
}

} // namespace program::jinja
