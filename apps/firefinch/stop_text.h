// Texts that end a generation, found in a stream that arrives in pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace program {

class StopText {
  public:
    explicit StopText(std::vector<std::string> stops); // none of them empty

    // What may be shown: everything before the first match, less an end that may still become one.
    std::string feed(std::string_view bytes);
    // What was held back and has not become a match.
    std::string finish();
    bool matched() const { return matched_; }

  private:
    std::vector<std::string> stops_;
    std::string held_;
    bool matched_ = false;
};

} // namespace program
