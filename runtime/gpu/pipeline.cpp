#include "runtime/gpu/pipeline.h"

#include "runtime/gpu/pipeline_cache.h"
#include "runtime/gpu/spirv_interface.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <thread>

namespace ff::gpu {
namespace {

// Everything that makes two pipelines the same; the name is for people.
std::string key_of(const PipelineDescription &description) {
    std::string key;
    const auto put = [&](const void *bytes, std::size_t size) { key.append(static_cast<const char *>(bytes), size); };
    const std::uint32_t numbers[] = {description.bindings, description.push_constant_bytes,
                                     description.required_subgroup_size, description.full_subgroups ? 1U : 0U,
                                     static_cast<std::uint32_t>(description.constants.size())};
    put(numbers, sizeof(numbers));
    for (const SpecConstant &constant : description.constants) put(&constant, sizeof(constant));
    put(description.spirv.data(), description.spirv.size_bytes());
    return key;
}

std::uint32_t local_size(const SpirvInterface::Axis &axis, const PipelineDescription &description) {
    std::uint32_t size = axis.size;
    for (const SpecConstant &constant : description.constants)
        if (axis.specialised && constant.id == axis.constant_id) size = constant.value;
    return size;
}

} // namespace

struct PipelineSet::Impl {
    std::shared_ptr<Device> device;
    PipelineOptions options;
    CacheIdentity identity;
    VkPipelineCache cache = VK_NULL_HANDLE;
    std::mutex making; // one compile() makes at a time
    std::mutex mutex;  // of `made`, which only who is `making` changes, and `statistics`: who has all pipelines waits for nobody
    std::map<std::string, std::unique_ptr<Pipeline>> made;
    std::map<std::uint32_t, VkDescriptorSetLayout> set_layouts;                  // by bindings
    std::map<std::pair<std::uint32_t, std::uint32_t>, VkPipelineLayout> layouts; // and push-constant bytes
    Statistics statistics;

