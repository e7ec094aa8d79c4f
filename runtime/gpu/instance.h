// The Vulkan instance and the devices it sees.
#pragma once

#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/gpu/traits.h"
#include "runtime/gpu/vulkan.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ff::gpu {

enum class DeviceType : std::uint8_t { discrete, integrated, virtual_gpu, software, other };
std::string_view name_of(DeviceType type);

struct InstanceFunctions; // functions.h

struct DeviceInfo {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    std::string name, driver_name, driver_info, uuid; // uuid: 32 hexadecimal digits
    std::uint32_t driver_version = 0, api_version = 0;
    DeviceType type = DeviceType::other;
    std::uint64_t memory_bytes = 0; // of the largest device-local heap
    DeviceTraits traits;            // unmasked
};

struct InstanceOptions {
    bool validate = false; // validation layer with synchronization validation; any message counts as an error
    LogFunction log{};
};

// An instance that belongs to the program around us, made for Vulkan 1.1 or later. It is not destroyed here.
struct HostInstance {
    VkInstance handle = VK_NULL_HANDLE;
    std::uint32_t api_version = VK_API_VERSION_1_1;             // VkApplicationInfo::apiVersion it was made with
    bool debug_utils = false;                                   // VK_EXT_debug_utils is enabled
    PFN_vkGetInstanceProcAddr get_instance_proc_addr = nullptr; // nullptr: the system's loader
};

class Instance {
  public:
    // Fails with no_device (no loader, no driver) or device; with unsupported when `validate` finds no layer.
    static Result<std::shared_ptr<Instance>> create(InstanceOptions options);
    static Result<std::shared_ptr<Instance>> adopt(const HostInstance &host, LogFunction log);
    ~Instance();

    VkInstance handle() const;
    std::uint32_t api_version() const; // the lower one of the loader's and 1.3
    const InstanceFunctions &vk() const;
    const LogFunction &log() const;
    // Best first: discrete, integrated, virtual, software, then by memory. Two drivers of one GPU (same UUID) are one
    // entry, the preferred driver's: RADV before AMDVLK before AMD's proprietary one, ANV before Intel's Windows
    // driver, NVIDIA before NVK, Qualcomm before Turnip, Dozen last.
    std::span<const DeviceInfo> devices() const;
    // Empty: the best one, a software driver only where nothing else is. Otherwise an index into devices(), a part of
    // a name (case ignored), or a UUID. Fails with no_device, listing what there is.
    Result<std::size_t> choose(std::string_view selector) const;

    // Messages of the validation layers since creation; 0 without validation.
    std::uint64_t validation_messages() const;
    std::string first_validation_message() const;

  private:
    Instance();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ff::gpu
