#include "tests/formats/counted_memory.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocated{0}, peak{0};

// The size is kept in front of each block.
constexpr std::size_t kHead = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

void *take(std::size_t size) {
    void *const block = size > SIZE_MAX - kHead ? nullptr : std::malloc(size + kHead);
    if (block == nullptr) throw std::bad_alloc();
    *static_cast<std::size_t *>(block) = size;
    const std::size_t now = allocated += size;
    for (std::size_t most = peak; now > most && !peak.compare_exchange_weak(most, now);) {
    }
    return static_cast<char *>(block) + kHead;
}

void give(void *pointer) {
    if (pointer == nullptr) return;
    void *const block = static_cast<char *>(pointer) - kHead;
    allocated -= *static_cast<std::size_t *>(block);
    std::free(block);
}

} // namespace

void *operator new(std::size_t size) {
    return take(size);
}
void *operator new[](std::size_t size) {
    return take(size);
}
void operator delete(void *pointer) noexcept {
    give(pointer);
}
void operator delete[](void *pointer) noexcept {
    give(pointer);
}
void operator delete(void *pointer, std::size_t) noexcept {
    give(pointer);
}
void operator delete[](void *pointer, std::size_t) noexcept {
    give(pointer);
}

namespace ff::loader::test {

std::size_t allocated_bytes() {
    return allocated;
}
void begin_peak() {
    peak = allocated.load();
}
std::size_t peak_bytes() {
    return peak;
}

} // namespace ff::loader::test
