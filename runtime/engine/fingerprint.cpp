#include "runtime/engine/fingerprint.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::engine {
namespace {

constexpr std::size_t kBytes = 1024; // of each tensor

// FNV-1a.
class Hash {
  public:
    void add(const void *bytes, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            value_ = (value_ ^ static_cast<const unsigned char *>(bytes)[i]) * 0x100000001b3ULL;
    }
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

} // namespace

FingerprintedSource::FingerprintedSource(const loader::TensorSource &source)
    : source_(source), hashes_(source.tensors().size(), 0) {}

Result<loader::TensorBytes> FingerprintedSource::read(std::size_t index) const {
    FF_TRY_ASSIGN(loader::TensorBytes stored, source_.read(index));
    note(index, stored.bytes());
    return stored;
}

std::optional<loader::TensorBytes> FingerprintedSource::stand_in(std::size_t index, std::uint64_t bytes) const {
    std::optional<loader::TensorBytes> some = source_.stand_in(index, bytes);
    if (some) note(index, some->bytes());
    return some;
}

void FingerprintedSource::note(std::size_t index, std::span<const std::byte> stored) const {
    Hash hash;
    hash.add(stored.data(), std::min(stored.size(), kBytes));
    const std::lock_guard lock(mutex_);
    hashes_[index] = std::max<std::uint64_t>(hash.value(), 1);
}

Result<std::string> FingerprintedSource::fingerprint() const {
    Hash hash;
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
        const loader::TensorInfo &tensor = tensors()[i];
        if (hashes_[i] == 0) FF_TRY(read(i));
        hash.add(tensor.name.data(), tensor.name.size());
        for (const std::uint64_t size : tensor.shape) hash.add(&size, sizeof size);
        hash.add(&hashes_[i], sizeof hashes_[i]);
    }
    return fmt::format("{:016x}", hash.value());
}

} // namespace ff::engine
