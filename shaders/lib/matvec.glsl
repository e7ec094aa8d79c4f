// Rows of a matrix times the input of this workgroup. Each team takes kRows rows at a time and walks the columns in groups
// of eight, a lane kAtOnce of them in a turn; kGroupRows rows are the workgroup's, whatever the size of its teams. The file
// that includes this says
// - how the input is made: compute_input, called once a group and workgroup when the input is staged in shared memory,
//   once a group and team when it does not fit;
//   (with kUniformLanes as what loads by a group is told in lib/lane_loads.glsl: the inputs are then staged, or loaded so);
// - where a row's result goes: store_row, called by one lane for each row.
void compute_input(uint group, out vec4 low, out vec4 high);
void store_row(uint row, float value);

layout(constant_id = kSpecRows) const uint kRows = 4u;
layout(constant_id = kSpecGroupRows) const uint kGroupRows = 16u;
layout(constant_id = kSpecStageFloats) const uint kStageFloats = 0u;
layout(constant_id = kSpecUnroll) const uint kUnroll = 1u;
layout(constant_id = kSpecNeighbours) const uint kNeighbours = 1u;
const uint kAtOnce = kUnroll * kNeighbours; // 1 with kUniformLanes

// prepare_input: eight inputs as the products want them; product: theirs with the weights of a row. Of block formats that are not
// multiplied in integers there are two, plain_product and block_product (lib/block_products.glsl).
#ifdef INTEGER_DOT
#include "lib/integer_dot.glsl"
#else
#ifdef WEIGHTS_BLOCKS
#include "lib/block_products.glsl"
#endif
#define PREPARED vec4
void prepare_input(uint group, bool plain, out vec4 low, out vec4 high) { compute_input(group, low, high); }
#ifdef WEIGHTS_BLOCKS
float plain_product(uint row_at, uint group, vec4 input_low, vec4 input_high) {
    vec4 low, high;
    load_plain_weights(row_at, group, low, high);
    return dot(low, input_low) + dot(high, input_high);
}
#else
float product(uint row_at, uint groups, uint group, bool plain, vec4 input_low, vec4 input_high) {
    vec4 low, high;
    load_weights(row_at, groups, group, plain, low, high);
    return dot(low, input_low) + dot(high, input_high);
}
#endif
#endif

shared PREPARED staged[kStageFloats == 0u ? 1u : kStageFloats / 4u];
LANE_LOAD(lane_staged, PREPARED, bvec4, staged)

// Before the first matvec, by the whole workgroup.
void stage_input(uint groups, bool plain) {
    if (kStageFloats == 0u) return;
    for (uint g = gl_LocalInvocationID.x; g < groups; g += kLocalSize) {
        PREPARED low, high;
        prepare_input(g, plain, low, high);
        staged[2u * g] = low;
        staged[2u * g + 1u] = high;
    }
    barrier();
}

// Rows first_row .. first_row + kGroupRows - 1, as far as there are `rows`. A team without a row of its own goes through
// the motions on the last one, since sums over a team may hold barriers.
// `plain`: a matrix that is not of this variant's type (lib/weights.glsl).
void matvec(uint weights_at, uint groups, uint first_row, uint rows, bool plain) {
    uint units = row_units(groups, plain);
    for (uint base = 0u; base < kGroupRows; base += team_count() * kRows) {
        uint mine = base + team() * kRows;
        uint first = first_row + mine;
        float sums[kRows];
        uint row_at[kRows];
        for (uint r = 0u; r < kRows; ++r) {
            sums[r] = 0.0;
            row_at[r] = weights_at + min(first + r, rows - 1u) * units;
        }
        uint places = groups / kNeighbours;
        for (uint place = team_lane(); place < places; place += team_size() * kUnroll) {
            uint group[kAtOnce];
            PREPARED input_low[kAtOnce], input_high[kAtOnce];
            for (uint i = 0u; i < kAtOnce; ++i) {
                uint other = place + i / kNeighbours * team_size(); // where it is none, the last one's weights are multiplied by zero
                group[i] = kAtOnce == 1u ? lanes_group(place, groups) : min(other, places - 1u) * kNeighbours + i % kNeighbours;
                if (kStageFloats != 0u) {
                    input_low[i] = lane_staged(2u * group[i], 2u);
                    input_high[i] = lane_staged(2u * group[i] + 1u, 2u);
                } else {
                    prepare_input(group[i], plain, input_low[i], input_high[i]);
                }
                if (kUnroll > 1u && other >= places) input_low[i] = input_high[i] = PREPARED(0);
            }
#if defined(WEIGHTS_BLOCKS) && !defined(INTEGER_DOT) // one branch for all rows, whose loads go together then
            if (plain) {
                for (uint i = 0u; i < kAtOnce; ++i)
                    for (uint r = 0u; r < kRows; ++r) sums[r] += plain_product(row_at[r], group[i], input_low[i], input_high[i]);
            } else {
                for (uint i = 0u; i < kAtOnce; ++i)
                    for (uint r = 0u; r < kRows; ++r)
                        sums[r] += block_product(row_at[r], groups, group[i], input_low[i], input_high[i]);
            }
#else
            for (uint i = 0u; i < kAtOnce; ++i)
                for (uint r = 0u; r < kRows; ++r)
                    sums[r] += product(row_at[r], groups, group[i], plain, input_low[i], input_high[i]);
#endif
        }
        for (uint r = 0u; r < kRows; r += 4u) {
            const uint last = kRows - 1u;
            vec4 four = team_add(vec4(sums[r], sums[min(r + 1u, last)], sums[min(r + 2u, last)], sums[min(r + 3u, last)]));
            for (uint i = 0u; i < min(4u, kRows - r); ++i) {
                uint row = mine + r + i;
                if (row < kGroupRows && first_row + row < rows && team_lane() == i % team_size())
                    store_row(first_row + row, four[i]);
            }
        }
    }
}
