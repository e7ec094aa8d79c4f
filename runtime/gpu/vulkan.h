// Vulkan as the whole runtime sees it: no prototypes, functions come from tables of the instance and the device (functions.h).
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan.h>
