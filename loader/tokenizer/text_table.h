// The bytes of every token, by id, in one piece of memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ff::loader {

class TextTable {
  public:
    void add(std::string_view text) { // under the next id
        bytes_ += text;
        ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    }
    void pad_to(std::size_t count) { // with ids that have no text
        if (count > ends_.size()) ends_.resize(count, static_cast<std::uint32_t>(bytes_.size()));
    }
    std::size_t size() const { return ends_.size(); }
    std::string_view operator[](std::size_t id) const { // valid until the table changes
        const std::size_t begin = id == 0 ? 0 : ends_[id - 1];
        return std::string_view(bytes_).substr(begin, ends_[id] - begin);
    }
    bool operator==(const TextTable &) const = default;

  private:
    std::string bytes_; // fewer than 4 GiB: who fills a table has a limit far below
    std::vector<std::uint32_t> ends_;
};

} // namespace ff::loader
