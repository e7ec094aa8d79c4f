// How much memory of C++'s own a piece of work takes. Linking it replaces operator new and delete of the whole program,
// so that it belongs into a test of its own.
#pragma once

#include <cstddef>

namespace ff::loader::test {

// Bytes in use, and the most there were since the last begin_peak().
std::size_t allocated_bytes();
void begin_peak();
std::size_t peak_bytes();

// The most that work() has in use at once beside what there was before.
template <class Work>
std::size_t peak_of(Work &&work) {
    const std::size_t before = allocated_bytes();
    begin_peak();
    work();
    return peak_bytes() - before;
}

} // namespace ff::loader::test
