// What a generation did and how fast: for people on stderr, and as the members of its JSON object.
#pragma once

#include "terminal.h"
#include "text.h"

#include <cstdint>
#include <string>

#include <firefinch/firefinch.h>

namespace program {

struct GenerateReport {
    ff_device_info
        device{}; // its strings belong to the engine, the model's to the model: use the report before they go
    ff_model_info model{};
    ff_model_statistics statistics{};
    ff_generate_result result{};
    std::uint64_t prompt_tokens = 0, seed = 0;
    double prefill_seconds = 0;
    std::string reason; // "limit", "stop_token", "stop_text", "interrupted", "reader_gone"

    // With -v all of it; else, on a terminal, one line.
    void print_notes(Terminal &terminal) const;
    Json to_json() const; // all but "text" and "tokens"

  private:
    double per_second() const;
    double prefill_per_second() const;
    double submissions_per_token() const;
    double host_microseconds_per_token() const;
};

} // namespace program
