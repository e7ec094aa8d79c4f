#include "runtime/gpu/functions.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace ff::gpu {
namespace {

PFN_vkGetInstanceProcAddr open() {
#if defined(_WIN32)
    const HMODULE library = LoadLibraryA("vulkan-1.dll");
    if (library == nullptr) return nullptr;
    return reinterpret_cast<PFN_vkGetInstanceProcAddr>(
        reinterpret_cast<void *>(GetProcAddress(library, "vkGetInstanceProcAddr")));
#else
#if defined(__APPLE__)
    constexpr const char *kNames[] = {"libvulkan.dylib", "libvulkan.1.dylib", "libMoltenVK.dylib"};
#else
    constexpr const char *kNames[] = {"libvulkan.so.1", "libvulkan.so"};
#endif
    for (const char *name : kNames)
        if (void *const library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
            return reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
    return nullptr;
#endif
}

} // namespace

PFN_vkGetInstanceProcAddr system_loader() {
    static const PFN_vkGetInstanceProcAddr entry = open();
    return entry;
}

} // namespace ff::gpu
