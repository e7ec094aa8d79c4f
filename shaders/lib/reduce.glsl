// Sums over a workgroup and over its teams. A team is the group of lanes that shares one row of a matrix: a subgroup, of
// whatever size runs, or without subgroup operations kLanes neighbours. Every sum has a fixed order, so a replay gives
// the same bits. All calls must be reached by the whole workgroup.
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#endif

layout(local_size_x_id = kSpecLocalSize) in;
layout(constant_id = kSpecLanes) const uint kLanes = 4u;
const uint kLocalSize = gl_WorkGroupSize.x;

#ifdef SUBGROUP
// Subgroups of 4 and more; one partial sum each.
const uint kLeastTeam = 4u;
shared vec4 reduce_parts[kLocalSize / kLeastTeam + 1u];

uint team_count() { return gl_NumSubgroups; }
uint team() { return gl_SubgroupID; }
uint team_lane() { return gl_SubgroupInvocationID; }
uint team_size() { return gl_SubgroupSize; }
// Numbers the invocations so that neighbours are in one subgroup, whatever order the driver fills subgroups in.
uint local_index() { return gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID; }

// The group of `groups` that a lane's loads are told (lib/lane_loads.glsl), of its own.
#define lanes_group(group, groups)                                                                                           \
    AT_MOST((kUniformLanes == 0u ? (group) : subgroupShuffle(group, 0u)), (groups) - max(kUniformLanes, 1u))

vec4 team_add(vec4 value) { return subgroupAdd(value); }

vec4 workgroup_add(vec4 value) {
    value = subgroupAdd(value);
    if (gl_NumSubgroups == 1u) return value;
    barrier(); // the last use of reduce_parts is over
    if (gl_SubgroupInvocationID == 0u) reduce_parts[gl_SubgroupID] = value;
    barrier();
    vec4 sum = reduce_parts[0];
    for (uint i = 1u; i < gl_NumSubgroups; ++i) sum += reduce_parts[i];
    return sum;
}
// Sum over the `lanes` (1, 2 or 4) neighbours, counted by local_index(), that `lanes` divides.
vec4 lanes_add(vec4 value, uint lanes) {
    if (lanes >= 2u) value += subgroupShuffleXor(value, 1u);
    if (lanes >= 4u) value += subgroupShuffleXor(value, 2u);
    return value;
}
#else
const uint kLeastTeam = kLanes;
shared vec4 reduce_parts[kLocalSize];

uint team_count() { return kLocalSize / kLanes; }
uint team() { return gl_LocalInvocationID.x / kLanes; }
uint team_lane() { return gl_LocalInvocationID.x % kLanes; }
uint team_size() { return kLanes; }
uint local_index() { return gl_LocalInvocationID.x; }

#define lanes_group(group, groups) (group)

vec4 lanes_add(vec4 value, uint lanes) {
    uint i = gl_LocalInvocationID.x;
    barrier();
    reduce_parts[i] = value;
    barrier();
    for (uint step = lanes >> 1u; step > 0u; step >>= 1u) {
        if ((i & (lanes - 1u)) < step) reduce_parts[i] += reduce_parts[i + step];
        barrier();
    }
    return reduce_parts[i & ~(lanes - 1u)];
}
vec4 team_add(vec4 value) { return lanes_add(value, kLanes); }

vec4 workgroup_add(vec4 value) {
    uint i = gl_LocalInvocationID.x;
    barrier();
    reduce_parts[i] = value;
    barrier();
    for (uint count = kLocalSize; count > 1u;) { // any size: the upper half is folded onto the lower
        uint half_count = (count + 1u) >> 1u;
        if (i + half_count < count) reduce_parts[i] += reduce_parts[i + half_count];
        barrier();
        count = half_count;
    }
    return reduce_parts[0];
}
#endif
