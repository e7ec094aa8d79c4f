// Whether a model computes the same with tuned values as with the table's: the same but for the order of sums.
#pragma once

#include "runtime/engine/model.h"

#include <functional>

namespace ff::engine {

// Logits of decode steps, behind a prompt and a decode step that goes on from it, and behind batches: wherever values are tuned. The
// model may have kernels::kFewTokens sessions.
Result<std::vector<float>> answers_of(const std::shared_ptr<Model> &model);
// The first of these logits that differs by more than another order of sums makes, in words; "" if none does.
std::string difference_of(std::span<const float> tuned, std::span<const float> table);

struct WrongValue {
    std::string key, why;
};
// What differs with these values, in words; "" if nothing does.
using FindDifference = std::function<Result<std::string>(const TunedValues &values)>;
// Which of `values` must not be kept: those that differ alone, and, if the rest still does together, all of the rest.
Result<std::vector<WrongValue>> wrong_ones(const TunedValues &values, const FindDifference &find);

} // namespace ff::engine
