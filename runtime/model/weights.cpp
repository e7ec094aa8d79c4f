#include "runtime/model/weights.h"

#include "runtime/kernels/places.h"
#include "runtime/model/encode.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace ff::model {
namespace {

using kernels::Matrix;
using kernels::WeightType;

constexpr std::uint64_t kAlignment = 256; // of a matrix inside a shared allocation: any device's binding alignment

std::uint64_t align(std::uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

WeightType stored_type(loader::DType dtype) {
    switch (dtype) {
    case loader::DType::f16:
        return WeightType::f16;
    case loader::DType::bf16:
        return WeightType::bf16;
    case loader::DType::f32:
        break;
    }
    return WeightType::f32;
}

std::uint64_t element_bytes(WeightType type) {
    return kernels::row_bytes(type, 8) / 8; // of a plain type
}

// Rows and columns of the matrix that a request makes of a tensor.
Result<Matrix> matrix_shape(const std::string &path, const loader::TensorInfo &tensor, const MatrixRequest &request) {
    const std::size_t rank = request.stored == Stored::input_batches ? 3 : 2;
    if (tensor.shape.size() != rank)
        return Error{Status::internal, fmt::format("{}: tensor {} has {} dimensions, not {}", path, tensor.name,
                                                   tensor.shape.size(), rank)};
    std::uint64_t rows = tensor.shape[0], columns = tensor.shape[1];
    if (request.stored == Stored::input_major) std::swap(rows, columns);
    if (request.stored == Stored::input_batches) rows = tensor.shape[0] * tensor.shape[2];
    Matrix matrix;
    matrix.name = request.name;
    matrix.rows = static_cast<std::uint32_t>(rows / request.parts);
    matrix.columns = static_cast<std::uint32_t>(columns);
    return matrix;
}

} // namespace

WeightLoader::WeightLoader(std::shared_ptr<gpu::Device> device, const loader::TensorSource &source, gpu::Arena &arena,
                           gpu::Arena &host_arena, kernels::Parameters &parameters, gpu::Uploader &uploader,
                           const WeightOptions &options)
    : device_(std::move(device)), source_(source), arena_(arena), host_arena_(host_arena), parameters_(parameters),
      uploader_(uploader), options_(options) {
    for (const loader::TensorInfo &tensor : source.tensors()) total_bytes_ += tensor.bytes();
}

bool WeightLoader::has(const std::string &name) const {
    return loader::find_tensor(source_, name).has_value();
}

Result<std::size_t> WeightLoader::index_of(const std::string &name) const {
    if (const auto index = loader::find_tensor(source_, name)) return *index;
    return Error{Status::internal,
                 fmt::format("{}: tensor {} was there when the file was described", source_.path(), name)};
}

Result<std::vector<Matrix>> WeightLoader::matrices(std::span<const MatrixRequest> requests) {
    return allocate_and_upload(arena_, requests);
}

Result<Matrix> WeightLoader::matrix(const MatrixRequest &request) {
    FF_TRY_ASSIGN(std::vector<Matrix> one, allocate_and_upload(arena_, std::span(&request, 1)));
    return std::move(one.front());
}

Result<Matrix> WeightLoader::table(const std::string &name) {
    const MatrixRequest request{name};
    gpu::Arena &arena = device_->traits().unified_memory ? arena_ : host_arena_;
    FF_TRY_ASSIGN(std::vector<Matrix> one, allocate_and_upload(arena, std::span(&request, 1)));
    return std::move(one.front());
}

Result<std::vector<Matrix>> WeightLoader::allocate_and_upload(gpu::Arena &arena,
                                                              std::span<const MatrixRequest> requests) {
    std::vector<Matrix> matrices;
    std::vector<std::size_t> tensors;
    for (const MatrixRequest &request : requests) {
        FF_TRY_ASSIGN(const std::size_t index, index_of(request.name));
        const loader::TensorInfo &tensor = source_.tensors()[index];
        FF_TRY_ASSIGN(Matrix matrix, matrix_shape(source_.path(), tensor, request));
        matrix.type = options_.type.value_or(stored_type(tensor.dtype));
        matrices.push_back(std::move(matrix));
        tensors.push_back(index);
    }
    const bool mixed =
        std::any_of(matrices.begin(), matrices.end(), [&](const Matrix &m) { return m.type != matrices[0].type; });
    if (mixed) {
        if (options_.log)
            options_.log(LogLevel::info,
                         fmt::format("{}: {} and its neighbours are stored in several types; kept as f32",
                                     source_.path(), matrices[0].name));
        for (Matrix &matrix : matrices) matrix.type = WeightType::f32;
    }

    std::uint64_t together = 0;
    for (const Matrix &matrix : matrices) together += align(matrix.rows * matrix.row_bytes());
    const std::uint64_t most = device_->traits().max_allocation_bytes;
    std::optional<gpu::BufferView> group;
    if (together <= most) {
        FF_TRY_ASSIGN(group, arena.allocate(together, matrices[0].name));
    }
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        Matrix &matrix = matrices[i];
        const std::uint64_t bytes = matrix.rows * matrix.row_bytes();
        if (group) {
            matrix.parts = {{group->slice(offset, bytes), 0, matrix.rows}};
            offset += align(bytes);
        } else { // parts of as many rows as one allocation holds
            const auto rows_at_most =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(matrix.rows, most / matrix.row_bytes()));
            for (std::uint32_t row = 0; row < matrix.rows; row += rows_at_most) {
                const std::uint32_t rows = std::min(rows_at_most, matrix.rows - row);
                FF_TRY_ASSIGN(const gpu::BufferView view, arena.allocate(rows * matrix.row_bytes(), matrix.name));
                matrix.parts.push_back({view, row, rows});
            }
        }
        const bool turned = requests[i].stored != Stored::output_major || requests[i].parts > 1;
        FF_TRY(turned ? upload_turned(matrix, tensors[i], requests[i]) : upload(matrix, tensors[i]));
    }
    return matrices;
}

