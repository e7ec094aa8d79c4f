// Tensors from a file onto the device: matrices into the weight arena, in rows of whole groups; vectors into the
// parameter block, as float32.
#pragma once

#include "loader/description.h"
#include "runtime/base/log.h"
#include "runtime/kernels/matrix.h"
#include "runtime/kernels/parameters.h"

#include <functional>
#include <optional>

namespace ff::model {

struct WeightOptions {
    std::optional<loader::DType> type; // what matrices are kept as (quant/policy.h: loaded_as); nothing: as stored
    ProgressFunction progress{};
    LogFunction log{};
};

// How a tensor becomes rows of outputs.
enum class Stored : std::uint8_t {
    output_major,  // [out, in], nn.Linear's own order
    input_major,   // [in, out]
    input_batches, // [batch, in, out], kept as [batch * out, in]
};

// One matrix of a group that kernels want as neighbours. `parts` > 1 takes the `part`-th of equal runs of its outputs.
struct MatrixRequest {
    std::string name;
    Stored stored = Stored::output_major;
    std::uint32_t part = 0, parts = 1;
    bool plain = false;    // never in a block format
    bool by_input = false; // kept so on the device: for inputs that are mostly zero
};

class WeightLoader {
  public:
    WeightLoader(std::shared_ptr<gpu::Device> device, const loader::TensorSource &source, gpu::Arena &arena,
                 gpu::Arena &host_arena, kernels::Parameters &parameters, gpu::Uploader &uploader,
                 const WeightOptions &options);

    // The matrices of one launch: side by side in one buffer where the device allows an allocation of that size. Plain
    // ones are all of one type, or of 16 bits and f32 (all f32, if the file mixes more).
    Result<std::vector<kernels::Matrix>> matrices(std::span<const MatrixRequest> requests);
    // Plain matrices that a kernel walks by itself: all of one type.
    Result<std::vector<kernels::Matrix>> run_of_one_type(std::span<const MatrixRequest> requests);
    Result<kernels::Matrix> matrix(const MatrixRequest &request);
    // A table of which a step reads one row: it stays in host memory where the device's own is apart.
    Result<kernels::Matrix> table(const std::string &name);

    // Appends a tensor of any shape as one float32 vector, each value passed through `transform` (if any); returns its
    // place.
    Result<std::uint32_t> vector(const std::string &name, const std::function<double(double)> &transform = {});
    // A LayerNorm's weight and bias, one after the other; returns the place of the weight.
    Result<std::uint32_t> norm(const std::string &name);
    // One value a head, repeated for each of its channels.
    Result<std::uint32_t> vector_of_heads(const std::string &name, std::uint32_t head_size,
                                          const std::function<double(double)> &transform = {});
    // Rows [rows, columns] as vectors one after the other; returns the place of the first.
    Result<std::uint32_t> vectors_of_rows(const std::string &name);
    Result<std::uint32_t> zeros(std::uint32_t count);

  private:
    Result<std::size_t> index_of(const std::string &name) const;
    Result<std::vector<kernels::Matrix>> allocate_and_upload(gpu::Arena &arena,
                                                             std::span<const MatrixRequest> requests, bool run);
    kernels::WeightType type_of(const MatrixRequest &request, const loader::TensorInfo &tensor) const;
    // A tensor as stored, as far as it has to be read: `units` equal runs of its bytes, or the first of them, that repeat.
    struct StoredTensor {
        loader::TensorBytes bytes;
        std::uint64_t units, unit_bytes;
    };
    Result<StoredTensor> read(std::size_t tensor, std::uint64_t units) const;
    Result<void> upload(const kernels::Matrix &matrix, std::size_t tensor);
    template <class Put>
    Result<void> fill_parts(const kernels::Matrix &matrix, const StoredTensor &stored, const Put &put);
    Result<void> upload_by_input(const kernels::Matrix &matrix, std::size_t tensor);
    Result<void> upload_turned(const kernels::Matrix &matrix, std::size_t tensor, const MatrixRequest &request);
    Result<std::vector<float>> values(const std::string &name, const std::function<double(double)> &transform);
    Result<void> advance(std::uint64_t bytes);

    std::shared_ptr<gpu::Device> device_;
    const loader::TensorSource &source_;
    gpu::Arena &arena_, &host_arena_;
    kernels::Parameters &parameters_;
    gpu::Uploader &uploader_;
    const WeightOptions &options_;
    std::uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

// Device bytes that the matrices of a checkpoint take, rows padded to whole groups: for the check before anything is
// allocated.
std::uint64_t weight_bytes(const loader::TensorSource &source, const WeightOptions &options);

} // namespace ff::model
