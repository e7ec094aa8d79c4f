// A saved state as anybody could read it: a safetensors file of float32 tensors.
#pragma once

#include "tests/support/shared_files.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

namespace ff::test {

class StateFile {
  public:
    explicit StateFile(const std::filesystem::path &path) : bytes_(read_text(path)) {
        std::uint64_t size = 0;
        std::memcpy(&size, bytes_.data(), sizeof size);
        header_ = nlohmann::json::parse(bytes_.substr(sizeof size, size));
        data_ = sizeof size + size;
    }
    std::vector<float> tensor(const std::string &name) const {
        const auto &entry = header_.at(name);
        const std::size_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
        std::vector<float> values((end - begin) / sizeof(float));
        std::memcpy(values.data(), bytes_.data() + data_ + begin, end - begin);
        return values;
    }
    const nlohmann::json &header() const { return header_; }

  private:
    std::string bytes_;
    nlohmann::json header_;
    std::size_t data_ = 0;
};

} // namespace ff::test
