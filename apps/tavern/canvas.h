// Collects the shapes of a frame.
#pragma once

#include "shape.h"

#include <cmath>
#include <vector>

namespace tavern {

constexpr Color rgb(std::uint32_t hex, float alpha = 1) {
    return {static_cast<float>(hex >> 16 & 255) / 255, static_cast<float>(hex >> 8 & 255) / 255,
            static_cast<float>(hex & 255) / 255, alpha};
}
constexpr Color shade(Color color, float factor) {
    return {color.r * factor, color.g * factor, color.b * factor, color.a};
}

// Shapes are given relative to a place that can be moved, turned and scaled.
class Canvas {
  public:
    void clear() { shapes_.clear(); }
    const std::vector<Shape> &shapes() const { return shapes_; }

    void place(Vec2 origin, float scale = 1, float angle = 0) { origin_ = origin, scale_ = scale, angle_ = angle; }

    void box(Vec2 center, Vec2 half, Color color, float round = 0, float volume = 0, float angle = 0) {
        add(Kind::box, center, half, color, shade(color, 0.78F), round * scale_, volume, angle);
    }
    void ellipse(Vec2 center, Vec2 half, Color color, float volume = 1, float angle = 0) {
        add(Kind::ellipse, center, half, color, shade(color, 0.82F), 0, volume, angle);
    }
    void bowl(Vec2 center, Vec2 half, Color color, float volume = 0, float angle = 0) {
        add(Kind::bowl, center, half, color, color, 0, volume, angle);
    }
    void triangle(Vec2 center, Vec2 half, Color color, float volume = 0, float angle = 0) {
        add(Kind::triangle, center, half, color, shade(color, 0.8F), 0, volume, angle);
    }
    void planks(Vec2 center, Vec2 half, Color color, float board, float volume = 0, float angle = 0) {
        add(Kind::planks, center, half, color, shade(color, 0.85F), board * scale_, volume, angle);
    }
    void stones(Vec2 center, Vec2 half, Color color) { add(Kind::stones, center, half, color, color, 0, 0, 0); }
    void arch(Vec2 center, Vec2 half, Color color) {
        add(Kind::arch, center, half, color, shade(color, 0.7F), 0, 0, 0);
    }
    void night(Vec2 center, Vec2 half) { add(Kind::night, center, half, {}, {}, 0, 0, 0); }
    void glow(Vec2 center, Vec2 half, Color color) { add(Kind::glow, center, half, color, color, 0, 0, 0); }
    void flame(Vec2 center, Vec2 half, Color inner, Color outer) {
        add(Kind::flame, center, half, inner, outer, 0, 0, 0);
    }

    // A candle with its flame; returns where it shines.
    Vec2 candle(Vec2 foot, float height) {
        box({foot.x, foot.y + height / 2}, {0.017F, height / 2}, rgb(0xefe3c2), 0.006F, 0.8F);
        ellipse({foot.x, foot.y + height}, {0.017F, 0.006F}, rgb(0xfff4d0), 0);
        const Vec2 light{foot.x, foot.y + height + 0.035F};
        flame({light.x, light.y + 0.012F}, {0.022F, 0.05F}, rgb(0xffd75e), rgb(0xff8a1e));
        glow(light, {0.26F, 0.26F}, rgb(0xff9a3c, 0.38F));
        return {origin_.x + light.x * scale_, origin_.y + light.y * scale_};
    }

  private:
    void add(Kind kind, Vec2 center, Vec2 half, Color top, Color bottom, float round, float volume, float angle) {
        const float s = std::sin(angle_), c = std::cos(angle_);
        Shape shape;
        shape.center = {origin_.x + scale_ * (c * center.x - s * center.y),
                        origin_.y + scale_ * (s * center.x + c * center.y)};
        shape.half = {half.x * scale_, half.y * scale_};
        shape.angle = angle + angle_;
        shape.round = round;
        shape.kind = static_cast<float>(kind);
        shape.volume = volume;
        shape.top = top;
        shape.bottom = bottom;
        shapes_.push_back(shape);
    }

    std::vector<Shape> shapes_;
    Vec2 origin_;
    float scale_ = 1, angle_ = 0;
};

} // namespace tavern
