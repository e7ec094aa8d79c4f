// What the visible driver's compiler makes of a list of pipelines: compile_pipelines LIST [FROM]. Nothing is executed, so a
// driver that only pretends to have a GPU is enough. Written against Vulkan alone: it is built for other processors too.
//
// LIST has a line for each pipeline, as list_pipelines writes them; FROM is the first line that counts, from 0. For each a line
// of JSON is printed at once: {"line", "subgroup", "statistics": {name: value}} or {"line", "error"}. So whoever runs this sees
// at which line a compiler crashed, and can go on behind it.
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// VK_KHR_cooperative_matrix, for Vulkan headers before 1.3.255: what of it is used here.
#ifndef VK_KHR_cooperative_matrix
constexpr VkStructureType VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR =
    static_cast<VkStructureType>(1000506000);
struct VkPhysicalDeviceCooperativeMatrixFeaturesKHR {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix, cooperativeMatrixRobustBufferAccess;
};
#endif

namespace {

#define FF_FUNCTIONS(X)                                                                                                \
    X(vkEnumeratePhysicalDevices)                                                                                      \
    X(vkEnumerateDeviceExtensionProperties)                                                                            \
    X(vkGetPhysicalDeviceProperties)                                                                                   \
    X(vkGetPhysicalDeviceFeatures2)                                                                                    \
    X(vkGetPhysicalDeviceQueueFamilyProperties)                                                                        \
    X(vkCreateDevice)                                                                                                  \
    X(vkCreateShaderModule)                                                                                            \
    X(vkCreateDescriptorSetLayout)                                                                                     \
    X(vkDestroyDescriptorSetLayout)                                                                                    \
    X(vkCreatePipelineLayout)                                                                                          \
    X(vkDestroyPipelineLayout)                                                                                         \
    X(vkCreateComputePipelines)                                                                                        \
    X(vkDestroyPipeline)                                                                                               \
    X(vkGetPipelineExecutablePropertiesKHR)                                                                            \
    X(vkGetPipelineExecutableStatisticsKHR)
#define FF_DECLARE(name) PFN_##name name = nullptr;
FF_FUNCTIONS(FF_DECLARE)
#undef FF_DECLARE

[[noreturn]] void stop(int status) {
    std::fflush(stdout);
    std::_Exit(status); // drivers that only pretend may crash on their way out
}
[[noreturn]] void die(const std::string &what) {
    std::fprintf(stderr, "compile_pipelines: %s\n", what.c_str());
    stop(1);
}
void check(VkResult result, const char *call) {
    if (result != VK_SUCCESS) die(std::string(call) + " = " + std::to_string(static_cast<int>(result)));
}

struct Pipeline {
    std::string name, file;
    std::uint32_t bindings = 0, push_bytes = 0, subgroup_size = 0;
    std::vector<VkSpecializationMapEntry> entries;
    std::vector<std::uint32_t> values;
};

std::vector<Pipeline> read_list(const char *path) {
    std::ifstream in(path);
    if (!in) die(std::string("cannot read ") + path);
    const std::string list(path);
    const std::string folder = list.find('/') == list.npos ? "" : list.substr(0, list.rfind('/') + 1);
    std::vector<Pipeline> all;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        Pipeline each;
        words >> each.name >> each.file >> each.bindings >> each.push_bytes >> each.subgroup_size;
        if (!words) die("no pipeline: " + line);
        each.file = folder + each.file;
        for (std::string constant; words >> constant;) {
            const std::size_t equals = constant.find('=');
            const auto at = static_cast<std::uint32_t>(4 * each.values.size());
            each.entries.push_back({static_cast<std::uint32_t>(std::stoul(constant.substr(0, equals))), at, 4});
            each.values.push_back(static_cast<std::uint32_t>(std::stoul(constant.substr(equals + 1))));
        }
        all.push_back(std::move(each));
    }
    return all;
}

