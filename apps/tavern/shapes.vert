#version 450
// A quad for each shape, a little larger than it for the soft edge.
layout(location = 0) in vec4 place;  // center, half size
layout(location = 1) in vec4 form;   // angle, round, kind, volume
layout(location = 2) in vec4 top;
layout(location = 3) in vec4 bottom;

layout(location = 0) out vec2 at;        // in the shape, its middle at 0
layout(location = 1) out vec2 room;
layout(location = 2) flat out vec4 shape;
layout(location = 3) flat out vec4 shape_form;
layout(location = 4) flat out vec4 color_top;
layout(location = 5) flat out vec4 color_bottom;

layout(push_constant) uniform Frame {
    vec2 scale;
    float time, pixel;
    vec4 lights[4];
} frame;

void main() {
    const vec2 corner = vec2((gl_VertexIndex & 1) * 2 - 1, (gl_VertexIndex >> 1) * 2 - 1);
    at = corner * (place.zw + 2.0 * frame.pixel);
    const float s = sin(form.x), c = cos(form.x);
    room = place.xy + vec2(c * at.x - s * at.y, s * at.x + c * at.y);
    shape = place;
    shape_form = form;
    color_top = top;
    color_bottom = bottom;
    gl_Position = vec4(room.x * frame.scale.x, -room.y * frame.scale.y, 0.0, 1.0);
}
