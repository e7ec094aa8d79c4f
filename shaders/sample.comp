#version 450
// The end of a step, one workgroup: chooses the next token from the session's logits and brings the control block up to
// date, so that the next replay of the same command buffer finds its token without the host.
//
// Penalties (RWKV's own): logit -= presence + count * frequency for tokens produced before, counts fading by
// penalty_decay a token. Then temperature, top-k, top-p. Probabilities are integers (2^30 over their sum, rounded down),
// so sums do not depend on their order, and top-k and top-p are exact thresholds found by four passes of a radix
// select over the bits of the logits. Tokens that tie with the last one kept are kept too.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(push_constant) uniform Params { SampleParams p; };
layout(set = 0, binding = kSampleLogits) readonly buffer Logits { float logits[]; };   // [S, V]
layout(set = 0, binding = kSampleHistory) buffer History { float history[]; };         // [S, V] counts of produced tokens
layout(set = 0, binding = kSampleScratch) coherent buffer Scratch { float scratch[]; };
layout(set = 0, binding = kSampleScratch) buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kSampleControl) buffer Control { ControlHeader control; ControlEntry entries[]; };
#include "lib/reduce.glsl"
#include "lib/random.glsl"

const float kScale = 1073741824.0; // 2^30: what the probabilities sum to, less what rounding takes
const uint kBins = 256u;
// One more than is used: arrays of 256 words are members of the control block as well, and glslc 2023.2 gives both one
// type, with a layout that variables of a workgroup must not have (VUID-StandaloneSpirv-None-10684).
shared uint bin_count[kBins + 1u], bin_mass[kBins + 1u];
shared uint found_bin, found_count, found_mass;
shared uint best_key, best_token, total_mass, chosen;

uint work;  // first float of the adjusted logits in scratch
float top, inverse_sum;

// Unsigned order of the key is the order of the float; NaN sorts below everything.
uint key_of(float x) {
    uint bits = floatBitsToUint(x);
    if (isnan(x)) return 0u;
    return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}
float weight_of(float logit) { return isnan(logit) ? 0.0 : exp(logit - top); }
uint mass_of(float logit) { return uint(weight_of(logit) * inverse_sum * kScale); }

// Writes the adjusted logits to scratch; finds the best of them, the lowest id on a tie.
void adjust(uint entry, uint row) {
    float presence = entries[entry].presence, frequency = entries[entry].frequency;
    float fade = entries[entry].penalty_decay, temperature = entries[entry].temperature;
    bool fresh = entries[entry].produced == 0u; // counts begin anew with each call
    uint last = entries[entry].next_token;
    float scale = temperature > 0.0 ? 1.0 / temperature : 1.0;
    if (gl_LocalInvocationID.x == 0u) {
        best_key = 0u;
        best_token = kNone;
    }
    barrier();
    uint mine_key = 0u, mine = kNone;
    for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) {
        float count = 0.0;
        if (!fresh) count = history[row + i] * fade + (i == last ? 1.0 : 0.0);
        history[row + i] = count;
        float logit = logits[row + i];
        if (count != 0.0) logit -= presence + count * frequency;
        logit *= scale;
        scratch[work + i] = logit;
        uint key = key_of(logit);
        if (mine == kNone || key > mine_key) {
            mine_key = key;
            mine = i;
        }
    }
    if (mine != kNone) atomicMax(best_key, mine_key);
    barrier();
    if (mine != kNone && mine_key == best_key) atomicMin(best_token, mine);
    memoryBarrierBuffer();
    barrier();
}

// Among the tokens with key >= floor_key: the largest key such that at least `want_count` tokens (by_mass false) or a
// mass of at least `want_mass` (by_mass true) have keys not below it.
uint select_key(bool by_mass, uint want, uint floor_key) {
    uint prefix = 0u, above = 0u; // bits found so far, and what lies strictly above them
    for (uint shift = 24u;; shift -= 8u) {
        for (uint b = gl_LocalInvocationID.x; b < kBins; b += kLocalSize) bin_count[b] = 0u;
        barrier();
        for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) {
            float logit = scratch[work + i];
            uint key = key_of(logit);
            bool inside = shift == 24u || (key >> (shift + 8u)) == (prefix >> (shift + 8u));
            if (inside && key >= floor_key) atomicAdd(bin_count[(key >> shift) & 255u], by_mass ? mass_of(logit) : 1u);
        }
        barrier();
        if (gl_LocalInvocationID.x == 0u) {
            uint b = kBins - 1u, sum = above;
            while (b > 0u && sum + bin_count[b] < want) sum += bin_count[b--];
            found_bin = b;
            found_count = sum;
        }
        barrier();
        prefix |= found_bin << shift;
        above = found_count;
        if (shift == 0u) return max(prefix, floor_key);
    }
}

