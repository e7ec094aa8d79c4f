#include "figures.h"

#include "room.h"

namespace tavern {
namespace {

constexpr Color kSkin = rgb(0xe9b48c);

// A blink every few seconds, at a time of its own.
float open_eyes(float time, float seed) {
    const float phase = std::fmod(time + seed, 3.7F);
    return phase < 0.14F ? 0.12F : 1.0F;
}

struct Face {
    Color skin, brow;
    float seed;          // of blinking
    float eyes = 0.062F; // half the distance between them
    float mouth_y = -0.085F;
};

void face(Canvas &canvas, const Face &face, const Pose &pose) {
    const float open = open_eyes(pose.time, face.seed);
    for (const float side : {-1.0F, 1.0F}) {
        const float x = side * face.eyes;
        canvas.ellipse({x, 0.022F}, {0.030F, 0.026F * open}, rgb(0xfdf6e8), 0.2F);
        canvas.ellipse({x + 0.010F * pose.look, 0.020F}, {0.014F, 0.016F * open}, rgb(0x2b1a12), 0);
        canvas.ellipse({x + 0.010F * pose.look - 0.004F, 0.027F}, {0.005F, 0.005F * open}, rgb(0xffffff), 0);
        canvas.box({x, 0.066F + 0.012F * pose.eager}, {0.032F, 0.008F}, face.brow, 0.008F, 0,
                   side * (-0.16F - 0.16F * pose.eager));
    }
    // A smile that opens.
    const float open_mouth = 0.010F + 0.036F * pose.mouth;
    canvas.bowl({0, face.mouth_y}, {0.046F, open_mouth}, rgb(0x5a1a17));
    if (pose.mouth > 0.35F)
        canvas.bowl({0, face.mouth_y - open_mouth * 0.45F}, {0.026F, open_mouth * 0.5F}, rgb(0xc0504a));
}

void cheeks(Canvas &canvas, float apart, float y, Color color) {
    for (const float side : {-1.0F, 1.0F}) canvas.ellipse({side * apart, y}, {0.036F, 0.026F}, color, 0);
}

// From the shoulder over the table; the hand lies at `hand`.
void arm(Canvas &canvas, Vec2 shoulder, Vec2 hand, float width, Color sleeve, Color skin, Color cuff) {
    const Vec2 along{hand.x - shoulder.x, hand.y - shoulder.y};
    const float length = std::sqrt(along.x * along.x + along.y * along.y), angle = std::atan2(along.y, along.x);
    canvas.box({shoulder.x + along.x / 2, shoulder.y + along.y / 2}, {length / 2 + width * 0.6F, width}, sleeve, width,
               0.9F, angle);
    canvas.ellipse({hand.x - along.x / length * width * 0.9F, hand.y - along.y / length * width * 0.9F},
                   {width * 0.45F, width * 1.08F}, cuff, 0.7F, angle);
    canvas.ellipse(hand, {width * 0.85F, width * 0.80F}, skin, 1, angle);
}

void tankard(Canvas &canvas, Vec2 at, float tilt) {
    const float s = std::sin(tilt), c = std::cos(tilt);
    const auto turned = [&](float x, float y) { return Vec2{at.x + c * x - s * y, at.y + s * x + c * y}; };
    canvas.box(turned(0, 0), {0.050F, 0.066F}, rgb(0xb38a45), 0.012F, 0.95F, tilt);
    for (const float y : {-0.045F, 0.045F})
        canvas.box(turned(0, y), {0.053F, 0.009F}, rgb(0x7d5c28), 0.004F, 0.9F, tilt);
    canvas.ellipse(turned(0, 0.068F), {0.050F, 0.018F}, rgb(0xfff0cf), 0.3F, tilt);
}

} // namespace

void draw_falstaff(Canvas &canvas, const Pose &pose) {
    const float breath = 0.006F * std::sin(pose.time * 1.6F), lean = 0.012F * pose.eager * std::sin(pose.time * 5.5F);
    const Color doublet = rgb(0x8e3a2b), beard = rgb(0xd9d2c6);
    canvas.place({-0.56F, kTableTop - 0.02F}, 1, lean);
    canvas.ellipse({0, 0.20F}, {0.33F + breath, 0.36F + breath}, doublet, 1);
    canvas.box({0, 0.13F}, {0.045F, 0.27F}, rgb(0x6e2a20), 0.02F, 0.5F);
    for (int i = 0; i < 4; ++i)
        canvas.ellipse({0, 0.03F + 0.09F * static_cast<float>(i)}, {0.016F, 0.016F}, rgb(0xd9b357), 1);
    canvas.box({0, -0.01F}, {0.31F, 0.028F}, rgb(0x3f2718), 0.01F, 0.8F);
    canvas.box({0, -0.01F}, {0.045F, 0.038F}, rgb(0xcfa548), 0.01F, 0.5F);
    for (int i = -4; i <= 4; ++i) // ruff
        canvas.ellipse({0.042F * static_cast<float>(i), 0.475F - 0.003F * static_cast<float>(i * i)}, {0.034F, 0.042F},
                       rgb(0xf4ecda), 0.8F);
    canvas.place({-0.56F, kTableTop - 0.02F + 0.625F + breath}, 1.04F, lean * 1.6F + 0.05F * pose.look);
    canvas.ellipse({0, 0}, {0.172F, 0.182F}, kSkin, 1);
    for (const float side : {-1.0F, 1.0F})
        canvas.ellipse({side * 0.172F, -0.01F}, {0.030F, 0.042F}, shade(kSkin, 0.92F), 1);
    // Beard, then the mouth in it, then the moustache over that.
    for (const float side : {-1.0F, 1.0F})
        canvas.ellipse({side * 0.125F, -0.085F}, {0.058F, 0.10F}, beard, 0.9F, side * 0.35F);
    canvas.ellipse({0, -0.155F}, {0.135F, 0.095F}, beard, 0.9F);
    canvas.ellipse({0, -0.225F}, {0.060F, 0.055F}, shade(beard, 0.95F), 0.9F);
    cheeks(canvas, 0.10F, -0.035F, rgb(0xe2705a, 0.75F));
    face(canvas, {kSkin, beard, 0.3F, 0.062F, -0.105F}, pose);
    for (const float side : {-1.0F, 1.0F})
        canvas.ellipse({side * 0.045F, -0.080F}, {0.058F, 0.024F}, rgb(0xe6dfd2), 0.8F, side * -0.30F);
    canvas.ellipse({0, -0.030F}, {0.040F, 0.036F}, rgb(0xd95f49), 1); // the famous nose
    // Hat with a feather.
    canvas.ellipse({0, 0.150F}, {0.225F, 0.046F}, rgb(0x3a2a3d), 0.8F);
    canvas.ellipse({0.02F, 0.205F}, {0.150F, 0.085F}, rgb(0x46324a), 1);
    canvas.box({0.01F, 0.165F}, {0.152F, 0.017F}, rgb(0xb98d3d), 0.01F, 0.7F);
    for (int i = 0; i < 5; ++i) {
        const float t = static_cast<float>(i) / 4, wave = 0.04F * std::sin(pose.time * 2 + t * 2);
        canvas.ellipse({0.12F + 0.15F * t, 0.225F + 0.12F * t - 0.10F * t * t + wave * t},
                       {0.050F - 0.018F * t, 0.026F}, rgb(0xd8453a), 0.8F, 0.7F - 0.9F * t);
    }
    const float lift = 0.20F * pose.eager;
    canvas.place({-0.56F, kTableTop - 0.02F});
    arm(canvas, {0.24F, 0.34F}, {0.30F, 0.05F}, 0.062F, shade(doublet, 0.92F), kSkin, rgb(0xf4ecda));
    const Vec2 hand{-0.36F, 0.09F + lift};
    tankard(canvas, {hand.x - 0.03F, hand.y + 0.045F}, 0.10F + 0.25F * pose.eager);
    arm(canvas, {-0.26F, 0.33F}, hand, 0.064F, shade(doublet, 0.92F), kSkin, rgb(0xf4ecda));
}

void draw_hostess(Canvas &canvas, const Pose &pose) {
    const float breath = 0.005F * std::sin(pose.time * 1.9F + 1),
                sway = 0.016F * pose.eager * std::sin(pose.time * 4.2F);
    const Color dress = rgb(0x3f6b4b), hair = rgb(0x9a5526);
    canvas.place({0.09F, kTableTop - 0.02F}, 1, sway);
    canvas.ellipse({0, 0.10F}, {0.235F, 0.30F}, dress, 1);
    canvas.box({0, 0.24F}, {0.155F, 0.16F + breath}, dress, 0.10F, 0.9F);
    canvas.ellipse({0, 0.375F}, {0.105F, 0.055F}, kSkin, 0.8F);
    canvas.box({0, 0.12F}, {0.105F, 0.19F}, rgb(0xeee6d3), 0.05F, 0.7F); // apron
    canvas.box({0, 0.03F}, {0.165F, 0.016F}, rgb(0xd8cdb4), 0.008F, 0.5F);
    for (int i = 0; i < 3; ++i)
        canvas.box({0, 0.22F + 0.04F * static_cast<float>(i)}, {0.030F, 0.004F}, rgb(0x8c4a3a), 0.003F, 0,
                   i % 2 == 0 ? 0.5F : -0.5F);
    canvas.box({0, 0.42F}, {0.040F, 0.05F}, shade(kSkin, 0.9F), 0.02F, 0.8F);
    canvas.place({0.09F, kTableTop - 0.02F + 0.565F + breath}, 1, sway * 2 + 0.05F * pose.look);
    canvas.ellipse({0, 0.045F}, {0.168F, 0.165F}, hair, 1);
    canvas.ellipse({0, 0}, {0.138F, 0.158F}, kSkin, 1);
    canvas.ellipse({-0.07F, 0.105F}, {0.085F, 0.048F}, hair, 0.9F, 0.55F);
    canvas.ellipse({0.07F, 0.105F}, {0.085F, 0.048F}, hair, 0.9F, -0.55F);
    cheeks(canvas, 0.085F, -0.035F, rgb(0xe8806c, 0.65F));
    face(canvas, {kSkin, rgb(0x7a3f1b), 1.7F, 0.054F, -0.070F}, pose);
    canvas.ellipse({0, -0.018F}, {0.020F, 0.018F}, rgb(0xe59f7c), 1);
    // Cap with a frill.
    canvas.ellipse({0, 0.195F}, {0.150F, 0.090F}, rgb(0xf6f0e2), 1);
    for (int i = -4; i <= 4; ++i)
        canvas.ellipse({0.038F * static_cast<float>(i), 0.150F - 0.0042F * static_cast<float>(i * i)}, {0.026F, 0.024F},
                       rgb(0xfffaee), 0.6F);
    canvas.ellipse({0, 0.205F}, {0.030F, 0.020F}, rgb(0x9c3d3d), 0.7F, 0.3F);
    for (const float side : {-1.0F, 1.0F}) canvas.ellipse({side * 0.140F, -0.055F}, {0.010F, 0.014F}, rgb(0xe8c25a), 1);
    canvas.place({0.09F, kTableTop - 0.02F});
    const float lift = 0.13F * pose.eager * (0.6F + 0.4F * std::sin(pose.time * 3.4F));
    arm(canvas, {-0.17F, 0.29F}, {-0.12F, 0.045F}, 0.046F, shade(dress, 0.95F), kSkin, rgb(0xf4ecda));
    arm(canvas, {0.17F, 0.29F}, {0.24F, 0.06F + lift}, 0.046F, shade(dress, 0.95F), kSkin, rgb(0xf4ecda));
}

void draw_prince(Canvas &canvas, const Pose &pose) {
    const float breath = 0.005F * std::sin(pose.time * 1.7F + 2),
                sway = 0.014F * pose.eager * std::sin(pose.time * 4.8F);
    const Color doublet = rgb(0x34508a), hair = rgb(0x4a2d1a), gold = rgb(0xe0b34a);
    canvas.place({0.74F, kTableTop - 0.02F}, 1, sway - 0.02F);
    canvas.ellipse({0, 0.12F}, {0.215F, 0.30F}, doublet, 1);
    canvas.box({0, 0.27F}, {0.195F, 0.165F + breath}, doublet, 0.11F, 0.9F);
    canvas.box({0, 0.20F}, {0.022F, 0.24F}, gold, 0.01F, 0.5F);
    for (const float side : {-1.0F, 1.0F}) {
        canvas.ellipse({side * 0.175F, 0.385F}, {0.085F, 0.060F}, shade(doublet, 1.12F), 1, side * -0.4F);
        canvas.box({side * 0.09F, 0.22F}, {0.008F, 0.16F}, gold, 0.006F, 0.4F, side * 0.10F);
    }
    canvas.ellipse({0, 0.365F}, {0.075F, 0.075F}, gold, 0.6F); // chain
    canvas.ellipse({0, 0.380F}, {0.068F, 0.072F}, doublet, 0.6F);
    canvas.ellipse({0, 0.295F}, {0.022F, 0.022F}, rgb(0xb5332d), 1);
    canvas.box({0, 0.45F}, {0.042F, 0.06F}, shade(kSkin, 0.9F), 0.02F, 0.8F);
    canvas.box({0, 0.430F}, {0.090F, 0.028F}, rgb(0xf4ecda), 0.02F, 0.7F);
    canvas.place({0.74F, kTableTop - 0.02F + 0.635F + breath}, 1, sway * 2 + 0.05F * pose.look);
    canvas.box({0, 0.005F}, {0.165F, 0.165F}, hair, 0.11F, 0.8F); // hair to the shoulders
    canvas.ellipse({0, 0}, {0.132F, 0.158F}, kSkin, 1);
    canvas.ellipse({-0.075F, 0.118F}, {0.095F, 0.052F}, hair, 0.9F, 0.42F);
    canvas.ellipse({0.080F, 0.118F}, {0.085F, 0.050F}, hair, 0.9F, -0.50F);
    cheeks(canvas, 0.082F, -0.040F, rgb(0xe58f70, 0.45F));
    face(canvas, {kSkin, hair, 2.9F, 0.054F, -0.078F}, pose);
    canvas.box({0, -0.012F}, {0.014F, 0.028F}, rgb(0xdda27c), 0.012F, 0.9F);
    canvas.ellipse({0, -0.140F}, {0.026F, 0.020F}, hair, 0.6F);
    canvas.box({0, 0.150F}, {0.138F, 0.022F}, gold, 0.008F, 0.8F); // crown
    for (int i = -2; i <= 2; ++i) {
        const float x = 0.060F * static_cast<float>(i);
        canvas.triangle({x, 0.195F}, {0.026F, 0.034F}, gold, 0.5F);
        canvas.ellipse({x, 0.232F}, {0.010F, 0.010F}, i % 2 == 0 ? rgb(0xc4342e) : rgb(0x3fa37a), 1);
    }
    canvas.place({0.74F, kTableTop - 0.02F});
    const float lift = 0.17F * pose.eager;
    arm(canvas, {-0.18F, 0.33F}, {-0.16F, 0.05F}, 0.048F, shade(doublet, 0.95F), kSkin, rgb(0xf4ecda));
    const Vec2 hand{0.27F, 0.09F + lift};
    tankard(canvas, {hand.x + 0.025F, hand.y + 0.04F}, -0.10F - 0.20F * pose.eager);
    arm(canvas, {0.19F, 0.33F}, hand, 0.048F, shade(doublet, 0.95F), kSkin, rgb(0xf4ecda));
}

} // namespace tavern
