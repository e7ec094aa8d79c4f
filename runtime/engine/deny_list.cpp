#include "runtime/engine/deny_list.h"

#include "runtime/engine/device_file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ff::engine {
namespace {

using Json = nlohmann::ordered_json;
constexpr DeviceFile kFile{.name = "denied", .schema = "firefinch-denied/1", .list = "denied"};
constexpr std::size_t kMostReason = 300;

std::string hash_text(std::uint64_t hash) {
    return fmt::format("{:016x}", hash);
}

std::optional<DeniedVariant> denied_of(const Json &entry) {
    if (!entry.is_object()) return std::nullopt;
    const std::string name = string_of(entry, "variant"), shader = string_of(entry, "shader");
    DeniedVariant denied;
    const auto variants = kernels::all_variants();
    const auto found =
        std::ranges::find_if(variants, [&](const kernels::Variant &variant) { return kernels::full_name(variant) == name; });
    const auto [end, error] = std::from_chars(shader.data(), shader.data() + shader.size(), denied.shader, 16);
    if (found == variants.end() || shader.size() != 16 || error != std::errc{} || end != shader.data() + shader.size())
        return std::nullopt;
    denied.variant = &*found;
    denied.why = string_of(entry, "why").substr(0, kMostReason);
    std::ranges::replace_if(
        denied.why, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return denied;
}

} // namespace

std::uint64_t shader_hash(std::span<const std::uint32_t> spirv) { // FNV-1a
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const std::byte byte : std::as_bytes(spirv)) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3ULL;
    return hash;
}

DenyList read_deny_list(const std::string &directory, const gpu::CacheIdentity &identity, const LogFunction &log) {
    DenyList list;
    const std::optional<Json> entries = read_entries(kFile, directory, identity, log);
    if (!entries) return list;
    list.tested = true;
    std::size_t unknown = 0;
    for (const Json &entry : *entries) {
        std::optional<DeniedVariant> denied = denied_of(entry);
        if (denied) list.denied.push_back(std::move(*denied));
        else ++unknown;
    }
    if (unknown > 0)
        warn(kFile, directory, identity, log,
             fmt::format("{} entries name no kernel variant of this build, and are ignored", unknown));
    return list;
}

Result<void> write_deny_list(const std::string &directory, const gpu::CacheIdentity &identity,
                             std::span<const DeniedVariant> denied) {
    Json entries = Json::array();
    for (const DeniedVariant &each : denied)
        entries.push_back({{"variant", kernels::full_name(*each.variant)},
                           {"shader", hash_text(each.shader)},
                           {"why", each.why.substr(0, kMostReason)}});
    return write_entries(kFile, directory, identity, std::move(entries));
}

} // namespace ff::engine
