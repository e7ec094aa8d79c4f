// Pipelines made while a model's weights are on their way: those of its decode step, then those of the step that reads a
// prompt, as far as loading leaves time. Which they are is told by the model's plans on an imagined device.
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/model/choices.h"

#include <atomic>
#include <thread>

namespace ff::engine {

class CompileAhead {
  public:
    // The engine and the source, of which no tensor is read, must outlive it. Where no thread can be had, nothing is made.
    CompileAhead(Engine &engine, const loader::TensorSource &source, const loader::ModelDescription &description,
                 const model::WeightOptions &weights);
    ~CompileAhead(); // finish()

    struct Made {
        double seconds = 0;            // for the decode step's, and what finish() waited for a prompt's
        std::uint64_t cache_bytes = 0; // that the cache did not have of the decode step's
    };
    // Stops, after the pipelines that are under way: whoever needs more compiles them, with progress told. Nor is told what
    // failed: it fails there again.
    Made finish();

  private:
    void run(const loader::TensorSource &source, const loader::ModelDescription &description,
             const model::WeightOptions &weights);
    void compile(const model::FirstLaunches &launches);

    Engine &engine_;
    Made made_;
    std::atomic<bool> decode_made_ = false, stopped_ = false;
    std::thread thread_;
};

} // namespace ff::engine
