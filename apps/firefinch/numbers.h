// How the program writes numbers for people, so that a figure looks the same in every command.
#pragma once

#include <cstdint>
#include <string>

namespace program {

std::string grouped(std::uint64_t number);        // 2,993,920
std::string bytes_text(std::uint64_t bytes);      // 5.99 MB
std::string scaled_text(double value);            // 12.3 G, 4.81 T; a unit goes behind it
std::string percent_text(double fraction);        // 41.6 %
std::string speed_text(double tokens_per_second); // 97.84

} // namespace program
