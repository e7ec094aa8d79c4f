// Rows of a matrix times the input of this workgroup. Each team takes kRows rows at a time and walks the columns in groups
// of eight; kGroupRows rows are the workgroup's, whatever the size of its teams. The file that includes this says
// - how the input is made: compute_input, called once a group and workgroup when the input is staged in shared memory,
//   once a group and team when it does not fit;
//   (with kUniformLanes as what loads by a group is told in lib/lane_loads.glsl: the inputs are then staged, or loaded so);
// - where a row's result goes: store_row, called by one lane for each row.
void compute_input(uint group, out vec4 low, out vec4 high);
void store_row(uint row, float value);

layout(constant_id = kSpecRows) const uint kRows = 4u;
layout(constant_id = kSpecGroupRows) const uint kGroupRows = 16u;
layout(constant_id = kSpecStageFloats) const uint kStageFloats = 0u;

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
        for (uint g = team_lane(); g < groups; g += team_size()) {
            uint group = lanes_group(g, groups);
            PREPARED input_low, input_high;
            if (kStageFloats != 0u) {
                input_low = lane_staged(2u * group, 2u);
                input_high = lane_staged(2u * group + 1u, 2u);
            } else {
                prepare_input(group, plain, input_low, input_high);
            }
#if defined(WEIGHTS_BLOCKS) && !defined(INTEGER_DOT) // one branch for all rows, whose loads go together then
            if (plain) {
                for (uint r = 0u; r < kRows; ++r) sums[r] += plain_product(row_at[r], group, input_low, input_high);
            } else {
                for (uint r = 0u; r < kRows; ++r) sums[r] += block_product(row_at[r], groups, group, input_low, input_high);
            }
#else
            for (uint r = 0u; r < kRows; ++r)
                sums[r] += product(row_at[r], groups, group, plain, input_low, input_high);
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
