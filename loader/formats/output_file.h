// A file that is either written whole or not there: it grows under another name and takes its own at the end.
#pragma once

#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace ff::loader {

class OutputFile {
  public:
    static Result<OutputFile> create(const std::string &path);
    OutputFile(OutputFile &&other) noexcept = default;
    OutputFile &operator=(OutputFile &&other) noexcept = default;
    ~OutputFile(); // without commit(), nothing is left

    Result<void> write(std::span<const std::byte> bytes);
    Result<void> pad_to(std::uint64_t alignment); // with zeros
    std::uint64_t position() const { return position_; }
    Result<void> commit(); // replaces what was at the path; a mapped old file stays readable

  private:
    struct Close {
        void operator()(std::FILE *file) const { std::fclose(file); }
    };
    OutputFile(std::string path, std::string partial, std::FILE *file)
        : path_(std::move(path)), partial_(std::move(partial)), file_(file) {}
    Error failed(const char *what) const;

    std::string path_, partial_;
    std::unique_ptr<std::FILE, Close> file_;
    std::uint64_t position_ = 0;
};

} // namespace ff::loader
