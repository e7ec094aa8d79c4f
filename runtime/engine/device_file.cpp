#include "runtime/engine/device_file.h"

#include <filesystem>
#include <fmt/format.h>

namespace ff::engine {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kMostBytes = 1 << 20;

std::string file_name(const DeviceFile &file, const gpu::CacheIdentity &identity) {
    return fmt::format("{}-{}.json", file.name, identity.key());
}

} // namespace

std::string string_of(const Json &object, const char *key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void warn(const DeviceFile &file, const std::string &directory, const gpu::CacheIdentity &identity, const LogFunction &log,
          std::string_view what) {
    if (log)
        log(LogLevel::warning,
            fmt::format("{}: {}", (std::filesystem::path(directory) / file_name(file, identity)).string(), what));
}

std::optional<Json> read_entries(const DeviceFile &file, const std::string &directory, const gpu::CacheIdentity &identity,
                                 const LogFunction &log) {
    if (directory.empty()) return std::nullopt;
    const auto ignore = [&](std::string_view why) {
        warn(file, directory, identity, log, fmt::format("{}; it is ignored", why));
        return std::nullopt;
    };
    const Result<std::optional<std::vector<std::byte>>> read =
        gpu::read_cache_file((std::filesystem::path(directory) / file_name(file, identity)).string());
    if (!read.ok()) return ignore("it cannot be read");
    if (!*read) return std::nullopt;
    const std::vector<std::byte> &bytes = **read;
    if (bytes.size() > kMostBytes) return ignore("it is too large");
    const auto *text = reinterpret_cast<const char *>(bytes.data());
    // The parser recurses: brackets that nest deeper than anything of ours end it.
    int depth = 0, deepest = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        depth += text[i] == '[' || text[i] == '{';
        depth -= text[i] == ']' || text[i] == '}';
        deepest = std::max(deepest, depth);
    }
    const Json json = deepest > 64 ? Json() : Json::parse(text, text + bytes.size(), nullptr, false);
    const std::string list(file.list);
    if (!json.is_object() || string_of(json, "schema") != file.schema || !json.contains(list) || !json[list].is_array())
        return ignore("it is damaged");
    if (string_of(json, "device") != identity.key()) return ignore("it is of another device or driver");
    return json[list];
}

Result<void> write_entries(const DeviceFile &file, const std::string &directory, const gpu::CacheIdentity &identity,
                           Json entries) {
    Json json = {{"schema", file.schema},
                 {"device", identity.key()},
                 {"vendor_id", identity.vendor_id},
                 {"device_id", identity.device_id},
                 {"driver_version", identity.driver_version},
                 {"device_uuid", identity.device_uuid}};
    json[std::string(file.list)] = std::move(entries);
    const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    return gpu::write_cache_file(directory, file_name(file, identity), std::as_bytes(std::span(text)));
}

} // namespace ff::engine