Result<void> WeightLoader::upload(const Matrix &matrix, std::size_t tensor) {
    const loader::TensorInfo &info = source_.tensors()[tensor];
    FF_TRY_ASSIGN(const loader::TensorBytes stored, source_.read(tensor));
    const std::uint64_t stored_row = matrix.columns * loader::bytes_per_element(info.dtype);
    const bool as_it_is = stored_type(info.dtype) == matrix.type && stored_row == matrix.row_bytes();
    std::vector<float> row(matrix.groups() * 8ULL, 0.0F); // padding stays zero
    for (const kernels::MatrixPart &part : matrix.parts) {
        const auto fill = [&](std::span<std::byte> piece, std::uint64_t at) -> Result<void> {
            const std::uint64_t first = part.first_row + at / matrix.row_bytes();
            if (as_it_is) {
                std::memcpy(piece.data(), stored.bytes().data() + first * stored_row, piece.size());
            } else {
                for (std::uint64_t i = 0; i < piece.size() / matrix.row_bytes(); ++i) {
                    loader::to_float32(info.dtype, stored.bytes().subspan((first + i) * stored_row, stored_row),
                                       std::span(row).first(matrix.columns));
                    encode(matrix.type, row, piece.data() + i * matrix.row_bytes());
                }
            }
            return advance(piece.size() / matrix.row_bytes() * stored_row);
        };
        FF_TRY(uploader_.write(part.view, matrix.row_bytes(), fill));
    }
    return {};
}

