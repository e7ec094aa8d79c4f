#include "runtime/engine/tuned_check.h"

#include "runtime/engine/batch.h"
#include "runtime/engine/spread_tokens.h"
#include "runtime/kernels/tuning.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>

namespace ff::engine {
namespace {

constexpr std::size_t kCheckedSteps = 4;
// What tests allow between two orders of summation in float32, relative to logits above one (tests/models/prefill_test.cpp).
constexpr double kTolerance = 3e-4;

// The logits of the last of so many sessions, a token after steps that they shared.
Result<void> answer_of_batch(const std::shared_ptr<Model> &model, std::uint32_t sessions, std::vector<float> &logits) {
    const std::uint32_t vocabulary = model->description().vocabulary;
    FF_TRY_ASSIGN(const std::unique_ptr<Batch> batch, Batch::create(model, sessions));
    std::shared_ptr<Session> session;
    for (const std::uint32_t token : spread_tokens(sessions, vocabulary)) {
        BatchRequest request;
        request.prompt = {token};
        request.options.count = kCheckedSteps;
        request.options.sampling.temperature = 0;
        request.options.sampling.logit_bias = {{token, 1e6F}}; // whatever the logits are, every model reads the same
        FF_TRY_ASSIGN(session, Session::create(model));
        FF_TRY(batch->add(session, std::move(request)));
    }
    FF_TRY(batch->run(0));
    logits.resize(logits.size() + vocabulary);
    const std::uint32_t next = 0;
    return session->prefill(std::span(&next, 1), logits.data() + logits.size() - vocabulary);
}

} // namespace

Result<std::vector<float>> answers_of(const std::shared_ptr<Model> &model) {
    const std::uint32_t vocabulary = model->description().vocabulary;
    FF_TRY_ASSIGN(std::unique_ptr<Session> session, Session::create(model));
    std::vector<float> logits(kCheckedSteps * vocabulary);
    session->set_chunk(1);
    FF_TRY(session->evaluate(spread_tokens(kCheckedSteps, vocabulary), logits.data()));
    if (!model->loaded().reads_wide()) return logits;
    session->set_chunk(0);
    FF_TRY(session->reset());
    logits.resize((kCheckedSteps + 2) * vocabulary);
    const std::vector<std::uint32_t> prompt = spread_tokens(model->loaded().prompt_plan().rows, vocabulary);
    FF_TRY(session->prefill(prompt, logits.data() + kCheckedSteps * vocabulary));
    FF_TRY(session->prefill(std::span(prompt).first(1), logits.data() + (kCheckedSteps + 1) * vocabulary));
    session.reset();
    for (const std::uint32_t sessions : model::kBatchRows)
        if (sessions <= kernels::kFewTokens && sessions <= model->loaded().prompt_plan().rows)
            FF_TRY(answer_of_batch(model, sessions, logits));
    return logits;
}

std::string difference_of(std::span<const float> tuned, std::span<const float> table) {
    assert(tuned.size() == table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        const double got = static_cast<double>(tuned[i]), want = static_cast<double>(table[i]);
        const double error = std::fabs(got - want) / std::max(1.0, std::fabs(want));
        if (!(error <= kTolerance) && std::isfinite(want)) // written so that a NaN differs
            return fmt::format("a logit is {:.7g}, with the table's numbers {:.7g}", got, want);
    }
    return {};
}

Result<std::vector<WrongValue>> wrong_ones(const TunedValues &values, const FindDifference &find) {
    std::vector<WrongValue> wrong;
    if (values.empty()) return wrong;
    FF_TRY_ASSIGN(std::string why, find(values));
    if (why.empty()) return wrong;
    TunedValues rest;
    for (const gpu::DeviceTraits::Tuned &each : values) {
        FF_TRY_ASSIGN(std::string alone, find({each}));
        if (alone.empty()) rest.push_back(each);
        else wrong.push_back({each.key, std::move(alone)});
    }
    if (!wrong.empty() && !rest.empty()) {
        FF_TRY_ASSIGN(why, find(rest));
    }
    if (!why.empty())
        for (const gpu::DeviceTraits::Tuned &each : rest) wrong.push_back({each.key, why});
    return wrong;
}

} // namespace ff::engine
