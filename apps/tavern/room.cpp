#include "room.h"

namespace tavern {
namespace {

// Smooth, never the same, between 0 and 1.
float flicker(float time, float seed) {
    return 0.5F + 0.22F * std::sin(time * 7.3F + seed) + 0.16F * std::sin(time * 12.9F + 2 * seed) +
           0.12F * std::sin(time * 23.1F + 5 * seed);
}

void hearth(Canvas &canvas, float time, Light &light) {
    const Color stone = rgb(0x8d8379);
    canvas.place({-1.32F, -0.20F});
    canvas.stones({0, 0.62F}, {0.30F, 0.62F}, stone); // chimney
    canvas.stones({0, -0.12F}, {0.46F, 0.50F}, stone);
    canvas.arch({0, -0.20F}, {0.31F, 0.40F}, rgb(0x140d0b));
    canvas.glow({0, -0.30F}, {0.42F, 0.46F}, rgb(0xff6a1a, 0.75F));
    canvas.planks({0, 0.40F}, {0.52F, 0.045F}, rgb(0x6b4226), 0.09F, 0.3F); // mantelpiece
    // On it a tankard, a jug and a candle.
    canvas.box({-0.33F, 0.50F}, {0.045F, 0.06F}, rgb(0x9a9fa6), 0.012F, 0.9F);
    canvas.ellipse({-0.20F, 0.50F}, {0.055F, 0.06F}, rgb(0x7d4a2d), 1);
    canvas.box({-0.20F, 0.57F}, {0.022F, 0.03F}, rgb(0x7d4a2d), 0.008F, 0.7F);
    canvas.ellipse({0.34F, 0.505F}, {0.05F, 0.062F}, rgb(0x4b6a57), 1);
    // A shield above.
    canvas.box({0, 0.745F}, {0.12F, 0.09F}, rgb(0x8c2828), 0.02F, 0.4F);
    canvas.bowl({0, 0.60F}, {0.12F, 0.065F}, rgb(0x742020), 0.4F);
    canvas.box({0, 0.70F}, {0.018F, 0.125F}, rgb(0xd9b050), 0.005F, 0.3F);
    canvas.box({0, 0.75F}, {0.12F, 0.018F}, rgb(0xd9b050), 0.005F, 0.3F);
    // Fire: the back row darker, the front one bright, on two logs.
    for (int i = 0; i < 5; ++i) {
        const float x = -0.18F + 0.09F * static_cast<float>(i);
        canvas.flame({x, -0.27F + 0.02F * flicker(time, x)}, {0.10F, 0.22F - 0.05F * std::abs(x) * 4},
                     rgb(0xff9a2e, 0.9F), rgb(0xb52a08));
    }
    for (int i = 0; i < 4; ++i) {
        const float x = -0.135F + 0.09F * static_cast<float>(i);
        canvas.flame({x, -0.36F}, {0.075F, 0.15F + 0.02F * flicker(time, 3 + x)}, rgb(0xffe27a), rgb(0xff7a14));
    }
    canvas.box({-0.02F, -0.52F}, {0.20F, 0.032F}, rgb(0x5a3620), 0.03F, 0.8F, 0.10F);
    canvas.box({0.02F, -0.54F}, {0.19F, 0.030F}, rgb(0x48291a), 0.03F, 0.8F, -0.14F);
    for (int i = 0; i < 14; ++i) { // sparks
        const float seed = static_cast<float>(i) * 1.7F, age = std::fmod(time * 0.35F + seed * 0.37F, 1.0F);
        canvas.glow({0.20F * std::sin(seed * 5) + 0.05F * std::sin(time * 2 + seed), -0.45F + 0.75F * age},
                    {0.012F, 0.012F}, rgb(0xffb347, 1.6F * (1 - age)));
    }
    light = {-1.32F, -0.42F, 0.95F, 2.1F + 0.55F * flicker(time, 1)};
}

void window(Canvas &canvas) {
    canvas.place({1.20F, 0.12F});
    canvas.arch({0, 0}, {0.29F, 0.46F}, rgb(0x50331f));
    canvas.night({0, 0.0F}, {0.245F, 0.415F});
    canvas.box({0, 0}, {0.011F, 0.41F}, rgb(0x3f2818));
    canvas.box({0, 0.12F}, {0.245F, 0.010F}, rgb(0x3f2818));
    canvas.box({0, -0.16F}, {0.245F, 0.010F}, rgb(0x3f2818));
    canvas.planks({0, -0.45F}, {0.33F, 0.03F}, rgb(0x6b4226), 0.06F, 0.3F);
    canvas.ellipse({0.16F, -0.385F}, {0.06F, 0.04F}, rgb(0x8a5a35), 1); // a cat's bowl, and the cat
    canvas.ellipse({-0.09F, -0.355F}, {0.10F, 0.068F}, rgb(0x3b3540), 1);
    canvas.ellipse({-0.175F, -0.30F}, {0.050F, 0.046F}, rgb(0x3b3540), 1);
    canvas.triangle({-0.205F, -0.255F}, {0.017F, 0.024F}, rgb(0x3b3540), 0, 0.2F);
    canvas.triangle({-0.150F, -0.255F}, {0.017F, 0.024F}, rgb(0x3b3540), 0, -0.2F);
    canvas.box({0.03F, -0.405F}, {0.10F, 0.016F}, rgb(0x35303a), 0.016F, 0.8F, -0.05F);
}

void shelf(Canvas &canvas) {
    canvas.place({0.02F, 0.46F});
    canvas.planks({0, 0}, {0.46F, 0.024F}, rgb(0x704626), 0.05F, 0.3F);
    const Color bottles[] = {rgb(0x2f5a3a), rgb(0x6b2f22), rgb(0x3c4a6b), rgb(0x57602c), rgb(0x7a4a1e), rgb(0x2f5a52)};
    for (int i = 0; i < 6; ++i) {
        const float x = -0.38F + 0.115F * static_cast<float>(i), height = i % 3 == 1 ? 0.062F : 0.078F;
        canvas.box({x, 0.024F + height}, {0.030F, height}, bottles[i], 0.018F, 0.9F);
        canvas.box({x, 0.024F + 2 * height + 0.022F}, {0.011F, 0.026F}, shade(bottles[i], 0.85F), 0.004F, 0.9F);
        canvas.box({x, 0.024F + 2 * height + 0.052F}, {0.012F, 0.010F}, rgb(0xa98458), 0.003F, 0.5F);
        canvas.box({x, 0.024F + height}, {0.022F, 0.020F}, rgb(0xd9c9a0), 0.003F, 0.3F);
    }
    for (int i = 0; i < 2; ++i) {
        const float x = 0.31F + 0.10F * static_cast<float>(i);
        canvas.box({x, 0.075F}, {0.036F, 0.05F}, rgb(0xa9adb3), 0.01F, 0.9F);
        canvas.box({x + 0.045F, 0.078F}, {0.014F, 0.030F}, rgb(0x8e9298), 0.012F, 0.7F);
    }
}

// A wheel with candles, swaying a little.
void chandelier(Canvas &canvas, float time, Light &light) {
    const float sway = 0.02F * std::sin(time * 0.8F);
    canvas.place({0.02F, 1.02F}, 1, sway);
    for (const float x : {-0.26F, 0.26F})
        canvas.box({x / 2, -0.13F}, {0.005F, 0.185F}, rgb(0x2b2420), 0, 0, x > 0 ? 0.78F : -0.78F);
    canvas.ellipse({0, -0.26F}, {0.30F, 0.036F}, rgb(0x4a3020), 0.6F);
    canvas.ellipse({0, -0.254F}, {0.25F, 0.020F}, rgb(0x241711), 0);
    Vec2 at;
    for (const float x : {-0.25F, -0.09F, 0.09F, 0.25F}) at = canvas.candle({x, -0.255F}, 0.065F);
    light = {0.10F, at.y, 1.25F, 1.15F + 0.20F * flicker(time, 4)};
}

void barrels(Canvas &canvas) {
    for (const Vec2 at : {Vec2{1.62F, -0.36F}, Vec2{1.33F, -0.52F}}) {
        canvas.place(at);
        canvas.planks({0, 0}, {0.165F, 0.23F}, rgb(0x7b4f2b), 0.055F, 0.9F);
        for (const float y : {-0.15F, 0.15F}) canvas.box({0, y}, {0.170F, 0.017F}, rgb(0x55565c), 0.004F, 0.9F);
    }
    canvas.place({1.33F, -0.52F});
    canvas.box({-0.02F, -0.02F}, {0.014F, 0.035F}, rgb(0xb9904c), 0.008F, 0.6F);
    canvas.box({-0.02F, 0.02F}, {0.032F, 0.010F}, rgb(0xb9904c), 0.008F, 0.6F);
}

void mug(Canvas &canvas, Vec2 at) {
    canvas.place(at);
    canvas.box({0.058F, 0.072F}, {0.026F, 0.036F}, rgb(0x70767d), 0.022F, 0.5F);
    canvas.box({0.056F, 0.072F}, {0.013F, 0.022F}, rgb(0x2a1a10), 0.012F);
    canvas.box({0, 0.07F}, {0.052F, 0.072F}, rgb(0x9da3aa), 0.012F, 0.95F);
    canvas.ellipse({0, 0.142F}, {0.052F, 0.019F}, rgb(0xfff0cf), 0.3F);
    canvas.ellipse({-0.02F, 0.150F}, {0.022F, 0.014F}, rgb(0xfff6e0), 0.3F);
}

} // namespace

void draw_room(Canvas &canvas, float time, Light (&lights)[kLights]) {
    canvas.place({});
    canvas.box({0, 0}, {2.6F, 1.2F}, rgb(0xa98a63)); // plaster
    canvas.stones({0, -0.78F}, {2.6F, 0.34F}, rgb(0x6f675f));
    const Color beam = rgb(0x58371f);
    canvas.planks({0, -0.42F}, {2.6F, 0.05F}, beam, 0.1F, 0.3F);
    for (const float x : {-0.72F, 0.76F}) canvas.planks({x, 0.2F}, {0.055F, 1.0F}, beam, 0.11F, 0.4F);
    canvas.planks({-0.98F, 0.52F}, {0.045F, 0.42F}, beam, 0.09F, 0.3F, -0.62F);
    canvas.planks({1.68F, 0.25F}, {0.055F, 1.0F}, beam, 0.11F, 0.4F);
    shelf(canvas);
    window(canvas);
    hearth(canvas, time, lights[0]);
    barrels(canvas);
    canvas.place({});
    canvas.planks({0, 0.94F}, {2.6F, 0.085F}, rgb(0x4c2f1a), 0.17F, 0.4F);
    chandelier(canvas, time, lights[1]);
}

void draw_table(Canvas &canvas, float time, Light (&lights)[kLights]) {
    canvas.place({0, kTableTop});
    canvas.planks({0.05F, -0.08F}, {1.12F, 0.085F}, rgb(0x9a6636), 0.058F, 0.25F);
    canvas.planks({0.05F, -0.20F}, {1.14F, 0.045F}, rgb(0x6d4424), 0.09F, 0.3F);
    canvas.planks({0.05F, -0.62F}, {1.02F, 0.40F}, rgb(0x55341c), 0.12F, 0.2F);
    canvas.ellipse({0.36F, -0.055F}, {0.14F, 0.026F}, rgb(0x7d5a39), 0.4F); // bread on a board
    canvas.ellipse({0.35F, 0.0F}, {0.10F, 0.055F}, rgb(0xc58a48), 1);
    for (int i = 0; i < 3; ++i)
        canvas.box({0.30F + 0.05F * static_cast<float>(i), 0.022F}, {0.005F, 0.022F}, rgb(0x8f5a27), 0.004F, 0, 0.5F);
    canvas.ellipse({-0.20F, -0.05F}, {0.075F, 0.016F}, rgb(0xb08a3e), 0.6F);
    lights[2] = {0, 0, 0.75F, 1.05F + 0.25F * flicker(time, 7)};
    const Vec2 first = canvas.candle({-0.20F, -0.045F}, 0.13F);
    lights[2].x = first.x, lights[2].y = first.y;
    canvas.ellipse({0.98F, -0.05F}, {0.070F, 0.015F}, rgb(0xb08a3e), 0.6F);
    lights[3] = {0, 0, 0.75F, 1.05F + 0.25F * flicker(time, 9)};
    const Vec2 second = canvas.candle({0.98F, -0.045F}, 0.09F);
    lights[3].x = second.x, lights[3].y = second.y;
    mug(canvas, {0.13F, kTableTop - 0.075F});
    mug(canvas, {0.64F, kTableTop - 0.085F});
}

} // namespace tavern
