// The file behind a VkPipelineCache. Drivers have crashed on damaged cache data, so it travels in an envelope of ours:
// who made it, how long it is, and a checksum.
#pragma once

#include "runtime/gpu/device.h"

namespace ff::gpu {

// What a cache belongs to: another driver, version or GPU must not see it.
struct CacheIdentity {
    std::uint32_t vendor_id = 0, device_id = 0, driver_version = 0;
    std::array<std::uint8_t, VK_UUID_SIZE> cache_uuid{};
    std::string device_uuid;

    std::string key() const;       // 16 hexadecimal digits, a hash of the above
    std::string file_name() const; // "pipelines-<key>.bin"
};
CacheIdentity cache_identity(const Device &device);
CacheIdentity cache_identity(const Instance &instance, const DeviceInfo &device);

std::vector<std::byte> seal_cache(const CacheIdentity &identity, std::span<const std::byte> data);
// The data inside, or why the file is not to be used (Status::io).
Result<std::span<const std::byte>> open_cache(const CacheIdentity &identity, std::span<const std::byte> file);

// Nothing if there is no such file; one that is there and cannot be read is an error.
Result<std::optional<std::vector<std::byte>>> read_cache_file(const std::string &path);
// Writes beside the file and renames, so that a reader sees the old one or the new one.
Result<void> write_cache_file(const std::string &directory, const std::string &name, std::span<const std::byte> bytes);

} // namespace ff::gpu
