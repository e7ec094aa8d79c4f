/* volk, compiled into the library, and one addition: a device table loaded through a given instance's own
   vkGetDeviceProcAddr, so that nothing global is written when a second instance appears. */
#include <volk.c>

struct ff_gpu_loader {
    VkDevice device;
    PFN_vkGetDeviceProcAddr get;
};

static PFN_vkVoidFunction ff_gpu_load(void *context, const char *name)
{
    struct ff_gpu_loader *loader = (struct ff_gpu_loader *)context;
    return loader->get(loader->device, name);
}

void ff_gpu_load_device_table(struct VolkDeviceTable *table, VkDevice device, PFN_vkGetDeviceProcAddr get)
{
    struct ff_gpu_loader loader = {device, get};
    volkGenLoadDeviceTable(table, &loader, ff_gpu_load);
}
