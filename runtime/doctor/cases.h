// The little models that a self-test walks: together their steps have every kernel in every variant.
#pragma once

#include "runtime/doctor/random_model.h"
#include "runtime/doctor/walk.h"
#include "runtime/engine/engine.h"

namespace ff::doctor {

struct Case {
    loader::Version version;
    loader::DType weights; // of matrices; beside blocks the rest is bf16
    std::string name() const; // "7.0 with q4_k weights"
};
// In the order in which they are worth a short test.
std::vector<Case> all_cases();

// One of a case's kinds of step.
struct StepKind {
    std::uint32_t rows, runs; // 1 row: a decode step
    std::string name() const; // "wide step of 40 rows"
};
std::span<const StepKind> step_kinds();

// Whether a step with these launches is worth a walk, before anything is compiled.
using Wanted = std::function<bool(std::span<const kernels::Launch>)>;
// Told of a launch's variant before the driver compiles it, and before it runs.
using Begin = std::function<void(const kernels::Variant &)>;
// Whether the walk goes on.
using SeenLaunch = std::function<bool(const kernels::Launch &, const std::optional<Finding> &)>;
// Loads the case's model and walks its steps of one kind, several tokens long.
Result<void> walk_case(engine::Engine &engine, const Case &which, const StepKind &kind, const Wanted &wanted,
                       const Begin &begin, const SeenLaunch &seen);

} // namespace ff::doctor
