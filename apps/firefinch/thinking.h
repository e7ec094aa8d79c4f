// A reply that may begin with a thought, <think> ... </think>, told apart while it streams.
#pragma once

#include <string>
#include <string_view>

namespace program {

class Thinking {
  public:
    struct Piece {
        std::string thought, answer;
    };

    // What is certain by now: an end that may still become one of the two tags is held back.
    Piece feed(std::string_view text);
    Piece finish(); // what was held back

  private:
    enum class Part { unknown, thought, answer };
    bool begin_thought();
    bool end_thought(Piece &out);

    Part part_ = Part::unknown;
    std::string held_;
    bool thought_begun_ = false; // the ">" of the first tag is behind us
};

} // namespace program