    ~Impl();
    void say(LogLevel level, std::string_view message) const {
        if (options.log) options.log(level, message);
    }
    Result<void> open();
    Result<void> check(const PipelineDescription &description, std::uint32_t &local_size_x) const;
    Result<void> make_layouts(const PipelineDescription &description, Pipeline &out);
    Result<VkPipeline> make(const PipelineDescription &description, const Pipeline &layouts,
                            std::uint32_t local_size_x) const;
    std::uint64_t cache_bytes() const; // that the driver would give now
    std::optional<std::vector<const Pipeline *>> all_of(std::span<const std::string> keys); // if all are made
};

PipelineSet::PipelineSet() : impl_(std::make_unique<Impl>()) {}
PipelineSet::~PipelineSet() = default;

PipelineSet::Impl::~Impl() {
    if (device == nullptr) return;
    const DeviceFunctions &vk = device->vk();
    for (const auto &[key, pipeline] : made) vk.vkDestroyPipeline(device->handle(), pipeline->pipeline, nullptr);
    for (const auto &[key, layout] : layouts) vk.vkDestroyPipelineLayout(device->handle(), layout, nullptr);
    for (const auto &[key, layout] : set_layouts) vk.vkDestroyDescriptorSetLayout(device->handle(), layout, nullptr);
    if (cache != VK_NULL_HANDLE) vk.vkDestroyPipelineCache(device->handle(), cache, nullptr);
}

Result<std::unique_ptr<PipelineSet>> PipelineSet::create(std::shared_ptr<Device> device, PipelineOptions options) {
    std::unique_ptr<PipelineSet> out(new PipelineSet);
    out->impl_->identity = cache_identity(*device);
    out->impl_->options = std::move(options);
    out->impl_->device = std::move(device);
    FF_TRY(out->impl_->open());
    return out;
}

Result<void> PipelineSet::Impl::open() {
    std::vector<std::byte> sealed = std::move(options.cache);
    std::string origin = "given by the caller";
    if (sealed.empty() && !options.cache_directory.empty()) {
        origin = (std::filesystem::path(options.cache_directory) / identity.file_name()).string();
        auto read = read_cache_file(origin);
        if (!read.ok()) say(LogLevel::warning, read.error().message);
        else if (*read) sealed = *std::move(*read);
    }
    std::span<const std::byte> data;
    if (!sealed.empty()) {
        if (const auto opened = open_cache(identity, sealed))
            data = opened.value();
        else
            say(LogLevel::warning, fmt::format("{} ({})", opened.error().message, origin));
    }
    VkPipelineCacheCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
    info.initialDataSize = data.size();
    info.pInitialData = data.data();
    VkResult result = device->vk().vkCreatePipelineCache(device->handle(), &info, nullptr, &cache);
    if (result != VK_SUCCESS && !data.empty()) { // the driver refuses what is well sealed: begin again
        say(LogLevel::warning, "the driver refused its own pipeline cache; starting without");
        data = {};
        info.initialDataSize = 0;
        info.pInitialData = nullptr;
        result = device->vk().vkCreatePipelineCache(device->handle(), &info, nullptr, &cache);
    }
    if (result != VK_SUCCESS) {
        cache = VK_NULL_HANDLE;
        return device->error(result, "vkCreatePipelineCache", "pipelines");
    }
    statistics.cache_bytes_read = data.size();
    return {};
}

// The shader's own interface against the description, and both against the device.
Result<void> PipelineSet::Impl::check(const PipelineDescription &description, std::uint32_t &local_size_x) const {
    const DeviceTraits &traits = device->traits();
    const auto wrong = [&](Status status, std::string_view what) {
        return Error{status, fmt::format("pipeline {}: {}", description.name, what)};
    };
    auto read = read_spirv_interface(description.spirv);
    if (!read) return wrong(Status::internal, read.error().message);
    const SpirvInterface &shader = *read;
    // A shader may leave out what it does not need (an optimiser takes unused bindings away), but not ask for more.
    if (shader.push_constant_bytes != 0 && shader.push_constant_bytes != description.push_constant_bytes)
        return wrong(Status::internal, fmt::format("the shader's push constants are {} bytes, the host's {}",
                                                   shader.push_constant_bytes, description.push_constant_bytes));
    if (!shader.bindings.empty() && shader.bindings.back() >= description.bindings)
        return wrong(Status::internal, fmt::format("the shader has binding {}, the host names {} bindings",
                                                   shader.bindings.back(), description.bindings));
    for (const SpecConstant &constant : description.constants)
        if (!std::binary_search(shader.constant_ids.begin(), shader.constant_ids.end(), constant.id))
            say(LogLevel::debug, fmt::format("pipeline {}: the shader does not use constant {} (host's value {})",
                                             description.name, constant.id, constant.value));

    if (description.push_constant_bytes > traits.max_push_constant_bytes)
        return wrong(Status::unsupported, fmt::format("{} bytes of push constants, the device has {}",
                                                      description.push_constant_bytes, traits.max_push_constant_bytes));
    if (description.bindings > traits.max_storage_buffers)
        return wrong(Status::unsupported, fmt::format("{} storage buffers, the device binds at most {}",
                                                      description.bindings, traits.max_storage_buffers));
    std::uint64_t invocations = 1;
    for (const SpirvInterface::Axis &axis : shader.local_size) invocations *= local_size(axis, description);
    local_size_x = local_size(shader.local_size[0], description);
    if (invocations == 0 || invocations > traits.max_workgroup_invocations ||
        local_size_x > traits.max_workgroup_size_x)
        return wrong(Status::unsupported, fmt::format("a workgroup of {} invocations, the device runs 1 to {}",
                                                      invocations, traits.max_workgroup_invocations));
    const std::uint32_t size = description.required_subgroup_size;
    if (size != 0 && (!traits.subgroup_size_control || size < traits.subgroup_size_min ||
                      size > traits.subgroup_size_max || (size & (size - 1)) != 0))
        return wrong(Status::unsupported, fmt::format("a subgroup size of {} is required, the device offers {} to {}{}",
                                                      size, traits.subgroup_size_min, traits.subgroup_size_max,
                                                      traits.subgroup_size_control ? "" : " without a choice"));
    return {};
}

Result<void> PipelineSet::Impl::make_layouts(const PipelineDescription &description, Pipeline &out) {
    const DeviceFunctions &vk = device->vk();
    VkDescriptorSetLayout &set_layout = set_layouts[description.bindings];
    if (set_layout == VK_NULL_HANDLE) {
        std::vector<VkDescriptorSetLayoutBinding> bindings(description.bindings);
        for (std::uint32_t i = 0; i < description.bindings; ++i)
            bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
        VkDescriptorSetLayoutCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
        info.bindingCount = description.bindings;
        info.pBindings = bindings.data();
        const VkResult result = vk.vkCreateDescriptorSetLayout(device->handle(), &info, nullptr, &set_layout);
        if (result != VK_SUCCESS) {
            set_layout = VK_NULL_HANDLE;
            return device->error(result, "vkCreateDescriptorSetLayout", description.name);
        }
    }
    VkPipelineLayout &layout = layouts[{description.bindings, description.push_constant_bytes}];
    if (layout == VK_NULL_HANDLE) {
        const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, description.push_constant_bytes};
        VkPipelineLayoutCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
        info.setLayoutCount = 1;
        info.pSetLayouts = &set_layout;
        info.pushConstantRangeCount = description.push_constant_bytes != 0 ? 1 : 0;
        info.pPushConstantRanges = &range;
        const VkResult result = vk.vkCreatePipelineLayout(device->handle(), &info, nullptr, &layout);
        if (result != VK_SUCCESS) {
            layout = VK_NULL_HANDLE;
            return device->error(result, "vkCreatePipelineLayout", description.name);
        }
    }
    out.set_layout = set_layout;
    out.layout = layout;
    out.bindings = description.bindings;
    out.push_constant_bytes = description.push_constant_bytes;
    out.name = description.name;
    return {};
}

