#include "runtime/api/objects.h"

#include "runtime/engine/deny_list.h"
#include "runtime/gpu/captured_devices.h"
#include "runtime/model/architecture.h"

#include <fmt/format.h>
#include <set>

using namespace ff;

struct ff_device_list {
    std::shared_ptr<gpu::Instance> instance;
    struct Device {
        gpu::DeviceInfo info; // traits as the profile masks them
        std::string summary;
        std::vector<std::pair<const char *, std::int64_t>> traits;
        struct Choice {
            std::string kernel, variant, reason;
        };
        std::vector<Choice> choices;
        std::string lacking;
        std::vector<std::pair<std::string, std::string>> denied; // variant, why
    };
    std::vector<Device> devices;
};

namespace {

std::vector<std::pair<const char *, std::int64_t>> trait_values(const gpu::DeviceTraits &t) {
    const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
    return {
        {"subgroup_size", number(t.subgroup_size)},
        {"subgroup_size_min", number(t.subgroup_size_min)},
        {"subgroup_size_max", number(t.subgroup_size_max)},
        {"subgroup_size_control", number(t.subgroup_size_control)},
        {"subgroup_basic", number(t.subgroup_basic)},
        {"subgroup_arithmetic", number(t.subgroup_arithmetic)},
        {"subgroup_shuffle", number(t.subgroup_shuffle)},
        {"subgroup_clustered", number(t.subgroup_clustered)},
        {"storage16", number(t.storage16)},
        {"storage8", number(t.storage8)},
        {"float16", number(t.float16)},
        {"int8", number(t.int8)},
        {"integer_dot_product", number(t.integer_dot_product)},
        {"integer_dot_accelerated", number(t.integer_dot_accelerated)},
        {"matrix_shapes", number(t.matrix_shapes.size())},
        {"matrices_slow", number(t.matrices_slow)},
        {"lane_loads_slow", number(t.lane_loads_slow)},
        {"buffer_addresses", number(t.buffer_addresses)},
        {"unified_memory", number(t.unified_memory)},
        {"memory_budget", number(t.memory_budget)},
        {"timeline_semaphore", number(t.timeline_semaphore)},
        {"timestamp_valid_bits", number(t.timestamp_valid_bits)},
        {"max_workgroup_invocations", number(t.max_workgroup_invocations)},
        {"max_workgroup_size_x", number(t.max_workgroup_size_x)},
        {"max_workgroup_count_x", number(t.max_workgroup_count_x)},
        {"max_shared_memory_bytes", number(t.max_shared_memory_bytes)},
        {"max_push_constant_bytes", number(t.max_push_constant_bytes)},
        {"max_storage_buffers", number(t.max_storage_buffers)},
        {"max_storage_buffer_range", number(t.max_storage_buffer_range)},
        {"max_allocation_bytes", number(t.max_allocation_bytes)},
        {"most_submission_work", number(t.most_submission_work)},
        {"storage_offset_alignment", number(t.storage_offset_alignment)},
    };
}

std::vector<ff_device_list::Device::Choice> choices(const gpu::DeviceTraits &traits) {
    std::vector<ff_device_list::Device::Choice> chosen;
    const auto add = [&](const kernels::Variant &variant) {
        chosen.push_back({std::string(variant.kernel), std::string(variant.name), kernels::reason_for(variant, traits)});
    };
    std::set<std::string_view> seen, seen_blocks;
    for (const kernels::Variant &row : kernels::all_variants()) {
        // What only measures is no choice, and needs matrices that the device may not have.
        if (row.kernel.starts_with("roofline_") || !seen.insert(row.kernel).second) continue;
        const bool has_weights = row.name.starts_with("f32");
        add(has_weights ? kernels::variant_for(row.kernel, kernels::WeightType::f16, traits)
                        : kernels::variant_for(row.kernel, traits));
    }
    // One block format stands for all of them.
    for (const kernels::Variant &row : kernels::all_variants())
        if (kernels::weight_type_of(row) == kernels::WeightType::q4_k && seen_blocks.insert(row.kernel).second)
            add(kernels::variant_for(row.kernel, kernels::WeightType::q4_k, traits));
    return chosen;
}

ff_device_list::Device described(gpu::DeviceInfo info) {
    ff_device_list::Device device{std::move(info), {}, {}, {}, {}, {}};
    device.summary = gpu::summary(device.info.traits);
    device.traits = trait_values(device.info.traits);
    device.choices = choices(device.info.traits);
    return device;
}

} // namespace

ff_device_info ff::api::device_info(const gpu::DeviceInfo &info, const std::string &traits) {
    return {sizeof(ff_device_info),   info.name.c_str(),
            info.driver_name.c_str(), info.driver_info.c_str(),
            info.uuid.c_str(),        info.traits.vendor_id,
            info.traits.device_id,    info.driver_version,
            info.api_version,         static_cast<ff_device_type>(info.type),
            info.memory_bytes,        traits.c_str()};
}

