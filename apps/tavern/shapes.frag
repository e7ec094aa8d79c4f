#version 450
layout(location = 0) in vec2 at;
layout(location = 1) in vec2 room;
layout(location = 2) flat in vec4 shape;      // center, half size
layout(location = 3) flat in vec4 shape_form; // angle, round, kind, volume
layout(location = 4) flat in vec4 color_top;
layout(location = 5) flat in vec4 color_bottom;
layout(location = 0) out vec4 color;          // premultiplied

layout(push_constant) uniform Frame {
    vec2 scale;
    float time, pixel;
    vec4 lights[4]; // x, y, radius, strength
} frame;

float hash(vec2 p) {
    p = fract(p * vec2(0.1031, 0.1030));
    p += dot(p, p.yx + 33.33);
    return fract((p.x + p.y) * p.x);
}

float noise(vec2 p) {
    const vec2 cell = floor(p), f = p - cell, u = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash(cell), hash(cell + vec2(1, 0)), u.x), mix(hash(cell + vec2(0, 1)), hash(cell + vec2(1, 1)), u.x),
               u.y);
}

// Signed distances from the edge, negative inside.
float box(vec2 p, vec2 half_size, float round) {
    const vec2 q = abs(p) - half_size + round;
    return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - round;
}
float ellipse(vec2 p, vec2 half_size) {
    const float k = length(p / half_size), g = length(p / (half_size * half_size));
    return k * (k - 1.0) / max(g, 1e-4);
}
float triangle(vec2 p, vec2 half_size) {
    const vec2 side = normalize(vec2(2.0 * half_size.y, half_size.x));
    return max(dot(vec2(abs(p.x), p.y - half_size.y), side), -p.y - half_size.y);
}
float arch(vec2 p, vec2 half_size) {
    const float shoulder = half_size.y - half_size.x;
    return p.y > shoulder ? length(p - vec2(0, shoulder)) - half_size.x : box(p, half_size, 0.0);
}

vec3 night() {
    const vec2 p = at / shape.w;
    vec3 sky = mix(vec3(0.10, 0.13, 0.27), vec3(0.02, 0.03, 0.09), smoothstep(-1.0, 1.0, p.y));
    const vec2 moon = p - vec2(0.16, 0.42);
    sky += vec3(0.95, 0.93, 0.80) * smoothstep(0.15, 0.13, length(moon)) *
           (0.8 + 0.2 * noise(moon * 22.0));
    sky += vec3(0.20, 0.22, 0.30) * exp(-5.0 * length(moon));
    const vec2 star = floor(p * 26.0);
    const float lit = step(0.965, hash(star + 3.0));
    sky += lit * smoothstep(0.22, 0.0, length(fract(p * 26.0) - 0.5)) *
           (0.5 + 0.5 * sin(frame.time * (1.0 + 2.0 * hash(star)) + 40.0 * hash(star.yx)));
    sky = mix(sky, vec3(0.05, 0.06, 0.12), smoothstep(0.03, 0.0, p.y + 0.45 - 0.16 * noise(vec2(p.x * 2.6 + 1.7, 0.5)))); // hills
    for (int layer = 0; layer < 2; ++layer) { // snow
        const float size = 9.0 + 6.0 * float(layer);
        vec2 q = p * size + vec2(sin(frame.time * 0.6 + p.y * 2.0) * 0.5, frame.time * (1.5 - 0.4 * float(layer)));
        const vec2 cell = floor(q);
        const vec2 middle = 0.3 + 0.4 * vec2(hash(cell), hash(cell.yx + 7.0));
        sky += 0.7 * step(0.78, hash(cell + 11.0)) * smoothstep(0.12, 0.04, length(q - cell - middle));
    }
    return sky;
}

// A tongue of fire: how far in, and how hot.
vec4 flame() {
    const vec2 p = at / shape.zw;
    const float up = 0.5 * p.y + 0.5, seed = shape.x * 17.0 + shape.z * 31.0;
    const float sway = (noise(vec2(seed, frame.time * 1.9 - up * 1.6)) - 0.5) * 1.1 * up;
    const float flicker = 0.85 + 0.15 * noise(vec2(frame.time * 5.0, seed));
    const float width = 0.78 * sqrt(max(up, 0.0)) * pow(max(1.0 - up / flicker, 0.0), 0.7) * 1.6;
    const float inside = width - abs(p.x - sway) + 0.16 * (noise(vec2(p.x * 3.0 + seed, p.y * 2.4 - frame.time * 4.0)) - 0.5) * up;
    const float heat = smoothstep(0.0, 0.55, inside);
    vec3 fire = mix(color_bottom.rgb, color_top.rgb, smoothstep(0.1, 0.9, heat));
    fire = mix(fire, vec3(1.0, 0.97, 0.82), smoothstep(0.75, 1.0, heat) * (1.0 - up));
    const float alpha = smoothstep(0.0, 0.25, inside) * smoothstep(0.0, 0.08, up);
    return vec4(fire * alpha, alpha * 0.75) * color_top.a;
}

