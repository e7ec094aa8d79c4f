#include "runtime/kernels/embedded_spirv.h"

#include <cassert>
#include <numeric>
#include <zlib.h>

// Made by shaders/embed_spirv.cmake.
extern "C" const std::uint32_t ff_spirv_count, ff_spirv_sizes[]; // bytes of each module
extern "C" const unsigned char ff_spirv_packed[], ff_spirv_packed_end[];

namespace ff::kernels {
namespace {

constexpr int kRaw = -MAX_WBITS; // deflate without a header

bool inflate_all(std::span<const unsigned char> packed, std::span<std::uint32_t> words) {
    z_stream stream{};
    if (inflateInit2(&stream, kRaw) != Z_OK) return false;
    stream.next_in = const_cast<unsigned char *>(packed.data()); // zlib does not write there
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<unsigned char *>(words.data());
    stream.avail_out = static_cast<uInt>(words.size_bytes());
    const bool complete = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    return complete;
}

} // namespace

EmbeddedSpirv unpack_spirv() {
    const std::span<const std::uint32_t> sizes(ff_spirv_sizes, ff_spirv_count);
    EmbeddedSpirv spirv;
    spirv.words.resize(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}) / 4);
    [[maybe_unused]] const bool unpacked = inflate_all({ff_spirv_packed, ff_spirv_packed_end}, spirv.words);
    assert(unpacked); // bytes of our own; in a build without assertions the pipelines name a module that is none
    std::span<const std::uint32_t> rest(spirv.words);
    for (const std::uint32_t size : sizes) {
        spirv.modules.push_back(rest.first(size / 4));
        rest = rest.subspan(size / 4);
    }
    return spirv;
}

} // namespace ff::kernels
