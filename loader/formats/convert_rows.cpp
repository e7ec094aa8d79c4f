#include "loader/formats/convert_rows.h"

#include "loader/quant/formats.h"
#include "loader/text.h"
#include "runtime/base/parallel.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace ff::loader {

namespace {

constexpr std::size_t kPiece = 1 << 20; // elements; every block divides it
constexpr std::size_t kShare = 1 << 14; // the least that is worth a thread
constexpr float kLargestHalf = 65504;

} // namespace

Result<void> convert_rows(const std::string &path, std::string_view name, DType from, std::span<const std::byte> stored,
                          DType to, const Sink &sink) {
    if (from == to) return sink(stored);
    const auto from_elements = static_cast<std::size_t>(block_elements(from)),
               from_bytes = static_cast<std::size_t>(block_bytes(from)),
               to_elements = static_cast<std::size_t>(block_elements(to)),
               to_bytes = static_cast<std::size_t>(block_bytes(to));
    const std::size_t total = stored.size() / from_bytes * from_elements;
    const std::size_t unit = std::lcm(from_elements, to_elements);
    const std::size_t share = (kShare + unit - 1) / unit * unit;
    const float largest = to == DType::f32 || to == DType::bf16 ? INFINITY : kLargestHalf;
    std::vector<float> values(std::min(kPiece, total));
    std::vector<std::byte> encoded(values.size() / to_elements * to_bytes);
    for (std::size_t at = 0; at < total; at += kPiece) {
        const std::size_t count = std::min(kPiece, total - at);
        parallel_ranges(count, share, [&](std::size_t begin, std::size_t end) {
            decode(
                from,
                stored.subspan((at + begin) / from_elements * from_bytes, (end - begin) / from_elements * from_bytes),
                std::span(values).subspan(begin, end - begin));
            encode(to, std::span(values).subspan(begin, end - begin),
                   std::span(encoded).subspan(begin / to_elements * to_bytes, (end - begin) / to_elements * to_bytes));
        });
        if (to != DType::f32)
            for (std::size_t i = 0; i < count; ++i)
                if (!(std::fabs(values[i]) < INFINITY) || !(std::fabs(values[i]) <= largest))
                    return Error{
                        Status::unsupported,
                        fmt::format("{}: tensor {} holds {} at element {}, which {} cannot store; keep it as f32 "
                                    "or bf16",
                                    printable(path), printable(name), values[i], at + i, name_of(to))};
        FF_TRY(sink(std::span(encoded).first(count / to_elements * to_bytes)));
    }
    return {};
}

} // namespace ff::loader
