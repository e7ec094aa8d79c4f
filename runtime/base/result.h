// A value or the sentence that says why there is none. std::expected is C++23; this is the part of it we use.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace ff {

// What kind of failure it was; numbers are those of ff_status in firefinch.h and never change their meaning.
enum class Status : int {
    ok = 0,
    argument = -1,    // the caller passed something out of range
    io = -2,          // a file cannot be opened, read or written
    model_file = -3,  // a file's content is damaged or inconsistent
    unsupported = -4, // understood, but this build or device cannot do it
    out_of_host_memory = -5,
    out_of_device_memory = -6, // asked for more than the device, or the budget, has
    no_device = -7,            // no Vulkan driver, or none that matches
    device = -8,               // a Vulkan call failed
    device_lost = -9,
    cancelled = -10,
    internal = -11, // our own mistake
};

// The message is one sentence made where the facts are: what, where, found, expected, what to do.
struct Error {
    Status status;
    std::string message;
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    template <class U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
        Result(U &&value)
        : content_(std::in_place_index<0>, std::forward<U>(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return content_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T &value() & {
        assert(ok());
        return *std::get_if<0>(&content_);
    }
    const T &value() const & {
        assert(ok());
        return *std::get_if<0>(&content_);
    }
    T &&value() && {
        assert(ok());
        return std::move(*std::get_if<0>(&content_));
    }
    T *operator->() { return &value(); }
    const T *operator->() const { return &value(); }
    T &operator*() & { return value(); }
    const T &operator*() const & { return value(); }

    const Error &error() const & {
        assert(!ok());
        return *std::get_if<1>(&content_);
    }
    Error &&error() && {
        assert(!ok());
        return std::move(*std::get_if<1>(&content_));
    }

  private:
    std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error &error() const & {
        assert(!ok());
        return *error_;
    }
    Error &&error() && {
        assert(!ok());
        return std::move(*error_);
    }

  private:
    std::optional<Error> error_;
};

} // namespace ff

#define FF_CONCAT_(a, b) a##b
#define FF_CONCAT(a, b) FF_CONCAT_(a, b)

// Returns the error of `expression`, a Result, to the caller.
#define FF_TRY(expression)                                                                                             \
    do {                                                                                                               \
        auto ff_result_ = (expression);                                                                                \
        if (!ff_result_.ok()) return std::move(ff_result_).error();                                                    \
    } while (false)

// FF_TRY_ASSIGN(auto x, expression): declares x with the value, or returns the error.
#define FF_TRY_ASSIGN(declaration, expression)                                                                         \
    FF_TRY_ASSIGN_(FF_CONCAT(ff_result_, __COUNTER__), declaration, expression)
#define FF_TRY_ASSIGN_(temporary, declaration, expression)                                                             \
    auto temporary = (expression);                                                                                     \
    if (!temporary.ok()) return std::move(temporary).error();                                                          \
    declaration = std::move(temporary).value()
