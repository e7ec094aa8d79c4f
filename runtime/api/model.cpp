#include "runtime/api/objects.h"

#include <fmt/format.h>

using namespace ff;

namespace {

std::vector<LaunchText> launch_texts(const model::Plan &plan) {
    std::vector<LaunchText> texts(plan.launches.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const kernels::Launch &launch = plan.launches[i];
        texts[i].kernel = launch.variant->kernel;
        texts[i].variant = launch.variant->name;
        for (const kernels::NamedUse &use : launch.uses) texts[i].names.push_back(use.name);
        for (std::size_t j = 0; j < launch.uses.size(); ++j) {
            if (launch.uses[j].access != gpu::Access::write) texts[i].reads.push_back(texts[i].names[j].c_str());
            if (launch.uses[j].access != gpu::Access::read) texts[i].writes.push_back(texts[i].names[j].c_str());
        }
    }
    return texts;
}

} // namespace

api::ModelOrigin api::origin_of(const ff_checkpoint &checkpoint) {
    return {checkpoint.version, std::string(checkpoint.source->container()), checkpoint.tokenizer};
}

Result<engine::ModelOptions> api::model_options(const ff_engine &engine, const ff_model_options *given) {
    const ff_model_options options = from_caller(given, ff_model_options FF_MODEL_OPTIONS_INIT);
    engine::ModelOptions ours;
    FF_TRY_ASSIGN(ours.weights.type, weights_named(options.weights));
    if (options.max_sessions) ours.max_sessions = options.max_sessions;
    ours.state_memory_bytes = options.state_memory_bytes;
    ours.weights.log = engine.engine->options().log;
    ours.weights.progress = progress_function(options.progress, options.progress_payload);
    return ours;
}

std::unique_ptr<ff_model> api::model_handle(std::shared_ptr<engine::Model> model, const ModelOrigin &origin) {
    auto handle = std::make_unique<ff_model>();
    handle->launches = launch_texts(model->loaded().plan());
    handle->model = std::move(model);
    handle->version = origin.version;
    handle->container = origin.container;
    handle->tokenizer = origin.tokenizer;
    return handle;
}

ff_status ff_model_create(ff_model **out, ff_engine *engine, const ff_checkpoint *checkpoint,
                          const ff_model_options *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !engine || !checkpoint) return api::null_argument(!out ? "out" : !engine ? "engine" : "checkpoint");
        if (!checkpoint->description.ok()) return checkpoint->description.error();
        FF_TRY_ASSIGN(const engine::ModelOptions options, api::model_options(*engine, given));
        FF_TRY_ASSIGN(std::shared_ptr<engine::Model> model,
                      engine::Model::create(engine->engine, *checkpoint->source, *checkpoint->description, options));
        *out = api::model_handle(std::move(model), api::origin_of(*checkpoint)).release();
        return {};
    });
}

void ff_model_destroy(ff_model *model) {
    delete model;
}

ff_status ff_model_info_get(const ff_model *model, ff_model_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!model || !out) return api::null_argument(model ? "out" : "model");
        ff_model_info info = api::model_info(model->model->description());
        info.version = model->version.c_str();
        info.container = model->container.c_str();
        info.tokenizer = model->tokenizer.c_str();
        api::to_caller(info, out);
        return {};
    });
}

ff_status ff_model_statistics_get(const ff_model *model, ff_model_statistics *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!model || !out) return api::null_argument(model ? "out" : "model");
        const engine::ModelStatistics statistics = model->model->statistics();
        ff_model_statistics ours{};
        ours.struct_size = sizeof ours;
        ours.device_bytes = model->model->loaded().device_bytes();
        ours.bytes_read_per_token = model->model->loaded().plan().bytes();
        ours.launches_per_token = model->model->launches_per_step();
        ours.barriers_per_token = model->model->barriers_per_step();
        ours.recordings = statistics.recordings;
        ours.pipelines = statistics.pipelines;
        ours.pipeline_cache_hit = statistics.pipeline_cache_hit;
        ours.load_seconds = statistics.load_seconds;
        ours.pipeline_seconds = statistics.pipeline_seconds;
        ours.slice_bytes = model->model->lanes().bytes();
        const engine::StatePager::Statistics paged = model->model->pager().statistics();
        ours.resident_sessions = paged.slots;
        ours.states_in = paged.ins;
        ours.states_out = paged.outs;
        ours.tunable_launches = model->model->step_counts().tunable;
        ours.tuned_launches = model->model->step_counts().measured;
        ours.submissions = statistics.submissions;
        ours.launches = statistics.launches;
        ours.tuned_replayed = statistics.tuned_launches;
        ours.tunable_replayed = statistics.tunable_launches;
        api::to_caller(ours, out);
        return {};
    });
}

size_t ff_model_launch_count(const ff_model *model) {
    return model ? model->launches.size() : 0;
}

ff_status ff_model_launch(const ff_model *model, size_t index, ff_launch_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!model || !out) return api::null_argument(model ? "out" : "model");
        if (index >= model->launches.size())
            return Error{Status::argument, fmt::format("launch {} of {}", index, model->launches.size())};
        const kernels::Launch &launch = model->model->loaded().plan().launches[index];
        const LaunchText &text = model->launches[index];
        ff_launch_info info{};
        info.struct_size = sizeof info;
        info.kernel = text.kernel.c_str();
        info.variant = text.variant.c_str();
        info.layer = launch.layer;
        info.reads = text.reads.data();
        info.read_count = text.reads.size();
        info.writes = text.writes.data();
        info.write_count = text.writes.size();
        info.bytes = launch.bytes;
        info.barrier_before = model->model->barrier_before()[index];
        std::copy(launch.groups.begin(), launch.groups.end(), info.groups);
        api::to_caller(info, out);
        return {};
    });
}
