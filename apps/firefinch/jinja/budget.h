// What a template may cost. It may come with a model file from anywhere, and must end.
#pragma once

#include "value.h"

#include <cstddef>
#include <string>

namespace program::jinja {

class Budget {
  public:
    // A step, and the bytes that it copies or looks through.
    void spend(int line, std::size_t bytes = 0) {
        steps_ += 1 + bytes / 64;
        if (steps_ > kMostSteps)
            throw TemplateError(line, "the template takes more than two million steps; is it a loop?");
    }
    // The same for a text that is made.
    void check_text(int line, std::size_t size) {
        if (size > kLongestText) throw TemplateError(line, "a text grows beyond 16 MiB");
        spend(line, size);
    }

  private:
    static constexpr std::size_t kMostSteps = 2'000'000, kLongestText = 16 << 20;
    std::size_t steps_ = 0;
};

} // namespace program::jinja
