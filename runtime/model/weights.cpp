#include "runtime/model/weights.h"

#include "loader/quant/formats.h"
#include "loader/quant/policy.h"
#include "runtime/base/parallel.h"
#include "runtime/kernels/places.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Matrix;
using kernels::WeightType;

constexpr std::uint64_t kAlignment = 256; // of a matrix inside a shared allocation: any device's binding alignment
constexpr std::uint64_t kStandInBytes = 1U << 20; // of a tensor of random weights: quickly made, and well over a row

std::uint64_t align(std::uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The two rooms list the same types in the same order; neither may include the other.
WeightType weight_type(loader::DType dtype) {
    static_assert(static_cast<int>(loader::DType::nf4) == static_cast<int>(WeightType::nf4));
    static_assert(static_cast<int>(loader::DType::q4_k) == static_cast<int>(WeightType::q4_k));
    return static_cast<WeightType>(dtype);
}
loader::DType dtype_of(WeightType type) {
    return static_cast<loader::DType>(type);
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

// What becomes a row of a matrix: float32 values on their way, for one thread.
class RowWriter {
  public:
    explicit RowWriter(const Matrix &matrix)
        : matrix_(matrix), values_(matrix.groups() * 8ULL, 0.0F) {} // padding stays zero

    std::span<float> values() { return std::span(values_).first(matrix_.columns); }

    void write_values(std::span<std::byte> row) {
        const loader::DType dtype = dtype_of(matrix_.type);
        if (!kernels::is_block(matrix_.type)) return loader::encode(dtype, values_, row);
        const loader::Format &format = loader::format_of(dtype);
        blocks_.resize(std::size_t{matrix_.columns} / format.elements * format.bytes);
        loader::encode(dtype, values_, blocks_);
        kernels::pack_row(matrix_.type, blocks_, matrix_.columns, row);
    }

    void write_stored(loader::DType dtype, std::span<const std::byte> stored, std::span<std::byte> row) {
        if (kernels::is_block(matrix_.type) && weight_type(dtype) == matrix_.type)
            return kernels::pack_row(matrix_.type, stored, matrix_.columns, row);
        loader::to_float32(dtype, stored, values());
        write_values(row);
    }

  private:
    const Matrix &matrix_;
    std::vector<float> values_;
    std::vector<std::byte> blocks_;
};

constexpr std::size_t kBytesAThread = 256U << 10; // starting a thread for less is not worth it

std::size_t units_a_thread(std::uint64_t unit_bytes) {
    return static_cast<std::size_t>(std::max<std::uint64_t>(kBytesAThread / unit_bytes, 1));
}

// Rows of `columns` values as another type stores them.
std::vector<std::byte> converted(loader::DType from, loader::DType to, std::span<const std::byte> stored,
                                 std::size_t rows, std::size_t columns) {
    const loader::Format &format = loader::format_of(to);
    const std::size_t stored_row = stored.size() / rows, row = columns / format.elements * format.bytes;
    std::vector<std::byte> out(rows * row);
    parallel_ranges(rows, units_a_thread(row), [&](std::size_t first, std::size_t last) {
        std::vector<float> values(columns);
        for (std::size_t r = first; r < last; ++r) {
            loader::to_float32(from, stored.subspan(r * stored_row, stored_row), values);
            loader::encode(to, values, std::span(out).subspan(r * row, row));
        }
    });
    return out;
}

// Plain matrices of a launch are of one type, or of 16 bits and float32 (llama.cpp keeps the low-rank ones so); beside a block
// format, and in a run that a kernel walks by itself, they are of one. Where a file mixes more, float32 holds them all.
void settle_types(std::vector<Matrix> &matrices, bool run) {
    bool f32 = false, f16 = false, bf16 = false, blocks = false;
    for (const Matrix &matrix : matrices) {
        f32 = f32 || matrix.type == WeightType::f32;
        f16 = f16 || matrix.type == WeightType::f16;
        bf16 = bf16 || matrix.type == WeightType::bf16;
        blocks = blocks || kernels::is_block(matrix.type);
    }
    if (!(f16 && bf16) && !(f32 && (f16 || bf16) && (blocks || run))) return;
    for (Matrix &matrix : matrices)
        if (!kernels::is_block(matrix.type)) matrix.type = WeightType::f32;
}

} // namespace

WeightLoader::WeightLoader(std::shared_ptr<gpu::Device> device, const loader::TensorSource &source, gpu::Arena &arena,
                           gpu::Arena &host_arena, kernels::Parameters &parameters, gpu::Uploader &uploader,
                           const WeightOptions &options)
    : device_(std::move(device)), source_(source), arena_(arena), host_arena_(host_arena), parameters_(parameters),
      uploader_(uploader), options_(options) {
    for (const loader::TensorInfo &tensor : source.tensors()) total_bytes_ += tensor.bytes();
}

Result<std::size_t> WeightLoader::index_of(const std::string &name) const {
    if (const auto index = loader::find_tensor(source_, name)) return *index;
    return Error{Status::internal,
                 fmt::format("{}: tensor {} was there when the file was described", source_.path(), name)};
}

Result<std::vector<Matrix>> WeightLoader::matrices(std::span<const MatrixRequest> requests) {
    return allocate_and_upload(arena_, requests, false);
}

Result<std::vector<Matrix>> WeightLoader::run_of_one_type(std::span<const MatrixRequest> requests) {
    return allocate_and_upload(arena_, requests, true);
}

Result<Matrix> WeightLoader::matrix(const MatrixRequest &request) {
    FF_TRY_ASSIGN(std::vector<Matrix> one, allocate_and_upload(arena_, std::span(&request, 1), false));
    return std::move(one.front());
}

Result<Matrix> WeightLoader::table(const std::string &name) {
    MatrixRequest request{name};
    request.plain = true;
    gpu::Arena &arena = device_->traits().unified_memory ? arena_ : host_arena_;
    FF_TRY_ASSIGN(std::vector<Matrix> one, allocate_and_upload(arena, std::span(&request, 1), false));
    return std::move(one.front());
}

Result<std::vector<Matrix>> WeightLoader::allocate_and_upload(gpu::Arena &arena,
                                                              std::span<const MatrixRequest> requests, bool run) {
    std::vector<Matrix> matrices;
    std::vector<std::size_t> tensors;
    for (const MatrixRequest &request : requests) {
        FF_TRY_ASSIGN(const std::size_t index, index_of(request.name));
        const loader::TensorInfo &tensor = source_.tensors()[index];
        FF_TRY_ASSIGN(Matrix matrix, matrix_shape(source_.path(), tensor, request));
        matrix.type = type_of(request, tensor);
        matrix.by_input = request.by_input && kernels::is_usable("sparse_value", matrix.type, device_->traits());
        matrices.push_back(std::move(matrix));
        tensors.push_back(index);
    }
    settle_types(matrices, run);

    std::uint64_t together = 0;
    for (const Matrix &matrix : matrices) together += align(matrix.stored_rows() * matrix.row_bytes());
    const std::uint64_t most = device_->traits().max_allocation_bytes;
    std::optional<gpu::BufferView> group;
    if (together <= most) {
        FF_TRY_ASSIGN(group, arena.allocate(together, matrices[0].name));
    }
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        Matrix &matrix = matrices[i];
        const std::uint32_t stored_rows = matrix.stored_rows();
        const std::uint64_t bytes = stored_rows * matrix.row_bytes();
        if (group) {
            matrix.parts = {{group->slice(offset, bytes), 0, stored_rows}};
            offset += align(bytes);
        } else { // parts of as many rows as one allocation holds
            const std::uint64_t fitting = most / matrix.row_bytes() / matrix.row_step() * matrix.row_step();
            const auto rows_at_most = static_cast<std::uint32_t>(std::min<std::uint64_t>(stored_rows, fitting));
            for (std::uint32_t row = 0; row < stored_rows; row += rows_at_most) {
                const std::uint32_t rows = std::min(rows_at_most, stored_rows - row);
                FF_TRY_ASSIGN(const gpu::BufferView view, arena.allocate(rows * matrix.row_bytes(), matrix.name));
                matrix.parts.push_back({view, row, rows});
            }
        }
        if (device_->imagined()) continue; // nor is anything read
        const bool turned = requests[i].stored != Stored::output_major || requests[i].parts > 1;
        if (matrix.by_input)
            FF_TRY(upload_by_input(matrix, tensors[i]));
        else
            FF_TRY(turned ? upload_turned(matrix, tensors[i], requests[i]) : upload(matrix, tensors[i]));
    }
    return matrices;
}

