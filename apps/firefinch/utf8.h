// Text that arrives in pieces, passed on in whole characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace program {

// At most `limit` bytes of `text`, less a character that would be cut.
std::string_view whole_characters(std::string_view text, std::size_t limit);

// A token may end inside a UTF-8 character. Its first bytes are held back until the rest has come, so that a reader
// never sees half a character; bytes that cannot become one go out at once, as they are.
class Utf8Stream {
  public:
    std::string feed(std::string_view bytes);
    std::string finish(); // what was held back, complete or not

  private:
    std::string held_; // at most 3 bytes
};

} // namespace program
