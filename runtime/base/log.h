// The library never prints: what it has to say goes to a function the caller gave, or nowhere.
#pragma once

#include <functional>
#include <string_view>

namespace ff {

enum class LogLevel : int { debug = 0, info = 1, warning = 2, error = 3 };
using LogFunction = std::function<void(LogLevel, std::string_view message)>;

// Long work reports how far it is; returning false asks it to stop, which fails it with Status::cancelled.
// `stage` is a short phrase such as "uploading weights"; done and total are in the stage's own unit (bytes, pipelines).
using ProgressFunction = std::function<bool(std::string_view stage, unsigned long long done, unsigned long long total)>;

} // namespace ff
