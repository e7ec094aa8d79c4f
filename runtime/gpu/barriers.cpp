#include "runtime/gpu/barriers.h"

namespace ff::gpu {
namespace {

bool writes(Access access) {
    return (static_cast<unsigned>(access) & static_cast<unsigned>(Access::write)) != 0;
}

bool conflicts(const Use &a, const Use &b) {
    return (writes(a.access) || writes(b.access)) && a.view.overlaps(b.view);
}

} // namespace

bool BarrierTracker::needs_barrier_before(std::span<const Use> uses) {
    bool needed = false;
    for (const Use &use : uses) {
        for (const Use &earlier : since_barrier_) needed = needed || conflicts(use, earlier);
        if (needed) break;
    }
    if (needed) since_barrier_.clear();
    since_barrier_.insert(since_barrier_.end(), uses.begin(), uses.end());
    return needed;
}

void BarrierTracker::reset() {
    since_barrier_.clear();
}

} // namespace ff::gpu
