// What is remembered about a device with a driver, as JSON in a file beside the pipeline cache: NAME-<device and driver>.json.
// Nothing in it is believed without a check: it is the user's, not the program's.
#pragma once

#include "runtime/base/log.h"
#include "runtime/gpu/pipeline_cache.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace ff::engine {

struct DeviceFile {
    std::string_view name, schema; // "denied", "firefinch-denied/1"
    std::string_view list;         // the member that is an array of the entries
};

// The entries. Nothing where there is no directory or no file, or where the file is damaged, or of another schema, device or
// driver, of which a warning is logged.
std::optional<nlohmann::ordered_json> read_entries(const DeviceFile &file, const std::string &directory,
                                                   const gpu::CacheIdentity &identity, const LogFunction &log);
Result<void> write_entries(const DeviceFile &file, const std::string &directory, const gpu::CacheIdentity &identity,
                           nlohmann::ordered_json entries);
// A warning that names the file.
void warn(const DeviceFile &file, const std::string &directory, const gpu::CacheIdentity &identity, const LogFunction &log,
          std::string_view what);

// A member that is a string; empty if it is none.
std::string string_of(const nlohmann::ordered_json &object, const char *key);

} // namespace ff::engine