WeightType WeightLoader::type_of(const MatrixRequest &request, const loader::TensorInfo &tensor) const {
    const loader::Storage storage = loader::loaded_as(tensor, options_.type);
    const WeightType type = weight_type(storage.dtype), stored = weight_type(tensor.dtype);
    // Low-rank matrices are turned on the way, and their kernels read plain weights; so do the tables'.
    if (kernels::is_block(type) && (request.stored != Stored::output_major || request.plain))
        return kernels::is_block(stored) ? WeightType::f16 : stored;
    if (storage.fallback && options_.log)
        options_.log(LogLevel::info,
                     fmt::format("{}: rows of {} values are no whole blocks of {}; kept as {}", request.name,
                                 tensor.shape.back(), loader::name_of(*options_.type), kernels::name_of(type)));
    return type;
}

Result<WeightLoader::StoredTensor> WeightLoader::read(std::size_t tensor, std::uint64_t units) const {
    const std::uint64_t unit_bytes = source_.tensors()[tensor].bytes() / units;
    const std::uint64_t few = std::min(units, kStandInBytes / unit_bytes + 1);
    if (auto some = source_.stand_in(tensor, few * unit_bytes)) return StoredTensor{std::move(*some), few, unit_bytes};
    FF_TRY_ASSIGN(loader::TensorBytes all, source_.read(tensor));
    return StoredTensor{std::move(all), units, unit_bytes};
}

