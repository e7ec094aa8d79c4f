// A model loaded by a thread of its own, as far as it is let.
#pragma once

#include "runtime/engine/model.h"

#include <condition_variable>
#include <thread>

namespace ff::engine {

struct LoadProgress {
    bool finished = false;
    std::string_view stage;
    std::uint64_t done = 0, total = 0; // of the stage
};

// Used from one thread, beside the loading one.
class ModelLoad {
  public:
    ModelLoad(std::shared_ptr<Engine> engine, std::shared_ptr<const loader::TensorSource> source,
              loader::ModelDescription description, ModelOptions options);
    ~ModelLoad(); // stops the thread and waits for it

    // Lets `bytes` more of the weights pass. Fails with what the load has failed with.
    Result<LoadProgress> step(std::uint64_t bytes);
    // Lets all of them pass, and waits. Gives the model once.
    Result<std::shared_ptr<Model>> finish();

  private:
    void run();
    void allow(std::uint64_t bytes);
    // On the loading thread: waits until more may pass; false: stop.
    bool pass(std::string_view stage, std::uint64_t done, std::uint64_t total);

    std::shared_ptr<Engine> engine_;
    const std::shared_ptr<const loader::TensorSource> source_;
    const loader::ModelDescription description_;
    ModelOptions options_;

    std::mutex mutex_;
    std::condition_variable changed_;
    LoadProgress progress_;
    std::uint64_t allowed_ = 0; // of the weights' bytes, from the beginning
    bool stopped_ = false;
    std::optional<Result<std::shared_ptr<Model>>> outcome_;
    std::thread thread_; // last: it uses all of the above
};

} // namespace ff::engine
