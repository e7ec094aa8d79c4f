#include "runtime/engine/compile_ahead.h"

#include <chrono>
#include <system_error>

namespace ff::engine {

CompileAhead::CompileAhead(Engine &engine, const loader::TensorSource &source,
                           const loader::ModelDescription &description, const model::WeightOptions &weights)
    : engine_(engine) {
    const auto work = [this, &source, description, type = weights.type] { // progress and messages are the loader's
        try {
            run(source, description, {.type = type});
        } catch (const std::exception &) { // no exception leaves a thread; the loader meets what caused it
        }
    };
    try {
        thread_ = std::thread(work);
    } catch (const std::system_error &) { // without threads it only takes longer
    }
}

CompileAhead::~CompileAhead() {
    (void)finish();
}

CompileAhead::Made CompileAhead::finish() {
    const bool decode_made = decode_made_;
    const auto start = std::chrono::steady_clock::now();
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
    if (decode_made) made_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return made_;
}

void CompileAhead::run(const loader::TensorSource &source, const loader::ModelDescription &description,
                       const model::WeightOptions &weights) {
    gpu::DeviceInfo device = engine_.device()->info();
    device.traits = engine_.device()->traits(); // as profile, deny list and tuning leave them
    const Result<model::FirstLaunches> launches = model::first_launches(device, source, description, weights);
    if (launches && !stopped_) compile(*launches);
}

void CompileAhead::compile(const model::FirstLaunches &launches) {
    const auto going_on = [this](auto...) { return !stopped_; };
    const gpu::PipelineSet::Statistics before = engine_.pipelines().statistics();
    const bool all = engine_.compile(launches.decode, going_on).ok();
    const gpu::PipelineSet::Statistics after = engine_.pipelines().statistics();
    made_ = {after.seconds - before.seconds, after.cache_bytes_added - before.cache_bytes_added};
    decode_made_ = true;
    // GLSL of a folder is compiled before anything could stop it: that of prompts waits until there is one.
    if (all && engine_.options().shader_directory.empty()) (void)engine_.compile(launches.prompt, going_on);
}

} // namespace ff::engine
