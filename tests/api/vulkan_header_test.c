/* The second public header from C99, alone, and every function of it called with what it must refuse. */
#include <firefinch/firefinch_vulkan.h>

int vulkan_header_failures(void); /* of borrowed_device_test.cpp */

int vulkan_header_failures(void) {
    ff_vulkan_device host = FF_VULKAN_DEVICE_INIT;
    ff_device_requirements_info info = FF_DEVICE_REQUIREMENTS_INFO_INIT;
    ff_device_requirements *requirements = NULL;
    VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, NULL, {0}};
    ff_slice_order order = FF_SLICE_ORDER_INIT;
    ff_slice_progress progress = FF_SLICE_PROGRESS_INIT;
    ff_semaphore_at at = {VK_NULL_HANDLE, 0};
    ff_buffer_range range = {VK_NULL_HANDLE, 0, 0};
    uint32_t missing = 7;
    ff_error error;
    int failures = 0;
    failures += ff_device_requirements_create(NULL, &host, &error) != FF_ERROR_ARGUMENT;
    failures += ff_device_requirements_create(&requirements, NULL, &error) != FF_ERROR_ARGUMENT;
    failures += ff_device_requirements_create(&requirements, &host, &error) != FF_ERROR_ARGUMENT;
    failures += ff_device_requirements_get(NULL, &info, &error) != FF_ERROR_ARGUMENT;
    failures += ff_device_requirements_enable(NULL, &features, &missing, &error) != FF_ERROR_ARGUMENT;
    ff_device_requirements_destroy(NULL);
    failures += ff_session_submit(NULL, 1000, &order, &progress, &error) != FF_ERROR_ARGUMENT;
    failures += ff_session_record(NULL, VK_NULL_HANDLE, 1000, &progress, &error) != FF_ERROR_ARGUMENT;
    failures += ff_session_retire(NULL, 1, &error) != FF_ERROR_ARGUMENT;
    failures += ff_session_timeline(NULL, &at, &error) != FF_ERROR_ARGUMENT;
    failures += ff_session_buffer(NULL, FF_SESSION_LOGITS, 0, &range, &error) != FF_ERROR_ARGUMENT;
    failures += ff_session_keep_hidden(NULL, 1, &error) != FF_ERROR_ARGUMENT;
    return failures + (requirements != NULL) + (missing != 7);
}
