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

// As Session::advance, after and before these semaphores.
inline ff_slice_progress submit(Session &session, std::uint64_t budget_us, const std::vector<ff_semaphore_at> &wait,
                                const std::vector<ff_semaphore_at> &signal) {
    auto order = detail::sized<ff_slice_order>();
    order.wait = wait.data();
    order.wait_count = wait.size();
    order.signal = signal.data();
    order.signal_count = signal.size();
    return detail::fetch<ff_slice_progress>(ff_session_submit, session.get(), budget_us, &order);
}
// The same into a command buffer; retire() when that has finished.
inline ff_slice_progress record(Session &session, VkCommandBuffer commands, std::uint64_t budget_us) {
    return detail::fetch<ff_slice_progress>(ff_session_record, session.get(), commands, budget_us);
}
inline void retire(Session &session, std::uint64_t slice) {
    detail::check(ff_session_retire, session.get(), slice);
}
// What comes after the session's last submitted slice waits for this.
inline ff_semaphore_at timeline(Session &session) {
    ff_semaphore_at at{};
    detail::check(ff_session_timeline, session.get(), &at);
    return at;
}
inline void keep_hidden(Session &session, bool keep) {
    detail::check(ff_session_keep_hidden, session.get(), keep ? 1 : 0);
}
inline ff_buffer_range buffer(Session &session, ff_session_data data, std::uint32_t layer = 0) {
    ff_buffer_range range{};
    detail::check(ff_session_buffer, session.get(), data, layer, &range);
    return range;
}

} // namespace firefinch

#endif
