// What the picture is made of: soft-edged shapes, drawn one over the other, lit by the fire and the candles.
#pragma once

#include <cstdint>

namespace tavern {

struct Vec2 {
    float x = 0, y = 0;
};
struct Color {
    float r = 0, g = 0, b = 0, a = 1;
};

// As the fragment shader numbers them.
enum class Kind : std::uint32_t {
    box = 0, // with rounded corners
    ellipse = 1,
    flame = 2, // moving, gives its own light
    glow = 3,  // added to what is there
    planks = 4,
    stones = 5,
    bowl = 6,     // the lower half of an ellipse
    triangle = 7, // isosceles, point up
    arch = 8,     // a box with a round top
    night = 9,    // what is outside the window: an arch
};

// One instance of the vertex buffer. The room is 3.56 wide and 2 high, its middle at 0, y upwards.
struct Shape {
    Vec2 center, half;          // half its size
    float angle = 0, round = 0; // radians against the clock; radius of a box's corners
    float kind = 0;             // Kind
    float volume = 0;           // 0 flat to 1 a body, which turns its light side to the lights
    Color top, bottom;          // a gradient
};
static_assert(sizeof(Shape) == 64);

constexpr int kLights = 4;
struct Light {
    float x, y, radius, strength;
};
// Push constants of both shaders.
struct Frame {
    Vec2 scale;  // from the room to clip space
    float time;  // seconds
    float pixel; // size of one in the room
    Light lights[kLights];
};
static_assert(sizeof(Frame) == 80);

} // namespace tavern
