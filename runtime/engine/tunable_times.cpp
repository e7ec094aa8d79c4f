#include "runtime/engine/tunable_times.h"

#include "runtime/engine/batch.h"
#include "runtime/engine/spread_tokens.h"
#include "runtime/kernels/tuning.h"

#include <chrono>
#include <set>

namespace ff::engine {
namespace {

using Clock = std::chrono::steady_clock;
using Keys = std::set<std::string>;

constexpr std::uint32_t kSteps = 40, kPrompts = 5, kBatchSteps = 16, kWarmSteps = 2; // a device that was idle clocks low

double microseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void add(const Keys &keys, double microseconds, TunableTimes &times) {
    for (const std::string &key : keys) times.by_key[key].push_back(microseconds);
}

// Of those that no other step has shown.
Keys keys_of(std::span<const kernels::Launch> launches, std::size_t candidate, TunableTimes &times) {
    Keys keys;
    for (const kernels::Launch &launch : launches)
        if (const auto &tunable = launch.tuning.tunable;
            tunable && candidate < tunable->candidates.size() && !times.by_key.contains(tunable->key)) {
            times.tunables[tunable->key] = tunable;
            keys.insert(tunable->key);
        }
    return keys;
}

// Every key gets the time of the whole step: the best round decides for all of them together.
Result<void> time_whole_steps(Session &session, const Keys &keys, TunableTimes &times) {
    const std::uint32_t any = 0;
    FF_TRY(session.prefill(std::span(&any, 1), nullptr));
    GenerateOptions options;
    options.count = 8;
    options.sampling.temperature = 0;
    for (std::uint32_t i = 0; i < kSteps / 2; ++i) {
        const auto start = Clock::now();
        FF_TRY(session.generate(options));
        if (i >= kWarmSteps) add(keys, microseconds_since(start) / 8, times);
    }
    return {};
}

Result<void> time_steps(const Model &model, Session &session, TunableTimes &times) {
    const std::span<const kernels::Launch> launches(model.loaded().plan().launches);
    const Keys keys = keys_of(launches, 0, times);
    const Result<std::vector<std::vector<double>>> taken = session.launch_times(kSteps);
    times.by_timestamps = taken.ok();
    if (!taken.ok())
        return taken.error().status == Status::unsupported ? time_whole_steps(session, keys, times) : taken.error();
    for (const std::vector<double> &step : *taken) {
        std::map<std::string, double> sums;
        for (std::size_t i = 0; i < launches.size(); ++i)
            if (launches[i].tuning.tunable) sums[launches[i].tuning.tunable->key] += step[i + 1] - step[i];
        for (const auto &[key, sum] : sums) times.by_key[key].push_back(sum);
    }
    return {};
}

Result<void> time_prompts(const Model &model, Session &session, std::size_t candidate, TunableTimes &times) {
    const model::WidePlan &plan = model.loaded().prompt_plan();
    const Keys keys = keys_of(plan.body.launches, candidate, times);
    if (keys.empty()) return {};
    const std::vector<std::uint32_t> prompt = spread_tokens(plan.rows, model.description().vocabulary);
    for (std::uint32_t i = 0; i < kPrompts + 1; ++i) {
        const auto start = Clock::now();
        FF_TRY(session.prefill(prompt, nullptr));
        if (i > 0) add(keys, microseconds_since(start), times); // the first compiles pipelines
    }
    return {};
}

Result<void> time_batch(const std::shared_ptr<Model> &model, std::uint32_t sessions, std::size_t candidate,
                        TunableTimes &times) {
    FF_TRY_ASSIGN(const std::unique_ptr<Batch> batch, Batch::create(model, sessions));
    Keys keys;
    {
        const std::lock_guard lock(model->mutex());
        FF_TRY_ASSIGN(const WideStep *const step, model->wide_step(sessions, sessions));
        keys = keys_of(step->plan().body.launches, candidate, times);
    }
    if (keys.empty()) return {};
    for (const std::uint32_t token : spread_tokens(sessions, model->description().vocabulary)) {
        BatchRequest request;
        request.prompt = {token};
        request.options.count = kBatchSteps + kWarmSteps;
        request.options.sampling.temperature = 0;
        FF_TRY_ASSIGN(std::shared_ptr<Session> session, Session::create(model));
        FF_TRY(batch->add(std::move(session), std::move(request)));
    }
    for (std::uint32_t i = 0; i < kBatchSteps + kWarmSteps; ++i) {
        const auto start = Clock::now();
        FF_TRY(batch->run(1));
        if (i >= kWarmSteps) add(keys, microseconds_since(start), times);
    }
    return {};
}

} // namespace

Result<TunableTimes> time_tunables(const std::shared_ptr<Model> &model, std::size_t candidate) {
    TunableTimes times;
    {
        FF_TRY_ASSIGN(const std::unique_ptr<Session> session, Session::create(model));
        FF_TRY(time_steps(*model, *session, times));
        if (!model->loaded().reads_wide()) return times;
        FF_TRY(time_prompts(*model, *session, candidate, times));
    }
    for (const std::uint32_t sessions : model::kBatchRows)
        if (sessions <= kernels::kFewTokens && sessions <= model->loaded().prompt_plan().rows)
            FF_TRY(time_batch(model, sessions, candidate, times));
    return times;
}

} // namespace ff::engine