// Everything the device has of what shaders may use.
class Features {
  public:
    Features(VkPhysicalDevice device, std::uint32_t version) {
        std::uint32_t count = 0;
        check(vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr), "vkEnumerateDeviceExtensionProperties");
        extensions_.resize(count);
        check(vkEnumerateDeviceExtensionProperties(device, nullptr, &count, extensions_.data()),
              "vkEnumerateDeviceExtensionProperties");
        head_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
        if (version >= VK_API_VERSION_1_2) {
            add(f11_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
            add(f12_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
        } else {
            add(storage16_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
        }
        if (version >= VK_API_VERSION_1_3 || enable("VK_EXT_subgroup_size_control"))
            add(sizes_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
        if (enable("VK_KHR_pipeline_executable_properties"))
            add(executables_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR);
        if (enable("VK_KHR_cooperative_matrix"))
            add(matrix_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
        vkGetPhysicalDeviceFeatures2(device, &head_);
        head_.features.robustBufferAccess = VK_FALSE; // as firefinch has it; it changes code
    }
    bool statistics() const { return executables_.pipelineExecutableInfo == VK_TRUE; }
    const VkPhysicalDeviceFeatures2 *chain() const { return &head_; }
    const std::vector<const char *> &enabled() const { return enabled_; }

  private:
    template <class T>
    void add(T &structure, VkStructureType type) {
        structure.sType = type;
        structure.pNext = head_.pNext;
        head_.pNext = &structure;
    }
    bool enable(const char *name) {
        for (const VkExtensionProperties &extension : extensions_)
            if (std::strcmp(extension.extensionName, name) == 0) {
                enabled_.push_back(name);
                return true;
            }
        return false;
    }
    std::vector<VkExtensionProperties> extensions_;
    std::vector<const char *> enabled_;
    VkPhysicalDeviceFeatures2 head_{};
    VkPhysicalDeviceVulkan11Features f11_{};
    VkPhysicalDeviceVulkan12Features f12_{};
    VkPhysicalDevice16BitStorageFeatures storage16_{};
    VkPhysicalDeviceSubgroupSizeControlFeatures sizes_{};
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executables_{};
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix_{};
};

std::string json(const char *text) {
    std::string out = "\"";
    for (; *text; ++text) {
        if (*text == '"' || *text == '\\') out += '\\';
        if (static_cast<unsigned char>(*text) >= 32) out += *text;
    }
    return out + '"';
}

std::string number(const VkPipelineExecutableStatisticKHR &statistic) {
    switch (statistic.format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
        return statistic.value.b32 ? "1" : "0";
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
        return std::to_string(statistic.value.i64);
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
        return std::to_string(statistic.value.u64);
    default:
        return std::to_string(statistic.value.f64);
    }
}

void print_statistics(VkDevice device, VkPipeline pipeline, std::size_t line) {
    const VkPipelineInfoKHR info{VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, nullptr, pipeline};
    std::uint32_t count = 0;
    check(vkGetPipelineExecutablePropertiesKHR(device, &info, &count, nullptr), "vkGetPipelineExecutablePropertiesKHR");
    std::vector<VkPipelineExecutablePropertiesKHR> executables(
        count, {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR, nullptr, 0, "", "", 0});
    check(vkGetPipelineExecutablePropertiesKHR(device, &info, &count, executables.data()),
          "vkGetPipelineExecutablePropertiesKHR");
    if (count == 0) {
        std::printf("{\"line\": %zu, \"subgroup\": 0, \"statistics\": {}}\n", line);
        return;
    }
    // Intel's compiler makes several of one shader at times, in falling order of width; the first is the one that runs.
    const VkPipelineExecutableInfoKHR first{VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, nullptr, pipeline, 0};
    std::uint32_t statistics = 0;
    check(vkGetPipelineExecutableStatisticsKHR(device, &first, &statistics, nullptr), "vkGetPipelineExecutableStatisticsKHR");
    VkPipelineExecutableStatisticKHR empty{};
    empty.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
    std::vector<VkPipelineExecutableStatisticKHR> found(statistics, empty);
    check(vkGetPipelineExecutableStatisticsKHR(device, &first, &statistics, found.data()),
          "vkGetPipelineExecutableStatisticsKHR");
    std::printf("{\"line\": %zu, \"subgroup\": %u, \"statistics\": {", line, executables[0].subgroupSize);
    for (std::size_t i = 0; i < found.size(); ++i)
        std::printf("%s%s: %s", i ? ", " : "", json(found[i].name).c_str(), number(found[i]).c_str());
    std::printf("}}\n");
}

std::vector<std::uint32_t> read_words(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
    if (bytes.size() < 20 || bytes.size() % 4 != 0) die("no SPIR-V: " + path);
    std::vector<std::uint32_t> words(bytes.size() / 4);
    std::memcpy(words.data(), bytes.data(), bytes.size());
    return words;
}

void compile(VkDevice device, const Pipeline &each, bool statistics, std::size_t line) {
    static std::map<std::string, VkShaderModule> modules;
    VkShaderModule &module = modules[each.file];
    if (module == VK_NULL_HANDLE) {
        const std::vector<std::uint32_t> words = read_words(each.file);
        const VkShaderModuleCreateInfo info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, 4 * words.size(),
                                            words.data()};
        check(vkCreateShaderModule(device, &info, nullptr, &module), "vkCreateShaderModule");
    }
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (std::uint32_t i = 0; i < each.bindings; ++i)
        bindings.push_back({i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    VkDescriptorSetLayoutCreateInfo set_info{};
    set_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    set_info.bindingCount = each.bindings;
    set_info.pBindings = bindings.data();
    VkDescriptorSetLayout set{};
    check(vkCreateDescriptorSetLayout(device, &set_info, nullptr, &set), "vkCreateDescriptorSetLayout");
    const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, each.push_bytes};
    VkPipelineLayoutCreateInfo layout_info{};
    layout_info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    layout_info.setLayoutCount = 1;
    layout_info.pSetLayouts = &set;
    layout_info.pushConstantRangeCount = each.push_bytes ? 1 : 0;
    layout_info.pPushConstantRanges = &push;
    VkPipelineLayout layout{};
    check(vkCreatePipelineLayout(device, &layout_info, nullptr, &layout), "vkCreatePipelineLayout");

    const VkSpecializationInfo constants{static_cast<std::uint32_t>(each.entries.size()), each.entries.data(),
                                         4 * each.values.size(), each.values.data()};
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size{};
    size.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
    size.requiredSubgroupSize = each.subgroup_size;
    VkComputePipelineCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    if (statistics) info.flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR;
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    if (each.subgroup_size) {
        info.stage.pNext = &size;
        info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
    }
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module;
    info.stage.pName = "main";
    info.stage.pSpecializationInfo = &constants;
    info.layout = layout;
    VkPipeline pipeline{};
    const VkResult result = vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline);
    if (result != VK_SUCCESS)
        std::printf("{\"line\": %zu, \"error\": \"vkCreateComputePipelines = %d\"}\n", line, static_cast<int>(result));
    else if (statistics)
        print_statistics(device, pipeline, line);
    else
        std::printf("{\"line\": %zu, \"subgroup\": 0, \"statistics\": {}}\n", line);
    std::fflush(stdout);
    vkDestroyPipeline(device, pipeline, nullptr);
    vkDestroyPipelineLayout(device, layout, nullptr);
    vkDestroyDescriptorSetLayout(device, set, nullptr);
}

} // namespace

int main(int count, char **arguments) {
    if (count < 2) die("use: compile_pipelines LIST [FROM]");
    const std::vector<Pipeline> pipelines = read_list(arguments[1]);
    void *const loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader) die("there is no libvulkan.so.1");
    const auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"));
    const auto vkCreateInstance = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"));
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = VK_API_VERSION_1_3;
    VkInstanceCreateInfo instance_info{};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    instance_info.pApplicationInfo = &application;
    VkInstance instance{};
    check(vkCreateInstance(&instance_info, nullptr, &instance), "vkCreateInstance");
#define FF_LOAD(name) name = reinterpret_cast<PFN_##name>(get(instance, #name));
    FF_FUNCTIONS(FF_LOAD)
#undef FF_LOAD
    std::uint32_t one = 1;
    VkPhysicalDevice physical{};
    if (vkEnumeratePhysicalDevices(instance, &one, &physical) < 0 || one == 0) die("no device");
    VkPhysicalDeviceProperties properties{};
    vkGetPhysicalDeviceProperties(physical, &properties);
    const Features features(physical, properties.apiVersion);

    std::uint32_t families = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &families, nullptr);
    std::vector<VkQueueFamilyProperties> queues(families);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &families, queues.data());
    std::uint32_t family = 0;
    while (family < families && (queues[family].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) ++family;
    const float priority = 1;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = features.chain();
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<std::uint32_t>(features.enabled().size());
    info.ppEnabledExtensionNames = features.enabled().data();
    VkDevice device{};
    check(vkCreateDevice(physical, &info, nullptr, &device), "vkCreateDevice");
    for (std::size_t line = count > 2 ? std::stoul(arguments[2]) : 0; line < pipelines.size(); ++line)
        compile(device, pipelines[line], features.statistics(), line);
    stop(0);
}
