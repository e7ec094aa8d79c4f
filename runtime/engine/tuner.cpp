#include "runtime/engine/tuner.h"

#include "runtime/engine/tunable_times.h"
#include "runtime/engine/tuned_check.h"
#include "runtime/kernels/tuning.h"

#include <algorithm>
#include <filesystem>

namespace ff::engine {
namespace {

using Samples = TunableTimes::Samples;

constexpr double kLeastGain = 0.03; // below it a choice is not worth a difference to other machines

double quantile(Samples samples, double share) {
    std::ranges::sort(samples);
    return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1) + 0.5)];
}
double median(const Samples &samples) {
    return quantile(samples, 0.5);
}

// Faster by more than the least gain, and most of its samples below most of the others.
bool is_better(const Samples &candidate, const Samples &table) {
    return median(candidate) < (1 - kLeastGain) * median(table) && quantile(candidate, 0.75) < quantile(table, 0.25);
}

class Tuner {
  public:
    Tuner(const Engine &engine, const loader::TensorSource &source, const loader::ModelDescription &description,
          const model::WeightOptions &weights, const ProgressFunction &progress)
        : options_(engine.options()), source_(source), description_(description), weights_(weights), progress_(progress) {
        options_.ignore_tuning = options_.ignore_deny_list = true;
        options_.device = engine.device()->info().uuid; // also where the program brought the device
        options_.denied = engine.device()->traits().denied;
        if (!options_.cache_directory.empty()) // pipelines that are made once, and mostly not wanted again
            options_.cache_directory = (std::filesystem::path(options_.cache_directory) / "tune").string();
    }

    Result<Tuning> run() {
        FF_TRY_ASSIGN(TunableTimes first, measure({}));
        std::size_t most = 0;
        for (const auto &[key, tunable] : first.tunables) most = std::max(most, tunable->candidates.size());
        rounds_ = most + 5; // the candidates, then the table's and the winners, twice, and what both compute
        std::map<std::string, std::size_t> best; // which candidate
        std::map<std::string, Samples> best_samples = first.by_key;
        for (std::size_t round = 1; round < most; ++round) {
            const auto candidate = [&](const kernels::Tunable &tunable) { return round < tunable.candidates.size() ? round : 0; };
            FF_TRY_ASSIGN(const TunableTimes measured, measure(choices(first, candidate), round));
            for (const auto &[key, samples] : measured.by_key)
                if (round < first.tunables.at(key)->candidates.size() && median(samples) < median(best_samples[key])) {
                    best[key] = round;
                    best_samples[key] = samples;
                }
        }
        const auto winner = [&](const kernels::Tunable &tunable) { return best.contains(tunable.key) ? best[tunable.key] : 0; };
        FF_TRY_ASSIGN(const TunableTimes winners, measure(choices(first, winner)));
        FF_TRY_ASSIGN(const TunableTimes table, measure({}));
        FF_TRY_ASSIGN(const TunableTimes again, measure(choices(first, winner)));
        Tuning tuning = summary(first, winners, table, again, best);
        FF_TRY(leave_out_wrong(tuning));
        return tuning;
    }

  private:
    template <class Choose>
    static TunedValues choices(const TunableTimes &first, Choose &&choose) {
        TunedValues values;
        for (const auto &[key, tunable] : first.tunables)
            if (const std::size_t index = choose(*tunable); index != 0) values.push_back({key, tunable->candidates[index]});
        return values;
    }

    Result<std::shared_ptr<Model>> load(TunedValues values, std::string_view what) {
        const std::size_t done = done_++;
        if (progress_ && !progress_(what, done, std::max(rounds_, done_)))
            return Error{Status::cancelled, "tuning was stopped"};
        EngineOptions options = options_;
        options.tuned = std::move(values);
        FF_TRY_ASSIGN(std::shared_ptr<Engine> engine, Engine::create(options));
        ModelOptions model_options;
        model_options.weights = weights_;
        model_options.max_sessions = kernels::kFewTokens; // batches are measured, too
        return Model::create(engine, source_, description_, model_options);
    }

    // `candidate`: the number of those that are new in this round.
    Result<TunableTimes> measure(TunedValues values, std::size_t candidate = 0) {
        FF_TRY_ASSIGN(const std::shared_ptr<Model> model, load(std::move(values), "measuring"));
        return time_tunables(model, candidate);
    }

    // Faster is not better where a driver makes something else of a shader with these numbers.
    Result<void> leave_out_wrong(Tuning &tuning) {
        TunedValues values;
        for (const TuningResult &result : tuning.results)
            if (result.better) values.push_back({result.key, result.after});
        if (values.empty()) return {};
        FF_TRY_ASSIGN(const std::shared_ptr<Model> model, load({}, "comparing"));
        FF_TRY_ASSIGN(const std::vector<float> table, answers_of(model));
        FF_TRY_ASSIGN(const std::vector<WrongValue> wrong,
                      wrong_ones(values, [&](const TunedValues &some) -> Result<std::string> {
                          FF_TRY_ASSIGN(const std::shared_ptr<Model> other, load(some, "comparing"));
                          FF_TRY_ASSIGN(const std::vector<float> answers, answers_of(other));
                          return difference_of(answers, table);
                      }));
        for (const WrongValue &each : wrong) {
            TuningResult &result = *std::ranges::find(tuning.results, each.key, &TuningResult::key);
            result.better = false;
            result.trouble = each.why;
        }
        return {};
    }

    static Tuning summary(const TunableTimes &first, const TunableTimes &winners, const TunableTimes &table, const TunableTimes &again,
                          const std::map<std::string, std::size_t> &best) {
        Tuning tuning;
        tuning.by_timestamps = first.by_timestamps;
        for (const auto &[key, tunable] : first.tunables) {
            if (!table.by_key.contains(key) || !winners.by_key.contains(key) || !again.by_key.contains(key)) continue;
            const auto chosen = best.find(key);
            const std::size_t index = chosen == best.end() ? 0 : chosen->second;
            // The quicker of both times that the table was measured: a device that warmed up is no better choice.
            const Samples &one = first.by_key.at(key), &other = table.by_key.at(key);
            const Samples &reference = median(one) < median(other) ? one : other;
            const bool better = index != 0 && is_better(winners.by_key.at(key), reference) &&
                                is_better(again.by_key.at(key), reference);
            tuning.results.push_back({key, tunable->candidates[0], tunable->candidates[index], median(reference),
                                      median(again.by_key.at(key)), better,
                                      static_cast<std::uint32_t>(tunable->candidates.size()), {}});
        }
        return tuning;
    }

    EngineOptions options_;
    const loader::TensorSource &source_;
    const loader::ModelDescription &description_;
    const model::WeightOptions &weights_;
    const ProgressFunction &progress_;
    std::size_t rounds_ = 1, done_ = 0;
};

} // namespace

Result<Tuning> tune(const Engine &engine, const loader::TensorSource &source,
                    const loader::ModelDescription &description, const model::WeightOptions &weights,
                    const ProgressFunction &progress) {
    return Tuner(engine, source, description, weights, progress).run();
}

TunedValues to_keep(const Tuning &tuning, const TunedValues &before) {
    TunedValues kept;
    for (const gpu::DeviceTraits::Tuned &each : before)
        if (std::ranges::none_of(tuning.results, [&](const TuningResult &result) { return result.key == each.key; }))
            kept.push_back(each);
    for (const TuningResult &result : tuning.results)
        if (result.better) kept.push_back({result.key, result.after});
    return kept;
}

} // namespace ff::engine
