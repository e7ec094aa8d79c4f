// What the host could still hand out: the memory of a software driver.
#pragma once

#include <cstdint>

namespace ff::gpu {

std::uint64_t available_host_bytes(); // 0 where the system does not tell

} // namespace ff::gpu
