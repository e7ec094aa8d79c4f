// What ends a step, a workgroup for each session that was served: chooses the next token from the session's logits and brings
// its control entry up to date, so that the next replay of the same command buffer finds its token without the host.
//
// Penalties (RWKV's own): logit -= presence + count * frequency for tokens produced before, counts fading by
// penalty_decay a token. Then bias, temperature, top-k, typical-p, top-p, min-p. Probabilities are integers (2^30 over
// their sum, rounded down), so sums do not depend on their order, and top-k, typical-p and top-p are exact thresholds
// found by four passes of a radix select over the bits of a key. Tokens that tie with the last one kept are kept too.
layout(push_constant) uniform Params { SampleParams p; };
layout(set = 0, binding = kSampleLogits) readonly buffer Logits { float logits[]; };   // [S, V]
layout(set = 0, binding = kSampleHistory) buffer History { float history[]; };         // [S, V] counts of produced tokens
layout(set = 0, binding = kSampleScratch) coherent buffer Scratch { float scratch[]; };
layout(set = 0, binding = kSampleControl) buffer Control { ControlHeader control; ControlEntry entries[]; };
#include "lib/reduce.glsl"
#include "lib/random.glsl"

const float kScale = 1073741824.0; // 2^30: what the probabilities sum to, less what rounding takes
const uint kBins = 256u;
// One more than is used: arrays of 256 words are members of the control block as well, and glslc 2023.2 gives both one
// type, with a layout that variables of a workgroup must not have (VUID-StandaloneSpirv-None-10684).
shared uint bin_count[kBins + 1u], bin_mass[kBins + 1u];
shared uint found_bin, found_count, kept_mass;
shared uint best_key, best_token, total_mass, chosen;

uint work; // first float of the adjusted logits in scratch
float top, inverse_sum;
// What the filters so far have left: tokens whose keys are not below these.
uint likely_floor, typical_floor;
float typical_centre;

// Unsigned order of the key is the order of the float; NaN sorts below everything.
uint key_of(float x) {
    uint bits = floatBitsToUint(x);
    if (isnan(x)) return 0u;
    return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}
float float_of(uint key) { return uintBitsToFloat((key & 0x80000000u) != 0u ? key ^ 0x80000000u : ~key); }
float weight_of(float logit) { return isnan(logit) ? 0.0 : exp(logit - top); }
uint mass_of(float logit) { return uint(weight_of(logit) * inverse_sum * kScale); }
// Locally typical sampling (arXiv 2202.00666) orders tokens by |-log p - H|, the smallest first. Both terms hold the
// logarithm of the sum over all tokens, so it is the distance of logit - top from its mean. Bits of floats that are not
// negative are in their order.
uint typical_key_of(float logit) { return ~floatBitsToUint(abs(logit - top - typical_centre)); }
bool kept(float logit) {
    return key_of(logit) >= likely_floor && (typical_floor == 0u || typical_key_of(logit) >= typical_floor);
}

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
    uint mine_key = 0u, mine = kNone, biases = entries[entry].bias_count;
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
    if (biases != 0u) { // seldom: what was found has to be looked for again
        memoryBarrierBuffer();
        barrier();
        for (uint b = gl_LocalInvocationID.x; b < min(biases, kMaxLogitBias); b += kLocalSize)
            scratch[work + entries[entry].bias_tokens[b]] += uintBitsToFloat(entries[entry].bias_values[b]) * scale;
        memoryBarrierBuffer();
        barrier();
        mine = kNone;
        for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) {
            uint key = key_of(scratch[work + i]);
            if (mine == kNone || key > mine_key) {
                mine_key = key;
                mine = i;
            }
        }
    }
    if (mine != kNone) atomicMax(best_key, mine_key);
    barrier();
    if (mine != kNone && mine_key == best_key) atomicMin(best_token, mine);
    memoryBarrierBuffer();
    barrier();
}

// Among the tokens kept so far: the largest key (by_typical: typical_key_of, else key_of) such that at least `want`
// tokens, or with by_mass a mass of `want`, have keys not below it.
uint select_key(bool by_typical, bool by_mass, uint want) {
    uint prefix = 0u, above = 0u; // bits found so far, and what lies strictly above them
    for (uint shift = 24u;; shift -= 8u) {
        for (uint b = gl_LocalInvocationID.x; b < kBins; b += kLocalSize) bin_count[b] = 0u;
        barrier();
        for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) {
            float logit = scratch[work + i];
            uint key = by_typical ? typical_key_of(logit) : key_of(logit);
            bool inside = shift == 24u || (key >> (shift + 8u)) == (prefix >> (shift + 8u));
            if (inside && kept(logit)) atomicAdd(bin_count[(key >> shift) & 255u], by_mass ? mass_of(logit) : 1u);
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
        if (shift == 0u) return prefix;
    }
}

