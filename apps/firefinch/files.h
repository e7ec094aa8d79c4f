// Bytes in and out of the program: standard streams that notice Ctrl-C and closed pipes, and files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace program {

// Both throw Failure with the reason; `path` "-" is standard input. read_standard_input throws Interrupted on Ctrl-C.
// A file of more than `most_bytes` is refused, also one without an end.
std::string read_file(const std::string &path, std::size_t most_bytes = std::string::npos);
std::string read_standard_input();

// Standard output, unbuffered: what was written is seen at once.
class Output {
  public:
    // False once the reader has gone away (`firefinch ... | head`), which is no failure: there is nobody left to write
    // for. Throws Failure when writing fails otherwise.
    bool write(std::string_view bytes);
    bool is_terminal() const;

  private:
    bool closed_ = false;
};

// A file that appears under its name only when it is complete: written beside it, then renamed. What is no regular file
// (/dev/stdout, a pipe) is written directly.
class OutputFile {
  public:
    explicit OutputFile(std::string path); // throws Failure
    ~OutputFile();                         // removes what was not committed
    OutputFile(const OutputFile &) = delete;
    OutputFile &operator=(const OutputFile &) = delete;

    void write(const void *bytes, std::size_t size);
    void commit();

  private:
    [[noreturn]] void fail(int error) const;

    std::string path_, written_path_;
    int descriptor_ = -1;
    bool committed_ = false;
};

} // namespace program
