#include "plan.h"

#include "failure.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace program {
namespace {

std::vector<std::string> names(const char *const *list, std::size_t count) {
    return {list, list + count};
}

std::string layer_text(std::int32_t layer) {
    return layer < 0 ? "-" : std::to_string(layer);
}

} // namespace

Json plan_json(const firefinch::Model &model) {
    Json all = Json::array();
    for (std::size_t i = 0; i < model.launch_count(); ++i) {
        const ff_launch_info launch = model.launch(i);
        all.push_back({{"kernel", launch.kernel},
                       {"variant", launch.variant},
                       {"layer", launch.layer},
                       {"reads", names(launch.reads, launch.read_count)},
                       {"writes", names(launch.writes, launch.write_count)},
                       {"bytes", launch.bytes},
                       {"barrier_before", launch.barrier_before != 0},
                       {"groups", {launch.groups[0], launch.groups[1], launch.groups[2]}}});
    }
    return all;
}

std::string plan_text(const firefinch::Model &model, const firefinch::Engine &engine) {
    std::vector<ff_launch_info> launches;
    std::size_t kernel_width = 6, variant_width = 7;
    for (std::size_t i = 0; i < model.launch_count(); ++i) {
        launches.push_back(model.launch(i));
        kernel_width = std::max(kernel_width, std::string_view(launches.back().kernel).size());
        variant_width = std::max(variant_width, std::string_view(launches.back().variant).size());
    }
    const ff_device_info device = engine.device();
    const ff_model_statistics statistics = model.statistics();
    std::string out = fmt::format("\na decode step on {} ({}): {} launches, {} barriers, {} to move\n\n", device.name,
                                  device.driver, statistics.launches_per_token, statistics.barriers_per_token,
                                  bytes_text(statistics.bytes_read_per_token));
    out += fmt::format("barrier layer {:<{}}  {:<{}}  {:>10}  {:>14}  reads -> writes\n", "kernel", kernel_width,
                       "variant", variant_width, "bytes", "groups");
    for (const ff_launch_info &launch : launches) {
        const std::string groups = fmt::format("{}x{}x{}", launch.groups[0], launch.groups[1], launch.groups[2]);
        out +=
            fmt::format("{:>7} {:>5} {:<{}}  {:<{}}  {:>10}  {:>14}  {} -> {}\n", launch.barrier_before != 0 ? "|" : "",
                        layer_text(launch.layer), launch.kernel, kernel_width, launch.variant, variant_width,
                        bytes_text(launch.bytes), groups, fmt::join(names(launch.reads, launch.read_count), " "),
                        fmt::join(names(launch.writes, launch.write_count), " "));
    }
    for (const firefinch::Named &variant : engine.denied())
        out += fmt::format("denied: {}: {}\n", variant.name, printable(variant.text));
    return out;
}

} // namespace program
