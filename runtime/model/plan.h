// A checkpoint on the device, and the Plan of a decode step over it: the list of kernel launches of one token.
#pragma once

#include "runtime/model/architecture.h"
#include "shaders/lib/interface.h"

namespace ff::model {

struct Plan {
    std::vector<kernels::Launch> launches;
    std::uint64_t bytes() const; // that a step must move
    // Which launches a recorder puts a barrier before; the same decision, without recording.
    std::vector<bool> barriers_before() const;
};

// The same for up to `rows` tokens of up to `runs` sessions, with the memory it works in.
struct WidePlan {
    std::uint32_t rows, runs;
    Scratch scratch;
    std::vector<kernels::Parameters> tables; // one; a vector because it has no default
    Plan body;                               // from the control block to the x of every row
    // Logits of every row [rows, V]; the buffer they go to is the engine's, which sets the last launches' binding
    // shader::kMatmulOut.
    Plan all_logits;
    Plan end; // the logits that are wanted, to their slots; tokens are sampled, the control block is brought up to date
    // Fails with unsupported where a launch's variant is denied and nothing can take its place.
    Result<void> check_not_denied(const gpu::DeviceTraits &traits) const;
};

// Rows of a batch's steps that decode: a token of each session. A step costs nearly the same however many of its rows are
// used.
constexpr std::uint32_t kBatchRows[] = {2, 8, 32, shader::kMostRuns};

struct LoadOptions {
    WeightOptions weights;
    std::uint32_t slots = 4;   // states
    std::uint32_t entries = 4; // sessions in the control block
    std::uint64_t upload_ring_bytes = 32ULL << 20;
};

// Enough to fill all but large devices; slices, and batches, in which others wait for a prompt's step, have no longer ones.
constexpr std::uint32_t kPromptRows = 128;

class LoadedModel {
  public:
    static Result<std::unique_ptr<LoadedModel>> load(std::shared_ptr<gpu::Device> device,
                                                     const loader::TensorSource &source,
                                                     const loader::ModelDescription &description,
                                                     const LoadOptions &options);

    const loader::ModelDescription &description() const { return description_; }
    const Plan &plan() const { return plan_; }
    // The same with the head, the longest launch by far, in pieces: a slice can be no shorter than a launch.
    const Plan &sliced_plan() const { return sliced_plan_; }
    // For up to kPromptRows tokens of one prompt.
    const WidePlan &prompt_plan() const { return *prompt_plan_; }
    // Tokens of a long prompt that are worth a step: no fewer than prompt_plan() has, whose memory is taken at load.
    std::uint32_t long_prompt_rows() const { return long_prompt_rows_; }
    // Whether prompts may be read so: not where the deny list leaves a wide kernel no variant.
    bool reads_wide() const { return reads_wide_; }
    // At most long_prompt_rows() rows and kMostRuns runs.
    Result<std::unique_ptr<WidePlan>> make_wide_plan(const std::shared_ptr<gpu::Device> &device,
                                                     gpu::Uploader &uploader, std::uint32_t rows, std::uint32_t runs);
    std::uint64_t wide_plan_bytes(std::uint32_t rows, std::uint32_t runs, const gpu::DeviceTraits &traits) const;
    const StateStore &states() const { return states_.front(); }
    gpu::BufferView control() const { return control_.view(); } // ControlHeader, then the entries
    gpu::BufferView logits(std::uint32_t slot) const;           // [V]
    gpu::BufferView history(std::uint32_t slot) const;          // [V], counts of produced tokens
    gpu::BufferView scratch() const { return scratch_.view(); }
    gpu::BufferView residual() const { return scratch_.get("x").view; } // of a decode step, in scratch()
    const kernels::Parameters &parameters() const { return parameters_.front(); }
    std::uint64_t device_bytes() const { return device_bytes_; }

  private:
    LoadedModel() = default;
    Result<void> build_plan(const gpu::DeviceTraits &traits);
    Result<void> build_wide_plan(WidePlan &plan, const gpu::DeviceTraits &traits);
    std::uint64_t table_bytes(const gpu::DeviceTraits &traits) const;

    loader::ModelDescription description_;
    std::unique_ptr<Architecture> architecture_;
    std::vector<gpu::Arena> weights_; // one each; vectors because these have no default
    std::vector<kernels::Parameters> parameters_;
    std::vector<StateStore> states_;
    Scratch scratch_;
    gpu::Buffer control_, logits_, history_;
    kernels::Matrix embedding_, head_;
    std::uint32_t ln0_ = 0, ln_out_ = 0;
    Plan plan_, sliced_plan_;
    std::unique_ptr<WidePlan> prompt_plan_;
    std::uint32_t long_prompt_rows_ = 0;
    bool reads_wide_ = true;
    std::uint64_t matrix_bytes_ = 0, device_bytes_ = 0;
};

} // namespace ff::model
