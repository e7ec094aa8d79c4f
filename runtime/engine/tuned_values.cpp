#include "runtime/engine/tuned_values.h"

#include <fmt/format.h>

namespace ff::engine {
namespace {

using Json = nlohmann::ordered_json;
constexpr DeviceFile kFile{.name = "tuned", .schema = "firefinch-tuned/1", .list = "tuned"};
constexpr std::size_t kMostEntries = 4096, kMostValues = 8, kMostKey = 200;

std::optional<gpu::DeviceTraits::Tuned> tuned_of(const Json &entry) {
    if (!entry.is_object()) return std::nullopt;
    gpu::DeviceTraits::Tuned tuned{string_of(entry, "key"), {}};
    const auto values = entry.find("values");
    if (tuned.key.empty() || tuned.key.size() > kMostKey || values == entry.end() || !values->is_array() ||
        values->size() > kMostValues)
        return std::nullopt;
    for (const Json &value : *values) {
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 65536) return std::nullopt;
        tuned.values.push_back(value.get<std::uint32_t>());
    }
    return tuned;
}

} // namespace

TunedValues read_tuned_values(const std::string &directory, const gpu::CacheIdentity &identity, const LogFunction &log) {
    TunedValues all;
    const std::optional<Json> entries = read_entries(kFile, directory, identity, log);
    if (!entries) return all;
    std::size_t ignored = 0;
    for (const Json &entry : *entries) {
        std::optional<gpu::DeviceTraits::Tuned> tuned = tuned_of(entry);
        if (tuned && all.size() < kMostEntries) all.push_back(std::move(*tuned));
        else ++ignored;
    }
    if (ignored > 0)
        warn(kFile, directory, identity, log, fmt::format("entries that are no tuned values are ignored ({})", ignored));
    return all;
}

Result<void> write_tuned_values(const std::string &directory, const gpu::CacheIdentity &identity, const TunedValues &values) {
    Json entries = Json::array();
    for (const gpu::DeviceTraits::Tuned &each : values) entries.push_back({{"key", each.key}, {"values", each.values}});
    return write_entries(kFile, directory, identity, std::move(entries));
}

} // namespace ff::engine
