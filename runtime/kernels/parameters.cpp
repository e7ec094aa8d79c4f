#include "runtime/kernels/parameters.h"

#include "shaders/lib/interface.h"

#include <bit>
#include <fmt/format.h>

namespace ff::kernels {

Result<Parameters> Parameters::create(const std::shared_ptr<gpu::Device> &device, std::uint64_t bytes) {
    Parameters parameters;
    FF_TRY_ASSIGN(parameters.buffer_, gpu::Buffer::create(device, gpu::MemoryKind::device,
                                                          std::max<std::uint64_t>(bytes, 32), "parameters"));
    return parameters;
}

Result<std::uint32_t> Parameters::append(std::span<const std::uint32_t> words) {
    const std::size_t at = words_.size(), step = shader::kGroupElements;
    const std::size_t padded = (words.size() + step - 1) / step * step;
    if ((at + padded) * 4 > buffer_.bytes())
        return Error{Status::internal, fmt::format("parameter block: {} bytes were planned, {} are needed",
                                                   buffer_.bytes(), (at + padded) * 4)};
    words_.resize(at + padded, 0);
    std::copy(words.begin(), words.end(), words_.begin() + static_cast<std::ptrdiff_t>(at));
    return static_cast<std::uint32_t>(at / 4);
}

Result<std::uint32_t> Parameters::append(std::span<const float> vector) {
    std::vector<std::uint32_t> words(vector.size());
    std::transform(vector.begin(), vector.end(), words.begin(),
                   [](float x) { return std::bit_cast<std::uint32_t>(x); });
    return append(std::span<const std::uint32_t>(words));
}

Result<void> Parameters::upload(gpu::Uploader &uploader) const {
    return uploader.write(view().slice(0, words_.size() * 4), std::as_bytes(std::span(words_)));
}

} // namespace ff::kernels
