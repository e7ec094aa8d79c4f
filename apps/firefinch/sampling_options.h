// How the next token is chosen: the options that every command that produces text has.
#pragma once

#include "options.h"

#include <cstdint>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

// What holds where an option was not given; a command has one set, or one for each kind of model.
struct SamplingDefaults {
    float temperature = 1.0f, top_p = 1.0f, presence = 0.0f, frequency = 0.0f, penalty_decay = 0.996f;
};

// For the help texts: the first set is what holds for most models, the others are for those that `models` names.
struct NamedDefaults {
    std::string models;
    SamplingDefaults values;
};

class SamplingOptions {
  public:
    void add(CLI::App &command, const std::vector<NamedDefaults> &defaults);

    // The biases point into this object. Without --seed each call draws a seed.
    ff_sampling sampling(const SamplingDefaults &defaults) const;

  private:
    void add_logit_bias(CLI::App &command);

    ff_sampling given_ = firefinch::sampling();
    CLI::Option *temperature_ = nullptr, *top_p_ = nullptr, *presence_ = nullptr, *frequency_ = nullptr;
    CLI::Option *penalty_decay_ = nullptr, *seed_ = nullptr; // were they given?
    std::uint64_t top_k_ = 0, seed_value_ = 0;
    std::vector<ff_logit_bias> biases_;
};

} // namespace program
