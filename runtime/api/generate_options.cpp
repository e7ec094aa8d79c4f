#include "runtime/api/objects.h"

#include <functional>

namespace ff::api {

Result<engine::GenerateOptions> generate_options(const ff_generate_options &given) {
    if (!given.stop_tokens && given.stop_token_count) return null_argument("stop_tokens");
    const ff_sampling &sampling = given.sampling;
    if (!sampling.logit_bias && sampling.logit_bias_count) return null_argument("logit_bias");
    if (std::ranges::any_of(sampling.reserved, std::identity()) || std::ranges::any_of(given.reserved, std::identity()))
        return Error{Status::argument, "reserved words of the sampling or generate options are not zero: start from "
                                       "FF_GENERATE_OPTIONS_INIT"};
    engine::GenerateOptions options;
    options.count = given.count;
    options.sampling = {sampling.temperature,   sampling.top_k, sampling.top_p, sampling.presence,  sampling.frequency,
                        sampling.penalty_decay, sampling.seed,  sampling.min_p, sampling.typical_p, {}};
    for (size_t i = 0; i < sampling.logit_bias_count; ++i)
        options.sampling.logit_bias.push_back({sampling.logit_bias[i].token, sampling.logit_bias[i].bias});
    options.stop_tokens.assign(given.stop_tokens, given.stop_tokens + given.stop_token_count);
    options.in_flight = given.in_flight;
    if (given.on_token)
        options.on_token = [call = given.on_token, payload = given.payload](std::uint32_t token) {
            return call(payload, token) == 0;
        };
    return options;
}

ff_generate_result generate_result(const engine::GenerateResult &result) {
    ff_generate_result info{};
    info.struct_size = sizeof info;
    info.produced = result.produced;
    info.reason = static_cast<ff_stop_reason>(result.reason);
    info.seconds = result.seconds;
    info.steps = result.steps;
    info.submissions = result.submissions;
    info.host_seconds = result.host_seconds;
    return info;
}

} // namespace ff::api
