#include "runtime/engine/model_load.h"

#include <algorithm>
#include <new>

namespace ff::engine {
namespace {

constexpr std::string_view kWeights = "loading weights";
constexpr std::uint64_t kRingBytes = 4ULL << 20; // the uploader's pieces are a quarter of it

} // namespace

ModelLoad::ModelLoad(std::shared_ptr<Engine> engine, std::shared_ptr<const loader::TensorSource> source,
                     loader::ModelDescription description, ModelOptions options)
    : engine_(std::move(engine)), source_(std::move(source)), description_(std::move(description)),
      options_(std::move(options)) {
    progress_.stage = kWeights;
    options_.upload_ring_bytes = kRingBytes;
    options_.weights.progress = [this, told = std::move(options_.weights.progress)](
                                    std::string_view stage, unsigned long long done, unsigned long long total) {
        return (!told || told(stage, done, total)) && pass(stage, done, total);
    };
    thread_ = std::thread([this] { run(); });
}

ModelLoad::~ModelLoad() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void ModelLoad::run() {
    Result<std::shared_ptr<Model>> model = Error{Status::cancelled, "loading was stopped"};
    try {
        if (pass(kWeights, 0, 0)) model = Model::create(engine_, *source_, description_, options_);
    } catch (const std::bad_alloc &) { // no exception leaves a thread
        model = Error{Status::out_of_host_memory, source_->path() + ": out of host memory"};
    } catch (const std::exception &exception) {
        model = Error{Status::internal, source_->path() + ": " + exception.what()};
    }
    const std::lock_guard lock(mutex_);
    progress_.finished = true;
    outcome_ = std::move(model);
    changed_.notify_all();
}

bool ModelLoad::pass(std::string_view stage, std::uint64_t done, std::uint64_t total) {
    std::unique_lock lock(mutex_);
    progress_.stage = stage;
    progress_.done = done;
    if (total != 0) progress_.total = total;
    if (stage == kWeights) changed_.wait(lock, [&] { return stopped_ || done < allowed_; });
    return !stopped_;
}

void ModelLoad::allow(std::uint64_t bytes) {
    allowed_ += std::min(bytes, ~std::uint64_t{0} - allowed_);
    changed_.notify_all();
}

Result<LoadProgress> ModelLoad::step(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (outcome_ && !outcome_->ok()) return outcome_->error();
    allow(bytes);
    return progress_;
}

Result<std::shared_ptr<Model>> ModelLoad::finish() {
    std::unique_lock lock(mutex_);
    allow(~std::uint64_t{0});
    changed_.wait(lock, [&] { return outcome_.has_value(); });
    if (!outcome_->ok()) return outcome_->error();
    if (outcome_->value() == nullptr) return Error{Status::argument, "the load has handed over its model already"};
    return std::exchange(outcome_->value(), nullptr);
}

} // namespace ff::engine
