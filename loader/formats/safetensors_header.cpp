#include "loader/formats/safetensors_header.h"

#include "loader/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace ff::loader {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kTensorLimit = 100'000; // 1024 layers of 40 tensors need half
constexpr std::size_t kRankLimit = 8;

// nlohmann's parser calls these in order; returning false ends the parse.
class Header {
  public:
    SafetensorsHeader header;
    std::string problem; // why the parse ended

    bool start_object(std::size_t) {
        switch (state_) {
        case State::outside:
            state_ = State::top;
            return true;
        case State::value:
            if (key_ == "__metadata__") {
                state_ = State::metadata;
                return true;
            }
            if (header.entries.size() >= kTensorLimit)
                return stop(fmt::format("describes more than {} tensors", kTensorLimit));
            header.entries.push_back({});
            header.entries.back().name = key_;
            has_dtype_ = has_shape_ = has_offsets_ = false;
            state_ = State::tensor;
            return true;
        default:
            return unexpected("an object");
        }
    }

    bool key(std::string &name) {
        key_ = name;
        switch (state_) {
        case State::top:
            if (!names_.insert(name).second) return stop(fmt::format("describes {} twice", printable(name)));
            state_ = State::value;
            return true;
        case State::metadata:
            state_ = State::metadata_value;
            return true;
        case State::tensor: {
            bool *const seen = name == "dtype"          ? &has_dtype_
                               : name == "shape"        ? &has_shape_
                               : name == "data_offsets" ? &has_offsets_
                                                        : nullptr;
            if (seen == nullptr)
                return stop(fmt::format("gives tensor {} an unknown field {}", tensor(), printable(name)));
            if (std::exchange(*seen, true))
                return stop(fmt::format("gives tensor {} the field {} twice", tensor(), name));
            state_ = seen == &has_dtype_   ? State::dtype
                     : seen == &has_shape_ ? State::before_shape
                                           : State::before_offsets;
            return true;
        }
        default:
            return unexpected("a field");
        }
    }

    bool end_object() {
        if (state_ == State::tensor) {
            if (!has_dtype_ || !has_shape_ || !has_offsets_)
                return stop(fmt::format("gives tensor {} no {}", tensor(),
                                        !has_dtype_   ? "dtype"
                                        : !has_shape_ ? "shape"
                                                      : "data_offsets"));
            state_ = State::top;
        } else if (state_ == State::metadata) {
            state_ = State::top;
        } else {
            state_ = State::done;
        }
        return true;
    }

    bool start_array(std::size_t) {
        if (state_ == State::before_shape)
            state_ = State::shape;
        else if (state_ == State::before_offsets)
            state_ = State::offsets;
        else
            return unexpected("a list");
        numbers_.clear();
        return true;
    }

    bool end_array() {
        SafetensorsEntry &entry = header.entries.back();
        if (state_ == State::shape) {
            entry.shape = numbers_;
        } else {
            if (numbers_.size() != 2 || numbers_[0] > numbers_[1])
                return stop(fmt::format("gives tensor {} the data_offsets {}, expected a begin and an end", tensor(),
                                        shape_text(numbers_)));
            entry.begin = numbers_[0];
            entry.end = numbers_[1];
        }
        state_ = State::tensor;
        return true;
    }

    bool number_unsigned(Json::number_unsigned_t value) {
        if (state_ != State::shape && state_ != State::offsets) return unexpected(std::to_string(value));
        if (numbers_.size() >= kRankLimit)
            return stop(fmt::format("gives tensor {} more than {} axes", tensor(), kRankLimit));
        numbers_.push_back(value);
        return true;
    }

    bool number_integer(Json::number_integer_t value) { return unexpected(std::to_string(value)); } // negative
    bool number_float(Json::number_float_t, const std::string &text) { return unexpected(text); }

    bool string(std::string &value) {
        if (state_ == State::dtype) {
            header.entries.back().dtype = value;
            state_ = State::tensor;
            return true;
        }
        if (state_ == State::metadata_value) {
            if (!header.metadata.emplace(key_, value).second)
                return stop(fmt::format("has the metadata {} twice", printable(key_)));
            state_ = State::metadata;
            return true;
        }
        return unexpected("a text");
    }

    bool null() { return unexpected("null"); }
    bool boolean(bool value) { return unexpected(value ? "true" : "false"); }
    bool binary(Json::binary_t &) { return unexpected("binary data"); }

    bool parse_error(std::size_t position, const std::string &, const nlohmann::detail::exception &) {
        return stop(fmt::format("is not valid JSON at byte {}", position));
    }

  private:
    enum class State {
        outside,
        top,
        value,
        metadata,
        metadata_value,
        tensor,
        dtype,
        before_shape,
        shape,
        before_offsets,
        offsets,
        done
    };

    bool stop(std::string what) {
        if (problem.empty()) problem = std::move(what);
        return false;
    }

    bool unexpected(const std::string &found) {
        const std::string what = printable(found);
        switch (state_) {
        case State::outside:
            return stop(fmt::format("is {}, expected an object", what));
        case State::value:
            return stop(fmt::format("describes {} by {}, expected an object", printable(key_), what));
        case State::metadata_value:
            return stop(fmt::format("has the metadata {} as {}, expected a text", printable(key_), what));
        case State::dtype:
            return stop(fmt::format("gives tensor {} the dtype {}, expected a text", tensor(), what));
        case State::before_shape:
        case State::before_offsets:
            return stop(fmt::format("gives tensor {} {} as {}, expected a list", tensor(), key_, what));
        case State::shape:
        case State::offsets:
            return stop(fmt::format("gives tensor {} a {} that contains {}, expected integers of 0 or more", tensor(),
                                    key_, what));
        default:
            return stop(fmt::format("has {} in a wrong place", what));
        }
    }

    std::string tensor() const { return printable(header.entries.back().name); }

    State state_ = State::outside;
    std::string key_;
    bool has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
    std::vector<std::uint64_t> numbers_;
    std::unordered_set<std::string> names_;
};

} // namespace

Result<SafetensorsHeader> parse_safetensors_header(const std::string &path, std::string_view json) {
    Header header;
    const bool parsed = Json::sax_parse(json.begin(), json.end(), &header);
    if (parsed && header.problem.empty()) return std::move(header.header);
    return Error{Status::model_file, fmt::format("{}: the safetensors header {}; the file is damaged, get it again",
                                                 printable(path), header.problem)};
}

} // namespace ff::loader
