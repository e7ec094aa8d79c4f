// The wall between C++ and C: a body returns a Result, the caller gets a status and a sentence. Nothing is thrown
// across.
#pragma once

#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/include/firefinch/firefinch.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>

namespace ff::api {

inline ff_status report(ff_error *error, Status status, std::string_view message) noexcept {
    if (error) {
        error->status = static_cast<ff_status>(status);
        const std::size_t count = std::min(message.size(), sizeof error->message - 1);
        std::memcpy(error->message, message.data(), count);
        error->message[count] = '\0';
    }
    return static_cast<ff_status>(status);
}

template <class Body>
ff_status guard(ff_error *error, Body &&body) noexcept {
    try {
        Result<void> result = body();
        if (result.ok()) return report(error, Status::ok, "");
        return report(error, result.error().status, result.error().message);
    } catch (const std::bad_alloc &) {
        return report(error, Status::out_of_host_memory, "out of host memory");
    } catch (const std::exception &exception) {
        return report(error, Status::internal, exception.what());
    } catch (...) {
        return report(error, Status::internal, "an unknown exception");
    }
}

// A struct of the caller's, which may be older or newer than ours: the fields both know are copied, the rest keep the
// default of ours.
template <class Struct>
Struct from_caller(const Struct *given, Struct defaults) noexcept {
    if (given) std::memcpy(&defaults, given, std::min<std::size_t>(given->struct_size, sizeof(Struct)));
    defaults.struct_size = sizeof(Struct);
    return defaults;
}
template <class Struct>
void to_caller(const Struct &ours, Struct *given) noexcept {
    const std::uint32_t size = given->struct_size;
    std::memcpy(given, &ours, std::min<std::size_t>(size, sizeof(Struct)));
    given->struct_size = size;
}

inline LogFunction log_function(ff_log_callback callback, void *payload) {
    if (!callback) return {};
    auto one_at_a_time = std::make_shared<std::recursive_mutex>(); // a callback may call us
    return [callback, payload, one_at_a_time](LogLevel level, std::string_view message) {
        const std::lock_guard lock(*one_at_a_time);
        callback(payload, static_cast<int>(level), std::string(message).c_str());
    };
}

inline ProgressFunction progress_function(ff_progress_callback callback, void *payload) {
    if (!callback) return {};
    return [callback, payload](std::string_view stage, unsigned long long done, unsigned long long total) {
        return callback(payload, std::string(stage).c_str(), done, total) == 0;
    };
}

// As much of it as there is room for, with a terminator.
inline void copy_text(std::string_view text, char *out, std::size_t capacity) noexcept {
    if (!out || capacity == 0) return;
    const std::size_t size = std::min(text.size(), capacity - 1);
    std::memcpy(out, text.data(), size);
    out[size] = '\0';
}

inline Error null_argument(std::string_view name) {
    return Error{Status::argument, std::string(name) + " must not be NULL"};
}

} // namespace ff::api