Result<VkPipeline> PipelineSet::Impl::make(const PipelineDescription &description, const Pipeline &target,
                                           std::uint32_t local_size_x) const {
    const DeviceFunctions &vk = device->vk();
    const DeviceTraits &traits = device->traits();
    VkShaderModuleCreateInfo module_info{};
    module_info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    module_info.codeSize = description.spirv.size_bytes();
    module_info.pCode = description.spirv.data();
    VkShaderModule module = VK_NULL_HANDLE;
    VkResult result = vk.vkCreateShaderModule(device->handle(), &module_info, nullptr, &module);
    if (result != VK_SUCCESS) return device->error(result, "vkCreateShaderModule", description.name);
    device->set_name(VK_OBJECT_TYPE_SHADER_MODULE, module, description.name);

    std::vector<VkSpecializationMapEntry> entries;
    for (std::size_t i = 0; i < description.constants.size(); ++i)
        entries.push_back({description.constants[i].id,
                           static_cast<std::uint32_t>(i * sizeof(SpecConstant) + offsetof(SpecConstant, value)),
                           sizeof(std::uint32_t)});
    const VkSpecializationInfo specialisation{static_cast<std::uint32_t>(entries.size()), entries.data(),
                                              description.constants.size() * sizeof(SpecConstant),
                                              description.constants.data()};
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo required{};
    required.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
    required.requiredSubgroupSize = description.required_subgroup_size;
    VkComputePipelineCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module;
    info.stage.pName = "main";
    info.stage.pSpecializationInfo = &specialisation;
    info.layout = target.layout;
    if (traits.subgroup_size_control) {
        if (description.required_subgroup_size != 0) info.stage.pNext = &required;
        // Else gl_SubgroupSize would be the device's one number whatever size really runs: let it tell the truth.
        else
            info.stage.flags |= VK_PIPELINE_SHADER_STAGE_CREATE_ALLOW_VARYING_SUBGROUP_SIZE_BIT;
        const std::uint32_t multiple =
            description.required_subgroup_size != 0 ? description.required_subgroup_size : traits.subgroup_size_max;
        if (description.full_subgroups && local_size_x % multiple == 0)
            info.stage.flags |= VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
    }
    VkPipeline pipeline = VK_NULL_HANDLE;
    result = vk.vkCreateComputePipelines(device->handle(), cache, 1, &info, nullptr, &pipeline);
    vk.vkDestroyShaderModule(device->handle(), module, nullptr);
    if (result != VK_SUCCESS) return device->error(result, "vkCreateComputePipelines", description.name);
    // Some drivers say success and give nothing (llama.cpp #19746, Adreno).
    if (pipeline == VK_NULL_HANDLE)
        return device->error(VK_ERROR_UNKNOWN, "vkCreateComputePipelines", description.name);
    device->set_name(VK_OBJECT_TYPE_PIPELINE, pipeline, description.name);
    return pipeline;
}

