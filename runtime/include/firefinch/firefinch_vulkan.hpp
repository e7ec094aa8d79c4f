// firefinch_vulkan.h for C++17 and later, as firefinch.hpp is for firefinch.h.
#ifndef FIREFINCH_VULKAN_HPP
#define FIREFINCH_VULKAN_HPP

#include <firefinch/firefinch.hpp>
#include <firefinch/firefinch_vulkan.h>

namespace firefinch {

inline ff_vulkan_device vulkan_device() {
    return detail::sized<ff_vulkan_device>();
}

// What to enable on a device, if it may be.
class DeviceRequirements {
  public:
    explicit DeviceRequirements(const ff_vulkan_device &host)
        : handle_(detail::create<ff_device_requirements>(ff_device_requirements_create, &host)) {}
    ff_device_requirements_info info() const {
        return detail::fetch<ff_device_requirements_info>(ff_device_requirements_get, get());
    }
    // In the structures that `chain` has; returns how many features found none.
    std::uint32_t enable(VkPhysicalDeviceFeatures2 &chain) const {
        std::uint32_t missing = 0;
        detail::check(ff_device_requirements_enable, get(), &chain, &missing);
        return missing;
    }
    const ff_device_requirements *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_device_requirements, ff_device_requirements_destroy> handle_;
};

} // namespace firefinch

#endif