ff_status ff_device_list_create(ff_device_list **out, const ff_device_list_options *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out) return api::null_argument("out");
        const ff_device_list_options options =
            api::from_caller(given, FF_DEVICE_LIST_OPTIONS_INIT);
        const gpu::Profile *profile = gpu::find_profile(options.profile ? options.profile : "native");
        if (!profile)
            return Error{Status::argument,
                         fmt::format("there is no profile named \"{}\"; `firefinch devices --profiles` lists them",
                                     options.profile)};
        auto list = std::make_unique<ff_device_list>();
        const gpu::CapturedDevice *captured = gpu::find_captured_device(profile->name);
        if (options.captured) {
            if (captured) list->devices.push_back(described(captured->info));
            *out = list.release();
            return {};
        }
        FF_TRY_ASSIGN(
            list->instance,
            gpu::Instance::create({.validate = false, .log = api::log_function(options.log, options.log_payload)}));
        const std::string cache = options.cache_directory ? options.cache_directory : "";
        for (const gpu::DeviceInfo &info : list->instance->devices()) {
            gpu::DeviceInfo masked = info;
            profile->mask(masked.traits);
            std::vector<std::pair<std::string, std::string>> kept_away;
            const engine::DenyList deny_list =
                engine::read_deny_list(cache, gpu::cache_identity(*list->instance, info), list->instance->log());
            for (const engine::DeniedVariant &denied : deny_list.denied) {
                if (engine::shader_hash(denied.variant->spirv) != denied.shader) continue; // of another build
                kept_away.emplace_back(kernels::full_name(*denied.variant), denied.why);
                masked.traits.denied.push_back(kept_away.back().first);
            }
            ff_device_list::Device device = described(std::move(masked));
            device.denied = std::move(kept_away);
            if (captured) device.lacking = gpu::lacking(info.traits, captured->info.traits);
            list->devices.push_back(std::move(device));
        }
        *out = list.release();
        return {};
    });
}

void ff_device_list_destroy(ff_device_list *list) {
    delete list;
}

size_t ff_device_list_count(const ff_device_list *list) {
    return list ? list->devices.size() : 0;
}

ff_status ff_device_list_get(const ff_device_list *list, size_t index, ff_device_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!list || !out) return api::null_argument(list ? "out" : "list");
        if (index >= list->devices.size())
            return Error{Status::argument, fmt::format("device {} of {}", index, list->devices.size())};
        const ff_device_list::Device &device = list->devices[index];
        api::to_caller(api::device_info(device.info, device.summary), out);
        return {};
    });
}

ff_status ff_device_list_choose(const ff_device_list *list, const char *selector, size_t *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!list || !out) return api::null_argument(list ? "out" : "list");
        if (!list->instance) return Error{Status::argument, "a captured device is no device to choose"};
        FF_TRY_ASSIGN(*out, list->instance->choose(selector ? selector : ""));
        return {};
    });
}

int ff_device_list_trait(const ff_device_list *list, size_t device, size_t index, const char **name, int64_t *value) {
    if (!list || device >= list->devices.size() || index >= list->devices[device].traits.size()) return 0;
    *name = list->devices[device].traits[index].first;
    *value = list->devices[device].traits[index].second;
    return 1;
}

int ff_device_list_variant(const ff_device_list *list, size_t device, size_t index, const char **kernel,
                           const char **variant) {
    if (!list || device >= list->devices.size() || index >= list->devices[device].choices.size()) return 0;
    *kernel = list->devices[device].choices[index].kernel.c_str();
    *variant = list->devices[device].choices[index].variant.c_str();
    return 1;
}

int ff_device_list_reason(const ff_device_list *list, size_t device, size_t index, const char **reason) {
    if (!list || device >= list->devices.size() || index >= list->devices[device].choices.size()) return 0;
    *reason = list->devices[device].choices[index].reason.c_str();
    return 1;
}

const char *ff_device_list_lacking(const ff_device_list *list, size_t device) {
    return list && device < list->devices.size() ? list->devices[device].lacking.c_str() : nullptr;
}

int ff_device_list_denied(const ff_device_list *list, size_t device, size_t index, const char **variant,
                          const char **why) {
    if (!list || device >= list->devices.size() || index >= list->devices[device].denied.size()) return 0;
    *variant = list->devices[device].denied[index].first.c_str();
    *why = list->devices[device].denied[index].second.c_str();
    return 1;
}

int ff_profile(size_t index, const char **name, const char **description) {
    const auto &profiles = gpu::profiles();
    if (index >= profiles.size()) return 0;
    *name = profiles[index].name.data(); // literals: they end with a zero
    *description = profiles[index].description.c_str();
    return 1;
}