void main() {
    const int kind = int(shape_form.z);
    const vec2 half_size = shape.zw;
    if (kind == 2) {
        color = flame();
        return;
    }
    if (kind == 3) {
        const float reach = max(1.0 - length(at / half_size), 0.0);
        color = vec4(color_top.rgb * (reach * reach * color_top.a), 0.0);
        return;
    }
    float edge = 0.0;
    if (kind == 1) edge = ellipse(at, half_size);
    else if (kind == 6) edge = max(ellipse(at - vec2(0, half_size.y), vec2(half_size.x, 2.0 * half_size.y)), at.y - half_size.y);
    else if (kind == 7) edge = triangle(at, half_size);
    else if (kind == 8 || kind == 9) edge = arch(at, half_size);
    else edge = box(at, half_size, kind == 4 ? 0.008 : shape_form.y);
    const float cover = clamp(0.5 - edge / (1.4 * frame.pixel), 0.0, 1.0);
    if (cover <= 0.0) discard;

    const vec4 paint = mix(color_bottom, color_top, clamp(0.5 * at.y / half_size.y + 0.5, 0.0, 1.0));
    vec3 surface = paint.rgb;
    const float alpha = paint.a * cover;
    if (kind == 9) {
        color = vec4(night() * alpha, alpha);
        return;
    }
    if (kind == 4) { // boards along the longer side, with grain
        const bool upright = half_size.y > half_size.x;
        const vec2 p = upright ? at.yx : at;
        const float board = p.y / shape_form.y, row = floor(board);
        const float grain = noise(vec2(p.x * 3.0 + 13.0 * hash(vec2(row, 5.0)), p.y * 70.0));
        surface *= (0.80 + 0.28 * hash(vec2(row, 2.0) + shape.xy)) * (0.82 + 0.30 * grain);
        surface *= 0.45 + 0.55 * smoothstep(0.0, 0.09, min(fract(board), 1.0 - fract(board)));
    } else if (kind == 5) { // stones in courses
        vec2 p = at / vec2(0.17, 0.095);
        const float row = floor(p.y);
        p.x += 0.5 * mod(row, 2.0) + 0.3 * hash(vec2(row, 1.0));
        const vec2 cell = floor(p), f = p - cell;
        const vec2 joint = min(f, 1.0 - f) * vec2(0.17, 0.095);
        surface *= (0.72 + 0.42 * hash(cell + 9.0)) * (0.80 + 0.35 * noise(at * 42.0));
        surface *= 0.40 + 0.60 * smoothstep(0.002, 0.012, min(joint.x, joint.y));
    }

    // Bodies bulge towards us; flat things are lit by distance alone.
    const float volume = shape_form.w;
    const vec2 slope = clamp(at / half_size, -1.0, 1.0) * volume;
    const float s = sin(shape_form.x), c = cos(shape_form.x);
    const vec3 normal = normalize(vec3(c * slope.x - s * slope.y, s * slope.x + c * slope.y, 1.15 - 0.55 * dot(slope, slope)));
    vec3 light = vec3(0.27, 0.24, 0.29) * (0.8 + 0.2 * normal.y);
    for (int i = 0; i < 4; ++i) {
        const vec2 to = frame.lights[i].xy - room;
        const float reach = dot(to, to) / (frame.lights[i].z * frame.lights[i].z);
        const vec3 toward = normalize(vec3(to, 0.45));
        const float facing = mix(0.75, max(dot(normal, toward) * 0.9 + 0.25, 0.0), min(volume * 1.5, 1.0));
        light += vec3(1.0, 0.66, 0.36) * (frame.lights[i].w * facing / (1.0 + 2.2 * reach + reach * reach));
    }
    surface *= light;
    surface *= 1.0 - 0.14 * dot(room * vec2(0.42, 0.7), room * vec2(0.42, 0.7)); // corners of the room
    surface = surface / (1.0 + 0.18 * surface);
    color = vec4(surface * alpha, alpha);
}
