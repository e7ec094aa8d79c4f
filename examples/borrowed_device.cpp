// firefinch on a Vulkan device that the program made for itself:
//
//     borrowed_device MODEL [PROMPT]
//
// A renderer has most of this already; what it adds are the calls that begin with firefinch.
#include <firefinch/firefinch_vulkan.hpp>

#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

void must(VkResult result, const char *call) {
    if (result != VK_SUCCESS) throw std::runtime_error(std::string(call) + ": " + std::to_string(result));
}

// The program's own Vulkan objects.
struct Host {
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    std::mutex queue_mutex; // held by whoever submits: the renderer, and firefinch through the callbacks

    ~Host() {
        if (device != VK_NULL_HANDLE) vkDestroyDevice(device, nullptr);
        if (instance != VK_NULL_HANDLE) vkDestroyInstance(instance, nullptr);
    }
};

void generate(Host &host, const char *path, const std::string &prompt) {
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = VK_API_VERSION_1_2; // 1.1 would do
    VkInstanceCreateInfo instance_info{};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    instance_info.pApplicationInfo = &application;
    must(vkCreateInstance(&instance_info, nullptr, &host.instance), "vkCreateInstance");
    std::uint32_t one = 1;
    if (vkEnumeratePhysicalDevices(host.instance, &one, &host.physical_device) < VK_SUCCESS || one == 0)
        throw std::runtime_error("no Vulkan device found");

    // What firefinch would like to have enabled: extensions, and a chain of features. Nothing of it is needed.
    ff_vulkan_device lent = firefinch::vulkan_device();
    lent.instance = host.instance;
    lent.api_version = application.apiVersion;
    lent.get_instance_proc_addr = vkGetInstanceProcAddr;
    lent.physical_device = host.physical_device;
    const firefinch::DeviceRequirements requirements(lent);
    const ff_device_requirements_info wanted = requirements.info();

    const float priority = 1.0F;
    VkDeviceQueueCreateInfo queue_info{};
    queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue_info.queueFamilyIndex = wanted.queue_family;
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    VkDeviceCreateInfo device_info{};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.pNext = wanted.features;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    device_info.enabledExtensionCount = static_cast<std::uint32_t>(wanted.extension_count);
    device_info.ppEnabledExtensionNames = wanted.extensions;
    must(vkCreateDevice(host.physical_device, &device_info, nullptr, &host.device), "vkCreateDevice");
    vkGetDeviceQueue(host.device, wanted.queue_family, 0, &host.queue);

    // Lent: what was made, and how. What is not told here is not used.
    lent.device = host.device;
    lent.queue = host.queue;
    lent.queue_family = wanted.queue_family;
    lent.features = wanted.features;
    lent.extensions = wanted.extensions;
    lent.extension_count = wanted.extension_count;
    lent.payload = &host;
    lent.lock = [](void *self) { static_cast<Host *>(self)->queue_mutex.lock(); };
    lent.unlock = [](void *self) { static_cast<Host *>(self)->queue_mutex.unlock(); };

    ff_engine_options options = firefinch::engine_options();
    options.vulkan_device = &lent;
    options.device_memory_bytes = 8ULL << 30; // never more than this
    const firefinch::Engine engine(options);
    const firefinch::Checkpoint file(path);
    const firefinch::Tokenizer tokenizer("auto", &file);

    // In a game each turn of this loop is a frame: so many bytes of weights a frame, and drawing goes on.
    firefinch::ModelLoad load(engine, file);
    while (load.step(1 << 20).finished == 0) std::this_thread::sleep_for(std::chrono::milliseconds(16));
    const firefinch::Model model = load.finish();

    firefinch::Session session(model);
    session.prefill(tokenizer.encode(prompt));
    ff_generate_options generation = firefinch::generate_options();
    generation.count = 200;
    std::cout << prompt;
    session.generate(generation,
                     [&](std::uint32_t token) { return static_cast<bool>(std::cout << tokenizer.decode(token)); });
    std::cout << '\n';
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 2) {
        std::cerr << "usage: borrowed_device MODEL [PROMPT]\n";
        return 2;
    }
    Host host;
    try {
        generate(host, argv[1], argc > 2 ? argv[2] : "Once upon a time");
    } catch (const std::exception &failure) {
        std::cerr << failure.what() << '\n';
        return 1;
    }
    return 0;
}
