// Text in whole characters: as it arrives in pieces, and where others wrote it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace program {

// At most `limit` bytes of `text`, less a character that would be cut.
std::string_view whole_characters(std::string_view text, std::size_t limit);

// `text` on one line, fit to stand among text of ours: what is no UTF-8 becomes U+FFFD, control characters and line
// ends become spaces, and marks that turn the direction of writing around, or cannot be seen, are left out.
std::string one_line(std::string_view text);

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
