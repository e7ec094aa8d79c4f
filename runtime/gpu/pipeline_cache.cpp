#include "runtime/gpu/pipeline_cache.h"

#include "runtime/gpu/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace ff::gpu {
namespace {

struct Envelope {
    char magic[8];
    std::uint64_t identity;
    std::uint64_t bytes;
    std::uint64_t checksum; // of the data
};
constexpr char kMagic[8] = {'f', 'f', 'p', 'i', 'p', 'e', 's', '1'};

constexpr std::uint64_t kFnvStart = 0xcbf29ce484222325ULL, kFnvPrime = 0x100000001b3ULL;

std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t hash = kFnvStart) {
    for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * kFnvPrime;
    return hash;
}

template <class T>
std::uint64_t fnv1a_of(const T &value, std::uint64_t hash) {
    return fnv1a(std::as_bytes(std::span(&value, 1)), hash);
}

std::uint64_t hash_of(const CacheIdentity &identity) {
    std::uint64_t hash = fnv1a_of(identity.vendor_id, kFnvStart);
    hash = fnv1a_of(identity.device_id, hash);
    hash = fnv1a_of(identity.driver_version, hash);
    hash = fnv1a_of(identity.cache_uuid, hash);
    return fnv1a(std::as_bytes(std::span(identity.device_uuid)), hash);
}

Error unusable(std::string_view why) {
    return {Status::io, fmt::format("pipeline cache not used: {}", why)};
}

} // namespace

std::string CacheIdentity::key() const {
    return fmt::format("{:016x}", hash_of(*this));
}

std::string CacheIdentity::file_name() const {
    return fmt::format("pipelines-{}.bin", key());
}

CacheIdentity cache_identity(const Device &device) {
    return cache_identity(device.instance(), device.info());
}

CacheIdentity cache_identity(const Instance &instance, const DeviceInfo &device) {
    VkPhysicalDeviceProperties properties{};
    instance.vk().vkGetPhysicalDeviceProperties(device.handle, &properties);
    CacheIdentity out;
    out.vendor_id = properties.vendorID;
    out.device_id = properties.deviceID;
    out.driver_version = properties.driverVersion;
    std::copy(std::begin(properties.pipelineCacheUUID), std::end(properties.pipelineCacheUUID), out.cache_uuid.begin());
    out.device_uuid = device.uuid;
    return out;
}

std::vector<std::byte> seal_cache(const CacheIdentity &identity, std::span<const std::byte> data) {
    Envelope envelope{};
    std::memcpy(envelope.magic, kMagic, sizeof(kMagic));
    envelope.identity = hash_of(identity);
    envelope.bytes = data.size();
    envelope.checksum = fnv1a(data);
    std::vector<std::byte> out(sizeof(envelope) + data.size());
    std::memcpy(out.data(), &envelope, sizeof(envelope));
    std::copy(data.begin(), data.end(), out.begin() + sizeof(envelope));
    return out;
}

Result<std::span<const std::byte>> open_cache(const CacheIdentity &identity, std::span<const std::byte> file) {
    Envelope envelope{};
    if (file.size() < sizeof(envelope)) return unusable("it is shorter than its header");
    std::memcpy(&envelope, file.data(), sizeof(envelope));
    const auto data = file.subspan(sizeof(envelope));
    if (std::memcmp(envelope.magic, kMagic, sizeof(kMagic)) != 0) return unusable("it is no firefinch pipeline cache");
    if (envelope.identity != hash_of(identity)) return unusable("another device or driver version made it");
    if (envelope.bytes != data.size())
        return unusable(fmt::format("it holds {} bytes of {}", data.size(), envelope.bytes));
    if (envelope.checksum != fnv1a(data)) return unusable("its checksum is wrong");

    // Vulkan's own header, which drivers check with varying care.
    VkPipelineCacheHeaderVersionOne header{};
    if (data.size() < sizeof(header))
        return unusable(fmt::format("its data is {} bytes, less than Vulkan's header", data.size()));
    std::memcpy(&header, data.data(), sizeof(header));
    if (header.headerSize < sizeof(header) || header.headerSize > data.size() ||
        header.headerVersion != VK_PIPELINE_CACHE_HEADER_VERSION_ONE || header.vendorID != identity.vendor_id ||
        header.deviceID != identity.device_id ||
        std::memcmp(header.pipelineCacheUUID, identity.cache_uuid.data(), VK_UUID_SIZE) != 0)
        return unusable("its Vulkan header is of another device");
    return data;
}

Result<std::optional<std::vector<std::byte>>> read_cache_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        std::error_code code;
        const bool is_there = std::filesystem::exists(path, code);
        if (!is_there && !code) return std::optional<std::vector<std::byte>>();
        return Error{Status::io, fmt::format("{} cannot be read{}", path, code ? ": " + code.message() : "")};
    }
    const std::streamoff size = file.tellg();
    constexpr std::streamoff kMost = std::streamoff{1} << 30; // of pipelines: some MB
    if (size < 0 || size > kMost) return Error{Status::io, fmt::format("{} cannot be a pipeline cache", path)};
    std::vector<std::byte> out(static_cast<std::size_t>(size));
    file.seekg(0);
    file.read(reinterpret_cast<char *>(out.data()), size);
    if (!file) return Error{Status::io, fmt::format("{} cannot be read", path)};
    return std::optional(std::move(out));
}

Result<void> write_cache_file(const std::string &directory, const std::string &name, std::span<const std::byte> bytes) {
    namespace fs = std::filesystem;
    std::error_code code;
    fs::create_directories(directory, code);
    if (code) return Error{Status::io, fmt::format("{} cannot be created: {}", directory, code.message())};
    const fs::path path = fs::path(directory) / name;
    // Two processes may save at once: each under a name of its own.
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    const fs::path temporary =
        fs::path(directory) / fmt::format("{}.{:x}.{:x}.tmp", name, now, reinterpret_cast<std::uintptr_t>(&code));
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        file.close();
        if (!file) {
            fs::remove(temporary, code);
            return Error{Status::io, fmt::format("{} cannot be written: is the disk full?", temporary.string())};
        }
    }
    fs::rename(temporary, path, code);
    if (code) {
        const std::string why = code.message();
        fs::remove(temporary, code);
        return Error{Status::io, fmt::format("{} cannot be replaced: {}", path.string(), why)};
    }
    return {};
}

} // namespace ff::gpu
