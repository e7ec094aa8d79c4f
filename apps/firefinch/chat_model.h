// Which form of conversation and which sampling a model wants when nobody says so.
#pragma once

#include "chat_template.h"
#include "sampling_options.h"

#include <string>

#include <firefinch/firefinch.hpp>

namespace program {

// `wanted`: auto, world, g1, demo, file (the one in the model file), or the path of a Jinja template. auto takes the
// model file's own, else demo for the embedded model, else g1 where a thought is asked for or the file's name tells a G
// model, else world. Throws Failure, and UsageError for a form that has no thoughts.
ChatTemplate choose_template(const std::string &wanted, Think think, const std::string &model,
                             const firefinch::Checkpoint &checkpoint);

// RWKV's recommendations: for talk by BlinkDL's ChatRWKV, for reasoning by the G1 model cards.
constexpr SamplingDefaults kTalkDefaults{
    .temperature = 1.0f, .top_p = 0.3f, .presence = 0.5f, .frequency = 0.5f, .penalty_decay = 0.996f};
constexpr SamplingDefaults kReasoningDefaults{.temperature = 0.3f, .top_p = 0.3f};

} // namespace program
