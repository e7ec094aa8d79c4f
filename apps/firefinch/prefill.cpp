#include "prefill.h"

#include "failure.h"

#include <algorithm>
#include <chrono>

namespace program {
namespace {

constexpr std::size_t kPrefillPiece = 256; // between two looks at Ctrl-C

} // namespace

double prefill(firefinch::Session &session, const std::vector<std::uint32_t> &ids, Terminal &terminal) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t done = 0; done < ids.size();) {
        if (interrupted()) throw Interrupted();
        const std::size_t count = std::min(kPrefillPiece, ids.size() - done);
        session.prefill(ids.data() + done, count);
        done += count;
        if (ids.size() > kPrefillPiece) terminal.progress("prompt", done, ids.size());
    }
    terminal.end_progress();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace program
