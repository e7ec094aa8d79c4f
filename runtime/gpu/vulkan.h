// Vulkan as the whole runtime sees it: no prototypes, functions come from the device's own table (volk).
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <volk.h>