Result<std::vector<const Pipeline *>> PipelineSet::compile(std::span<const PipelineDescription> descriptions,
                                                           const ProgressFunction &progress) {
    Impl &self = *impl_;
    std::vector<std::string> keys;
    for (const PipelineDescription &description : descriptions) keys.push_back(key_of(description));
    if (auto made = self.all_of(keys)) return *std::move(made);
    const std::lock_guard whole(self.making);
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t bytes_before = self.cache_bytes();

    struct Job {
        const PipelineDescription *description;
        Pipeline pipeline;
        std::uint32_t local_size_x = 0;
        std::optional<Error> error;
    };
    std::map<std::string, Job> jobs; // by key: equal descriptions are made once
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (self.made.contains(keys[i]) || jobs.contains(keys[i])) continue;
        Job job{&descriptions[i], {}, 0, std::nullopt};
        FF_TRY(self.check(descriptions[i], job.local_size_x));
        FF_TRY(self.make_layouts(descriptions[i], job.pipeline));
        jobs.emplace(keys[i], std::move(job));
    }

    std::vector<Job *> queue;
    for (auto &[key, job] : jobs) queue.push_back(&job);
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t next = 0, done = 0;
    bool cancelled = progress && !queue.empty() && !progress("compiling pipelines", 0, queue.size());
    bool stop = cancelled;
    const auto work = [&] {
        std::unique_lock lock(mutex);
        while (!stop && next < queue.size()) {
            Job &job = *queue[next++];
            lock.unlock();
            auto made = self.make(*job.description, job.pipeline, job.local_size_x);
            lock.lock();
            if (made)
                job.pipeline.pipeline = *made;
            else
                job.error = std::move(made).error(), stop = true;
            ++done;
            changed.notify_one();
        }
    };
    if (!stop) {
        const std::uint32_t wanted =
            self.options.threads != 0 ? self.options.threads : std::max(1U, std::thread::hardware_concurrency());
        std::vector<std::jthread> threads; // joined at the end of this scope
        for (std::size_t i = 0; i < std::min<std::size_t>(wanted, queue.size()); ++i) threads.emplace_back(work);
        std::unique_lock lock(mutex);
        for (std::size_t told = 0; told < queue.size() && !stop;) {
            changed.wait(lock, [&] { return done != told || stop; });
            told = done;
            lock.unlock();
            if (progress && !progress("compiling pipelines", told, queue.size())) cancelled = true;
            lock.lock();
            stop = stop || cancelled;
        }
    }

    std::optional<Error> error;
    {
        const std::lock_guard lock(self.mutex);
        for (auto &[key, job] : jobs) {
            if (job.error && !error) error = std::move(job.error);
            if (job.pipeline.pipeline == VK_NULL_HANDLE) continue;
            ++self.statistics.compiled;
            self.made.emplace(key, std::make_unique<Pipeline>(std::move(job.pipeline)));
        }
        self.statistics.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        self.statistics.cache_bytes_added += std::max(self.cache_bytes(), bytes_before) - bytes_before;
    }
    if (error) return *std::move(error);
    if (cancelled) return Error{Status::cancelled, "compiling pipelines was cancelled"};
    return *self.all_of(keys);
}

std::optional<std::vector<const Pipeline *>> PipelineSet::Impl::all_of(std::span<const std::string> keys) {
    const std::lock_guard lock(mutex);
    std::vector<const Pipeline *> out;
    for (const std::string &key : keys) {
        const auto found = made.find(key);
        if (found == made.end()) return std::nullopt;
        out.push_back(found->second.get());
    }
    return out;
}

PipelineSet::Statistics PipelineSet::statistics() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->statistics;
}

std::uint64_t PipelineSet::Impl::cache_bytes() const {
    std::size_t size = 0;
    (void)device->vk().vkGetPipelineCacheData(device->handle(), cache, &size, nullptr); // 0 where it fails
    return size;
}

Result<std::vector<std::byte>> PipelineSet::cache_data() const {
    const Impl &self = *impl_;
    const Device &device = *self.device;
    std::vector<std::byte> data;
    VkResult result = VK_INCOMPLETE;
    while (result == VK_INCOMPLETE) { // another thread may add pipelines in between
        std::size_t size = 0;
        result = device.vk().vkGetPipelineCacheData(device.handle(), self.cache, &size, nullptr);
        if (result != VK_SUCCESS) break;
        data.resize(size);
        result = device.vk().vkGetPipelineCacheData(device.handle(), self.cache, &size, data.data());
        data.resize(size);
    }
    if (result != VK_SUCCESS) return device.error(result, "vkGetPipelineCacheData", "pipelines");
    // Some drivers keep nothing, or less than Vulkan's own header (lavapipe 26.2 with its cache switched off: 20
    // bytes).
    if (data.size() < sizeof(VkPipelineCacheHeaderVersionOne)) return std::vector<std::byte>{};
    return seal_cache(self.identity, data);
}

Result<void> PipelineSet::save_cache() const {
    if (impl_->options.cache_directory.empty()) return {};
    FF_TRY_ASSIGN(const std::vector<std::byte> sealed, cache_data());
    if (sealed.empty()) return {};
    return write_cache_file(impl_->options.cache_directory, impl_->identity.file_name(), sealed);
}

} // namespace ff::gpu
