// A loop on several threads, for work on the host whose pieces are independent.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace ff {

// Calls work(first, last) for ranges that cover [0, count), each a multiple of `grain` but for the last, and returns
// when all are done. One of them runs on the calling thread; small work stays there altogether. What one of them throws
// is thrown here.
template <class Work>
void parallel_ranges(std::size_t count, std::size_t grain, const Work &work) {
    const std::size_t grains = (count + grain - 1) / grain;
    const std::size_t threads = std::min<std::size_t>(grains, std::max(1U, std::thread::hardware_concurrency()));
    const auto edge = [&](std::size_t thread) { return std::min(grains * thread / threads * grain, count); };
    std::mutex mutex;
    std::exception_ptr thrown;
    const auto guarded = [&](std::size_t first, std::size_t last) {
        try {
            if (first != last) work(first, last);
        } catch (...) {
            const std::lock_guard lock(mutex);
            thrown = std::current_exception();
        }
    };
    if (threads != 0) {
        std::vector<std::jthread> others; // joined at the end of this scope
        std::size_t begun = 1;
        try {
            for (; begun < threads; ++begun) others.emplace_back(guarded, edge(begun), edge(begun + 1));
        } catch (const std::system_error &) { // no more threads to be had: the rest is done here
            guarded(edge(begun), count);
        }
        guarded(0, edge(1));
    }
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace ff