// Fills the parts of a matrix, row by row or strip by strip as they are stored: put(piece, first) writes from the unit
// `first` of `stored` on.
template <class Put>
Result<void> WeightLoader::fill_parts(const Matrix &matrix, const StoredTensor &stored, const Put &put) {
    const bool repeats = stored.units < matrix.stored_rows();
    for (const kernels::MatrixPart &part : matrix.parts) {
        const std::uint64_t first = repeats ? 0 : part.first_row;
        const std::uint64_t units = std::min<std::uint64_t>(part.rows, stored.units);
        const auto fill = [&](std::span<std::byte> piece, std::uint64_t at) -> Result<void> {
            put(piece, static_cast<std::size_t>(first + at / matrix.row_bytes()));
            return advance(piece.size() / matrix.row_bytes() * stored.unit_bytes);
        };
        FF_TRY(uploader_.write(part.view.slice(0, units * matrix.row_bytes()), matrix.row_bytes(), fill));
        if (units == part.rows) continue;
        FF_TRY(uploader_.repeat(part.view, units * matrix.row_bytes()));
        FF_TRY(advance((part.rows - units) * stored.unit_bytes));
    }
    return {};
}

Result<void> WeightLoader::upload(const Matrix &matrix, std::size_t tensor) {
    const loader::DType dtype = source_.tensors()[tensor].dtype;
    FF_TRY_ASSIGN(const StoredTensor stored, read(tensor, matrix.rows));
    const std::span<const std::byte> rows = stored.bytes.bytes();
    const bool as_it_is =
        !kernels::is_block(matrix.type) && weight_type(dtype) == matrix.type && stored.unit_bytes == matrix.row_bytes();
    return fill_parts(matrix, stored, [&](std::span<std::byte> piece, std::size_t from) {
        const std::size_t row = matrix.row_bytes();
        parallel_ranges(piece.size() / row, units_a_thread(row), [&](std::size_t first, std::size_t last) {
            if (as_it_is) {
                std::memcpy(piece.data() + first * row, rows.data() + (from + first) * row, (last - first) * row);
                return;
            }
            RowWriter writer(matrix);
            for (std::size_t r = first; r < last; ++r)
                writer.write_stored(dtype, rows.subspan((from + r) * stored.unit_bytes, stored.unit_bytes),
                                    piece.subspan(r * row, row));
        });
    });
}

