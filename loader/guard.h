// Where exceptions of the libraries beneath end: every public function of the loader answers with a Result.
#pragma once

#include "loader/text.h"
#include "runtime/base/result.h"

#include <exception>
#include <fmt/format.h>
#include <new>
#include <string_view>

namespace ff::loader {

// Runs body(), which returns a Result; what it throws becomes an Error "{name}: ... while {doing}".
template <class Body>
auto guarded(std::string_view name, std::string_view doing, Body &&body) -> decltype(body()) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return Error{Status::out_of_host_memory, fmt::format("{}: not enough memory while {}", printable(name), doing)};
    } catch (const std::exception &e) {
        return Error{Status::internal,
                     fmt::format("{}: unexpected failure while {}: {}", printable(name), doing, printable(e.what()))};
    }
}

} // namespace ff::loader