// The mass of the tokens kept so far, times `share`; at least 1, so that something is always kept.
uint share_of_kept(float share) {
    uint mass = 0u;
    for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize)
        if (kept(scratch[work + i])) mass += mass_of(scratch[work + i]);
    barrier();
    if (gl_LocalInvocationID.x == 0u) kept_mass = 0u;
    barrier();
    atomicAdd(kept_mass, mass);
    barrier();
    return max(uint(float(kept_mass) * share), 1u);
}

uint draw(uint entry) {
    // Each invocation owns a run of neighbouring tokens, so the running sum goes by token id.
    uint run = (p.vocabulary + kLocalSize - 1u) / kLocalSize;
    uint begin = min(gl_LocalInvocationID.x * run, p.vocabulary), end = min(begin + run, p.vocabulary);
    uint mass = 0u;
    for (uint i = begin; i < end; ++i) {
        float logit = scratch[work + i];
        if (kept(logit)) mass += mass_of(logit);
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
            if (kept(logit)) sum += mass_of(logit);
            if (high < sum) {
                chosen = i;
                break;
            }
        }
    }
    barrier();
    return chosen;
}

// To be called by the whole workgroup; `work_at`: V floats of scratch, in units of 16 bytes.
uint choose(uint entry, uint work_at) {
    uint row = entries[entry].slot * p.history_stride;
    work = 4u * work_at;
    adjust(entry, row);
    if (entries[entry].temperature <= 0.0 || entries[entry].top_k == 1u) return best_token;
    top = scratch[work + best_token];
    float sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) sum += weight_of(scratch[work + i]);
    inverse_sum = 1.0 / workgroup_add(vec4(sum, 0.0, 0.0, 0.0)).x;

    likely_floor = 1u; // leaves out NaN
    typical_floor = 0u;
    uint top_k = entries[entry].top_k;
    if (top_k != 0u && top_k < p.vocabulary) likely_floor = max(likely_floor, select_key(false, false, top_k));
    float typical_p = entries[entry].typical_p, top_p = entries[entry].top_p, min_p = entries[entry].min_p;
    if (typical_p < 1.0) {
        vec4 sums = vec4(0.0); // of weights, and of weights times the distance to the top
        for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize) {
            float logit = scratch[work + i], weight = kept(logit) ? weight_of(logit) : 0.0;
            if (weight > 0.0) sums += vec4(weight, weight * (logit - top), 0.0, 0.0);
        }
        sums = workgroup_add(sums);
        typical_centre = sums.y / sums.x;
        uint want = share_of_kept(typical_p);
        typical_floor = select_key(true, true, want);
    }
    if (top_p < 1.0) {
        uint want = share_of_kept(top_p);
        likely_floor = max(likely_floor, select_key(false, true, want));
    }
    if (min_p > 0.0) {
        // Of the most probable token that is left, which typical-p may have made another than the best.
        barrier();
        if (gl_LocalInvocationID.x == 0u) found_count = 0u;
        barrier();
        for (uint i = gl_LocalInvocationID.x; i < p.vocabulary; i += kLocalSize)
            if (kept(scratch[work + i])) atomicMax(found_count, key_of(scratch[work + i]));
        barrier();
        likely_floor = max(likely_floor, key_of(float_of(found_count) + log(min_p)));
    }
    return draw(entry);
}

// The step has read `rows` tokens of the prompt, or else (0) the token produced before.
void account(uint entry, uint rows) {
    entries[entry].parity ^= 1u;
    if (rows != 0u) entries[entry].prompt_read += rows;
    else entries[entry].pending = 0u;
}

void produce(uint entry, uint token) {
    for (uint i = 0u; i < min(entries[entry].stop_count, kMaxStopTokens); ++i)
        if (entries[entry].stop_tokens[i] == token) {
            entries[entry].halt = kHaltStopToken;
            return;
        }
    uint produced = entries[entry].produced;
    entries[entry].tokens[produced % kProducedLength] = token;
    entries[entry].next_token = token;
    entries[entry].pending = 1u;
    entries[entry].produced = produced + 1u;
    if (produced + 1u == entries[entry].limit) entries[entry].halt = kHaltLimit;
}
