#include "runtime/gpu/timestamps.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace ff::gpu {

struct Timestamps::Impl {
    std::shared_ptr<Device> device;
    VkQueryPool pool = VK_NULL_HANDLE;
    std::uint32_t count = 0;
    ~Impl() {
        if (pool != VK_NULL_HANDLE) device->vk().vkDestroyQueryPool(device->handle(), pool, nullptr);
    }
};

Timestamps::Timestamps() : impl_(std::make_unique<Impl>()) {}
Timestamps::~Timestamps() = default;
VkQueryPool Timestamps::pool() const {
    return impl_->pool;
}
std::uint32_t Timestamps::count() const {
    return impl_->count;
}

Result<std::unique_ptr<Timestamps>> Timestamps::create(std::shared_ptr<Device> device, std::uint32_t count) {
    if (count == 0) return Error{Status::argument, "timestamps: a count of zero was asked for"};
    if (device->traits().timestamp_valid_bits == 0)
        return Error{Status::unsupported,
                     fmt::format("{} has no timestamps on its compute queue", device->info().name)};
    std::unique_ptr<Timestamps> out(new Timestamps);
    VkQueryPoolCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = count;
    const VkResult result = device->vk().vkCreateQueryPool(device->handle(), &info, nullptr, &out->impl_->pool);
    if (result != VK_SUCCESS) {
        out->impl_->pool = VK_NULL_HANDLE;
        return device->error(result, "vkCreateQueryPool", "timestamps");
    }
    out->impl_->device = std::move(device);
    out->impl_->count = count;
    return out;
}

Result<std::vector<double>> Timestamps::read_microseconds() const {
    return read_microseconds(0, impl_->count);
}

Result<std::vector<double>> Timestamps::read_microseconds(std::uint32_t first, std::uint32_t count) const {
    // Asking with availability and trying again, not VK_QUERY_RESULT_WAIT_BIT: that waits for ever if a timestamp
    // was never submitted.
    constexpr auto kPatience = std::chrono::seconds(30);
    struct Query {
        std::uint64_t ticks, available;
    };
    const Device &device = *impl_->device;
    std::vector<Query> queries(count, Query{0, 0});
    const auto start = std::chrono::steady_clock::now();
    while (true) {
        const VkResult result = device.vk().vkGetQueryPoolResults(
            device.handle(), impl_->pool, first, count, queries.size() * sizeof(Query), queries.data(), sizeof(Query),
            VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
        if (result == VK_SUCCESS) {
            bool all = true;
            for (const Query &query : queries) all = all && query.available != 0;
            if (all) break;
        } else if (result != VK_NOT_READY) {
            return device.error(result, "vkGetQueryPoolResults", "timestamps");
        }
        if (std::chrono::steady_clock::now() - start > kPatience)
            return Error{Status::device,
                         "timestamps were not written within 30 s: was their command buffer submitted?"};
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }

    const std::uint32_t bits = device.traits().timestamp_valid_bits;
    const std::uint64_t mask = bits >= 64 ? ~0ULL : (1ULL << bits) - 1; // counters of 36 bits wrap within an hour
    std::vector<double> microseconds;
    microseconds.reserve(queries.size());
    for (const Query &query : queries)
        microseconds.push_back(static_cast<double>((query.ticks - queries.front().ticks) & mask) *
                               static_cast<double>(device.traits().timestamp_period_ns) * 1e-3);
    return microseconds;
}

} // namespace ff::gpu
