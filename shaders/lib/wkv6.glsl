// Time mixing of RWKV-5 (Eagle) and RWKV-6 (Finch), arXiv 2404.05892, between the big matrices; a workgroup a head, one token:
//   out = r (diag(u) k^T v + S),  S' = diag(w) S + k^T v,  y = GroupNorm(out) * gate
// The state is kept [value][key], so that kLanes lanes share a row as in wkv7. The file that includes this says what
// the decay of a channel is: float decay_of(uint channel, uint lane), called by the whole workgroup.
layout(constant_id = kSpecHeadSize) const uint kHeadSize = 64u; // N, a multiple of 4 kLanes
const uint kVectors = kHeadSize / (4u * kLanes);                // vec4s of a state row that one lane has
const float kGroupNormEps = 64e-5;                              // 1e-5 * 8^2: training divides by 8 first

shared vec4 decay[kHeadSize / 4u], key[kHeadSize / 4u], receptance[kHeadSize / 4u];

float vector(uint which, uint channel) { return parameters[4u * (p.vectors_at + which * p.vector_stride) + channel]; }
float decay_of(uint channel, uint lane);

void main() {
    if (step_header[kStepRun] == 0u) return;
    uint row = local_index() / kLanes, lane = local_index() % kLanes;
    uint channel = gl_WorkGroupID.x * kHeadSize + row;
    bool first_lane = lane == 0u;
    float w = decay_of(channel, lane);
    float r = scratch[4u * p.r_at + channel];
    float k = scratch[4u * p.k_at + channel];
    float v = scratch[4u * p.v_at + channel];
    float bonus = workgroup_add(vec4(first_lane ? r * k * vector(1u, channel) : 0.0, 0.0, 0.0, 0.0)).x;
    if (first_lane) {
        decay[row / 4u][row % 4u] = w;
        key[row / 4u][row % 4u] = k;
        receptance[row / 4u][row % 4u] = r;
    }
    barrier();

    uint row_at = p.wkv_at + step_header[kStepSlot] * p.slot_stride + channel * (kHeadSize / 4u);
    float sum = 0.0;
    for (uint i = 0u; i < kVectors; ++i) {
        uint at = i * kLanes + lane;
        vec4 s = state[row_at + at];
        sum += dot(s, receptance[at]);
        state[row_at + at] = s * decay[at] + v * key[at];
    }
    float y = lanes_add(vec4(sum, 0.0, 0.0, 0.0), kLanes).x + v * bonus;

    float mean = workgroup_add(vec4(first_lane ? y : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
    float d = y - mean;
    float variance = workgroup_add(vec4(first_lane ? d * d : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
    if (!first_lane) return;
    float normalised = d * inversesqrt(variance + kGroupNormEps) * vector(2u, channel) + vector(3u, channel);
    float gate = p.gate_at == kNone ? 1.0 : scratch[4u * p.gate_at + channel];
    scratch[4u * p.y_at + channel] = normalised * gate;
}
