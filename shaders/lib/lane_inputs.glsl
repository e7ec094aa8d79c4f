// vec4 lane_inputs(at, step): inputs that are read as they are, from scratch4; as weights are read (lib/lane_loads.glsl).
#ifdef ADDRESS
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Inputs { vec4 inputs[]; };
LANE_LOAD(lane_inputs, vec4, bvec4, Inputs(uvec2(scratch_low, scratch_high)).inputs)
#else
LANE_LOAD(lane_inputs, vec4, bvec4, scratch4)
#endif
