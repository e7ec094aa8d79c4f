#include "stop_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace program {

StopText::StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

std::string StopText::feed(std::string_view bytes) {
    if (matched_) return {};
    held_ += bytes;
    std::size_t first = std::string::npos;
    for (const std::string &stop : stops_) first = std::min(first, held_.find(stop));
    if (first != std::string::npos) {
        matched_ = true;
        return std::exchange(held_, {}).substr(0, first);
    }
    std::size_t keep = 0; // bytes at the end that begin a stop text
    for (const std::string &stop : stops_)
        for (std::size_t size = std::min(stop.size() - 1, held_.size()); size > keep; --size)
            if (held_.compare(held_.size() - size, size, stop, 0, size) == 0) keep = size;
    std::string out = held_.substr(0, held_.size() - keep);
    held_.erase(0, out.size());
    return out;
}

std::string StopText::finish() {
    return std::exchange(held_, {});
}

} // namespace program
