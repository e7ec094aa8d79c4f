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
    std::optional<kernels::WeightType> type; // what matrices are kept as; nothing: as stored
    ProgressFunction progress;
    LogFunction log;
};

// One matrix of a group that kernels want as neighbours.
struct MatrixRequest {
    std::string name;
    bool transposed = false; // stored input-major [in, out], kept as [out, in]
};

class WeightLoader {
  public:
    WeightLoader(std::shared_ptr<gpu::Device> device, const loader::TensorSource &source, gpu::Arena &arena,
                 kernels::Parameters &parameters, gpu::Uploader &uploader, const WeightOptions &options);

    // The matrices of one launch: side by side in one buffer where the device allows an allocation of that size, and
    // all of one type (the widest, f32, if the file mixes types).
    Result<std::vector<kernels::Matrix>> matrices(std::span<const MatrixRequest> requests);
    Result<kernels::Matrix> matrix(const std::string &name);

    // Appends a tensor of any shape as one float32 vector, each value passed through `transform` (if any); returns its
    // place.
    Result<std::uint32_t> vector(const std::string &name, const std::function<double(double)> &transform = {});
    Result<std::uint32_t> zeros(std::uint32_t count);
    bool has(const std::string &name) const;

  private:
    Result<std::size_t> index_of(const std::string &name) const;
    Result<void> upload(kernels::Matrix &matrix, std::size_t tensor, bool transposed);
    Result<void> upload_transposed(const kernels::Matrix &matrix, std::size_t tensor);
    Result<void> advance(std::uint64_t bytes);

    std::shared_ptr<gpu::Device> device_;
    const loader::TensorSource &source_;
    gpu::Arena &arena_;
    kernels::Parameters &parameters_;
    gpu::Uploader &uploader_;
    const WeightOptions &options_;
    std::uint64_t done_bytes_ = 0, total_bytes_ = 0;
};

// Device bytes that the matrices of a checkpoint take, rows padded to whole groups: for the check before anything is
// allocated.
std::uint64_t weight_bytes(const loader::TensorSource &source, const WeightOptions &options);

} // namespace ff::model