Result<void> WeightLoader::upload_by_input(const Matrix &matrix, std::size_t tensor) {
    const loader::DType dtype = source_.tensors()[tensor].dtype;
    FF_TRY_ASSIGN(const StoredTensor stored, read(tensor, matrix.stored_rows()));
    const auto columns = static_cast<std::uint32_t>(stored.units * kernels::block_elements(matrix.type));
    std::span<const std::byte> rows = stored.bytes.bytes();
    std::vector<std::byte> other;
    if (weight_type(dtype) != matrix.type) // every strip needs all rows
        rows = other = converted(dtype, dtype_of(matrix.type), rows, matrix.rows, columns);
    return fill_parts(matrix, stored, [&](std::span<std::byte> piece, std::size_t from) {
        const std::size_t strip = matrix.row_bytes();
        const std::size_t grain =
            (units_a_thread(strip) + matrix.row_step() - 1) / matrix.row_step() * matrix.row_step();
        parallel_ranges(piece.size() / strip, grain, [&](std::size_t first, std::size_t last) {
            kernels::pack_strips(matrix.type, rows, matrix.rows, columns, static_cast<std::uint32_t>(from + first),
                                 piece.subspan(first * strip, (last - first) * strip));
        });
    });
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
    RowWriter writer(matrix);
    for (const kernels::MatrixPart &part : matrix.parts) {
        const auto fill = [&](std::span<std::byte> piece, std::uint64_t at) -> Result<void> {
            const std::uint64_t first = part.first_row + at / matrix.row_bytes();
            for (std::uint64_t i = 0; i < piece.size() / matrix.row_bytes(); ++i) {
                for (std::uint32_t c = 0; c < matrix.columns; ++c) writer.values()[c] = element(first + i, c);
                writer.write_values(piece.subspan(i * matrix.row_bytes(), matrix.row_bytes()));
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
    std::vector<float> values(info.elements());
    if (device_->imagined()) return values; // no plan depends on them
    FF_TRY_ASSIGN(const loader::TensorBytes stored, source_.read(index));
    loader::to_float32(info.dtype, stored.bytes(), values);
    if (transform)
        for (float &value : values) value = static_cast<float>(transform(value));
    return values;
}

Result<std::uint32_t> WeightLoader::vector(const std::string &name, const std::function<double(double)> &transform) {
    FF_TRY_ASSIGN(const std::vector<float> all, values(name, transform));
    return parameters_.append(std::span<const float>(all));
}

Result<std::uint32_t> WeightLoader::norm(const std::string &name) {
    FF_TRY_ASSIGN(const std::uint32_t at, vector(name + ".weight"));
    FF_TRY(vector(name + ".bias"));
    return at;
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
        const WeightType type = weight_type(loader::loaded_as(tensor, options.type).dtype);
        const auto inner = static_cast<std::uint32_t>(tensor.shape.back());
        const std::uint64_t outer = tensor.elements() / std::max(inner, 1U);
        // Whichever way it is turned, its rows are padded.
        const std::uint64_t turned = kernels::row_bytes(WeightType::f32, static_cast<std::uint32_t>(outer)) / 4 * inner;
        const std::uint64_t straight = outer * kernels::row_bytes(type, inner);
        const std::uint64_t strips =
            kernels::strip_bytes(type, static_cast<std::uint32_t>(outer)) * inner / kernels::block_elements(type);
        total +=
            align(std::max({straight, strips, kernels::is_block(type) ? 0 : turned * kernels::row_bytes(type, 8) / 8}));
    }
    return total;
}

} // namespace ff::model