// Only low-rank matrices are stored input-major: small enough to be turned on the host.
Result<void> WeightLoader::upload_turned(const Matrix &matrix, std::size_t tensor, const MatrixRequest &request) {
    const loader::TensorInfo &info = source_.tensors()[tensor];
    FF_TRY_ASSIGN(const std::vector<float> stored, values(request.name, {}));
    // Element `column` of output `row`.
    const auto element = [&](std::uint64_t row, std::uint64_t column) {
        const std::uint64_t output = std::uint64_t{request.part} * matrix.rows + row;
        if (request.stored == Stored::output_major) return stored[output * matrix.columns + column];
        if (request.stored == Stored::input_major) return stored[column * info.shape[1] + output];
        const std::uint64_t outputs = info.shape[2];
        return stored[(output / outputs * matrix.columns + column) * outputs + output % outputs];
    };
    std::vector<float> row(matrix.groups() * 8ULL, 0.0F);
    for (const kernels::MatrixPart &part : matrix.parts) {
        const auto fill = [&](std::span<std::byte> piece, std::uint64_t at) -> Result<void> {
            const std::uint64_t first = part.first_row + at / matrix.row_bytes();
            for (std::uint64_t i = 0; i < piece.size() / matrix.row_bytes(); ++i) {
                for (std::uint32_t c = 0; c < matrix.columns; ++c) row[c] = element(first + i, c);
                encode(matrix.type, row, piece.data() + i * matrix.row_bytes());
            }
            return {};
        };
        FF_TRY(uploader_.write(part.view, matrix.row_bytes(), fill));
    }
    return advance(info.bytes() / request.parts);
}

Result<std::vector<float>> WeightLoader::values(const std::string &name,
                                                const std::function<double(double)> &transform) {
    FF_TRY_ASSIGN(const std::size_t index, index_of(name));
    const loader::TensorInfo &info = source_.tensors()[index];
    FF_TRY_ASSIGN(const loader::TensorBytes stored, source_.read(index));
    std::vector<float> values(info.elements());
    loader::to_float32(info.dtype, stored.bytes(), values);
    if (transform)
        for (float &value : values) value = static_cast<float>(transform(value));
    return values;
}

Result<std::uint32_t> WeightLoader::vector(const std::string &name, const std::function<double(double)> &transform) {
    FF_TRY_ASSIGN(const std::vector<float> all, values(name, transform));
    return parameters_.append(std::span<const float>(all));
}

Result<std::uint32_t> WeightLoader::vector_of_heads(const std::string &name, std::uint32_t head_size,
                                                    const std::function<double(double)> &transform) {
    FF_TRY_ASSIGN(const std::vector<float> heads, values(name, transform));
    std::vector<float> channels;
    for (const float value : heads) channels.insert(channels.end(), head_size, value);
    return parameters_.append(std::span<const float>(channels));
}

Result<std::uint32_t> WeightLoader::vectors_of_rows(const std::string &name) {
    FF_TRY_ASSIGN(const std::size_t index, index_of(name));
    const std::uint64_t columns = source_.tensors()[index].shape.back();
    FF_TRY_ASSIGN(const std::vector<float> all, values(name, {}));
    std::optional<std::uint32_t> first;
    for (std::size_t at = 0; at < all.size(); at += columns) {
        FF_TRY_ASSIGN(const std::uint32_t place, parameters_.append(std::span(all).subspan(at, columns)));
        if (!first) first = place;
    }
    return first.value_or(0);
}

Result<std::uint32_t> WeightLoader::zeros(std::uint32_t count) {
    return parameters_.append(std::span<const float>(std::vector<float>(count, 0.0F)));
}

Result<void> WeightLoader::advance(std::uint64_t bytes) {
    done_bytes_ += bytes;
    if (options_.progress && !options_.progress("loading weights", std::min(done_bytes_, total_bytes_), total_bytes_))
        return Error{Status::cancelled, fmt::format("{}: loading was stopped", source_.path())};
    return {};
}

std::uint64_t weight_bytes(const loader::TensorSource &source, const WeightOptions &options) {
    std::uint64_t total = 0;
    for (const loader::TensorInfo &tensor : source.tensors()) {
        if (tensor.shape.size() < 2 || tensor.shape[0] == 1) continue; // vectors are counted with the parameter block
        const WeightType type = options.type.value_or(stored_type(tensor.dtype));
        // Whichever way it is turned, its rows are padded to whole groups at most once a row of either side.
        const std::uint64_t inner = tensor.shape.back(), outer = tensor.elements() / std::max<std::uint64_t>(inner, 1);
        const std::uint64_t padded = std::max((inner + 7) / 8 * 8 * outer, (outer + 7) / 8 * 8 * inner);
        total += align(padded * element_bytes(type));
    }
    return total;
}

} // namespace ff::model
