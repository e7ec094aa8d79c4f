// What `firefinch doctor` found, for people and for an issue's attachment.
#pragma once

#include "soak.h"
#include "text.h"

#include <optional>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

struct DoctorReport {
    ff_device_info device{};
    std::string profile;
    Json traits;
    const firefinch::SelfTest *test = nullptr;
    bool quick = false;
    std::string no_validation; // why the validation layers did not watch; "": they did
    std::optional<SoakResult> soak;
    std::string soak_failure; // the sentence with which it ended, if it did
    std::size_t denied = 0;   // variants that are not used from now on
    std::string deny_failure; // why the deny list could not be written
    std::string cache_directory;
    double seconds = 0;

    bool passed() const;
    Json to_json() const;
    std::string to_text(bool verbose) const;
};

} // namespace program
