// Lines of standard input: edited, with history, where a person types them; as they stand in a pipe.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace program {

class LineReader {
  public:
    // `talk`: with a person, if standard input and output are a terminal.
    explicit LineReader(bool talk);
    ~LineReader();
    LineReader(const LineReader &) = delete;
    LineReader &operator=(const LineReader &) = delete;

    bool interactive() const;
    // Without its new line; nullopt at the end of the input. Throws Interrupted on Ctrl-C. `prompt` is shown to a
    // person only. There, a line that ends in a backslash goes on in the next one.
    std::optional<std::string> read(const std::string &prompt);

  private:
    struct Editor;

    std::optional<std::string> read_plain();

    bool interactive_;
    std::unique_ptr<Editor> editor_; // nullptr in a pipe, and in a build without libedit
    std::string ahead_;              // read and not yet given out
    bool ended_ = false;
};

} // namespace program