uint draw(uint entry, uint floor_key) {
    // Each invocation owns a run of neighbouring tokens, so the running sum goes by token id.
    uint run = (p.vocabulary + kLocalSize - 1u) / kLocalSize;
    uint begin = min(gl_LocalInvocationID.x * run, p.vocabulary), end = min(begin + run, p.vocabulary);
    uint mass = 0u;
    for (uint i = begin; i < end; ++i) {
        float logit = scratch[work + i];
        if (key_of(logit) >= floor_key) mass += mass_of(logit);
    }
    if (gl_LocalInvocationID.x == 0u) {
        total_mass = 0u;
        chosen = best_token;
    }
    barrier();
    atomicAdd(total_mass, mass);
    // Running sums of the invocations before this one, kBins at a time.
    uint before = 0u;
    for (uint base = 0u; base < kLocalSize; base += kBins) {
        barrier();
        if (gl_LocalInvocationID.x >= base && gl_LocalInvocationID.x - base < kBins)
            bin_mass[gl_LocalInvocationID.x - base] = mass;
        barrier();
        uint count = gl_LocalInvocationID.x <= base ? 0u : min(gl_LocalInvocationID.x - base, kBins);
        for (uint i = 0u; i < count; ++i) before += bin_mass[i];
    }
    uvec4 bits = philox(uvec4(entries[entry].produced, 0u, 0u, 0u), uvec2(entries[entry].seed_low, entries[entry].seed_high));
    uint high, low;
    umulExtended(bits.x, total_mass, high, low); // a fraction of the mass, below it
    if (high >= before && high - before < mass) {
        uint sum = before;
        for (uint i = begin; i < end; ++i) {
            float logit = scratch[work + i];
            if (key_of(logit) >= floor_key) sum += mass_of(logit);
            if (high < sum) {
                chosen = i;
                break;
            }
        }
    }
    barrier();
    return chosen;
}

uint choose(uint entry) {
    uint row = entries[entry].slot * p.history_stride;
    work = 4u * p.work_at;
    adjust(entry, row);
    if (entries[entry].temperature <= 0.0 || entries[entry].top_k == 1u) return best_token;
    top = scratch[work + best_token];
    float sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) sum += weight_of(scratch[work + i]);
    inverse_sum = 1.0 / workgroup_add(vec4(sum, 0.0, 0.0, 0.0)).x;

    uint floor_key = 1u; // leaves out NaN
    uint top_k = entries[entry].top_k;
    if (top_k != 0u && top_k < p.vocabulary) floor_key = max(floor_key, select_key(false, top_k, floor_key));
    float top_p = entries[entry].top_p;
    if (top_p < 1.0) {
        // The share of what top-k left.
        uint mass = 0u;
        for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize)
            if (key_of(scratch[work + i]) >= floor_key) mass += mass_of(scratch[work + i]);
        if (gl_LocalInvocationID.x == 0u) found_mass = 0u;
        barrier();
        atomicAdd(found_mass, mass);
        barrier();
        uint want = max(uint(float(found_mass) * top_p), 1u);
        floor_key = select_key(true, want, floor_key);
    }
    return draw(entry, floor_key);
}

void main() {
    uint entry = step_header[kStepEntry];
    bool run = step_header[kStepRun] != 0u, want_sample = step_header[kStepSample] != 0u;
    uint token = want_sample ? choose(entry) : 0u;
    barrier();
    if (gl_LocalInvocationID.x != 0u) return;

    if (run) {
        entries[entry].parity ^= 1u;
        // As `embed` saw it: the host may have appended to the prompt since.
        if (step_header[kStepPrompt] != 0u) entries[entry].prompt_read += 1u;
        else entries[entry].pending = 0u;
    }
    if (want_sample) {
        bool stop = false;
        for (uint i = 0u; i < min(entries[entry].stop_count, kMaxStopTokens); ++i)
            stop = stop || entries[entry].stop_tokens[i] == token;
        if (stop) {
            entries[entry].halt = kHaltStopToken;
        } else {
            uint produced = entries[entry].produced;
            entries[entry].tokens[produced % kProducedLength] = token;
            entries[entry].next_token = token;
            entries[entry].pending = 1u;
            entries[entry].produced = produced + 1u;
            if (produced + 1u == entries[entry].limit) entries[entry].halt = kHaltLimit;
        }
    }
    control.step += 1u;
}
