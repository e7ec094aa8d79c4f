#include "loader/quant/k_search.h"

#include "loader/quant/scale_search.h"
#include "loader/quant/small_floats.h"

#include <algorithm>
#include <cmath>

namespace ff::loader {

namespace {

constexpr int kRounds = 2;
constexpr std::size_t kLanes = 8;

float as_f16(float value) {
    return widen_f16(narrow_f16(value));
}

struct Group {
    std::span<const float> x, w;
};

// Rounds a group to scale * q + minimum and says what it loses; q may be null.
float round_group(const Group &group, float scale, float minimum, float low, float high, float *q) {
    const float inverse = scale != 0 ? 1 / scale : 0;
    std::array<float, kLanes> error{};
    for (std::size_t i = 0; i < group.x.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const std::size_t at = i + lane;
            const float level = nearest_level((group.x[at] - minimum) * inverse, low, high);
            const float off = scale * level + minimum - group.x[at];
            error[lane] += group.w[at] * off * off;
            if (q != nullptr) q[at] = level;
        }
    float total = 0;
    for (const float part : error) total += part;
    return total;
}

class AffineBlock {
  public:
    AffineBlock(std::span<const float, 256> values, int high) : high_(static_cast<float>(high)) {
        for (std::size_t g = 0; g < kGroups32; ++g) {
            const auto x = values.subspan(32 * g, 32);
            error_weights(x, std::span(weights_).subspan(32 * g, 32));
            groups_[g] = {x, std::span(weights_).subspan(32 * g, 32)};
        }
    }

    AffineLevels search() {
        float widest = 0, lowest = 0;
        std::array<Affine, kGroups32> wanted;
        for (std::size_t g = 0; g < kGroups32; ++g) {
            wanted[g] = affine_scale(groups_[g].x, groups_[g].w, high_, true);
            widest = std::max(widest, wanted[g].scale);
            lowest = std::min(lowest, wanted[g].minimum);
        }
        best_.factor = as_f16(widest / 63);
        best_.minimum_factor = as_f16(-lowest / 63);
        const auto integer = [](float value, float factor) {
            return static_cast<std::uint8_t>(nearest_level(factor > 0 ? value / factor : 0, 0, 63));
        };
        for (std::size_t g = 0; g < kGroups32; ++g) {
            best_.scale[g] = integer(wanted[g].scale, best_.factor);
            best_.minimum[g] = integer(-wanted[g].minimum, best_.minimum_factor);
        }
        for (int round = 0; round < kRounds; ++round) {
            for (std::size_t g = 0; g < kGroups32; ++g) improve_integers(g);
            if (!improve_factors()) break;
        }
        round_all(best_, true);
        return best_;
    }

  private:
    float error_of(std::size_t g, int scale, int minimum, const AffineLevels &levels, float *q = nullptr) const {
        return round_group(groups_[g], levels.factor * static_cast<float>(scale),
                           -levels.minimum_factor * static_cast<float>(minimum), 0, high_, q);
    }

    void improve_integers(std::size_t g) {
        const int scale = best_.scale[g], minimum = best_.minimum[g];
        float least = error_of(g, scale, minimum, best_);
        for (int s = std::max(0, scale - 1); s <= std::min(63, scale + 1); ++s)
            for (int m = std::max(0, minimum - 1); m <= std::min(63, minimum + 1); ++m) {
                if (s == scale && m == minimum) continue;
                const float error = error_of(g, s, m, best_);
                if (!(error < least)) continue;
                least = error;
                best_.scale[g] = static_cast<std::uint8_t>(s);
                best_.minimum[g] = static_cast<std::uint8_t>(m);
            }
    }

    float round_all(AffineLevels &levels, bool keep) {
        float error = 0;
        std::array<float, 32> q;
        for (std::size_t g = 0; g < kGroups32; ++g) {
            error += error_of(g, levels.scale[g], levels.minimum[g], levels, q.data());
            if (!keep) continue;
            for (std::size_t i = 0; i < 32; ++i) levels.q[32 * g + i] = static_cast<std::uint8_t>(q[i]);
        }
        return error;
    }

    // Least squares for both factors over the block, with all integers as they are.
    bool improve_factors() {
        const float before = round_all(best_, true);
        double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
        for (std::size_t g = 0; g < kGroups32; ++g)
            for (std::size_t i = 0; i < 32; ++i) {
                const double w = groups_[g].w[i], x = groups_[g].x[i];
                const double a = double(best_.scale[g]) * best_.q[32 * g + i], b = -double(best_.minimum[g]);
                aa += w * a * a;
                ab += w * a * b;
                bb += w * b * b;
                ax += w * a * x;
                bx += w * b * x;
            }
        AffineLevels fitted = best_;
        const double determinant = aa * bb - ab * ab;
        if (determinant > 1e-9 * aa * bb) {
            fitted.factor = as_f16(static_cast<float>((ax * bb - bx * ab) / determinant));
            fitted.minimum_factor = as_f16(static_cast<float>((aa * bx - ab * ax) / determinant));
        } else if (aa > 0 && bb == 0) {
            fitted.factor = as_f16(static_cast<float>(ax / aa));
        }
        if (!(fitted.factor > 0) || !(fitted.minimum_factor >= 0) || !(round_all(fitted, false) < before)) return false;
        best_.factor = fitted.factor;
        best_.minimum_factor = fitted.minimum_factor;
        return true;
    }

    float high_;
    std::array<float, 256> weights_;
    std::array<Group, kGroups32> groups_;
    AffineLevels best_;
};

class SymmetricBlock {
  public:
    explicit SymmetricBlock(std::span<const float, 256> values) {
        for (std::size_t g = 0; g < kGroups16; ++g) {
            const auto x = values.subspan(16 * g, 16);
            error_weights(x, std::span(weights_).subspan(16 * g, 16));
            groups_[g] = {x, std::span(weights_).subspan(16 * g, 16)};
        }
    }

    SymmetricLevels search() {
        std::array<float, kGroups16> wanted;
        float widest = 0;
        for (std::size_t g = 0; g < kGroups16; ++g) {
            wanted[g] = symmetric_scale(groups_[g].x, groups_[g].w, -32, 31);
            if (std::fabs(wanted[g]) > std::fabs(widest)) widest = wanted[g];
        }
        best_.factor = as_f16(widest / -128);
        for (std::size_t g = 0; g < kGroups16; ++g)
            best_.scale[g] =
                static_cast<std::int8_t>(nearest_level(best_.factor != 0 ? wanted[g] / best_.factor : 0, -128, 127));
        for (int round = 0; round < kRounds; ++round) {
            for (std::size_t g = 0; g < kGroups16; ++g) improve_integer(g);
            if (!improve_factor()) break;
        }
        round_all(best_, true);
        return best_;
    }

  private:
    float error_of(std::size_t g, int scale, float factor, float *q = nullptr) const {
        return round_group(groups_[g], factor * static_cast<float>(scale), 0, -32, 31, q);
    }

    void improve_integer(std::size_t g) {
        const int scale = best_.scale[g];
        float least = error_of(g, scale, best_.factor);
        for (const int s : {scale - 1, scale + 1}) {
            if (s < -128 || s > 127) continue;
            const float error = error_of(g, s, best_.factor);
            if (!(error < least)) continue;
            least = error;
            best_.scale[g] = static_cast<std::int8_t>(s);
        }
    }

    float round_all(SymmetricLevels &levels, bool keep) {
        float error = 0;
        std::array<float, 16> q;
        for (std::size_t g = 0; g < kGroups16; ++g) {
            error += error_of(g, levels.scale[g], levels.factor, q.data());
            if (!keep) continue;
            for (std::size_t i = 0; i < 16; ++i) levels.q[16 * g + i] = static_cast<std::int8_t>(q[i]);
        }
        return error;
    }

    bool improve_factor() {
        const float before = round_all(best_, true);
        double aa = 0, ax = 0;
        for (std::size_t e = 0; e < 256; ++e) {
            const Group &group = groups_[e / 16];
            const double a = double(best_.scale[e / 16]) * best_.q[e];
            aa += double(group.w[e % 16]) * a * a;
            ax += double(group.w[e % 16]) * a * group.x[e % 16];
        }
        if (!(aa > 0)) return false;
        SymmetricLevels fitted = best_;
        fitted.factor = as_f16(static_cast<float>(ax / aa));
        if (fitted.factor == 0 || !(round_all(fitted, false) < before)) return false;
        best_.factor = fitted.factor;
        return true;
    }

    std::array<float, 256> weights_;
    std::array<Group, kGroups16> groups_;
    SymmetricLevels best_;
};

} // namespace

AffineLevels affine_levels(std::span<const float, 256> values, int high) {
    return AffineBlock(values, high).search();
}

SymmetricLevels symmetric_levels(std::span<const float, 256> values) {
    return SymmetricBlock(values).search();
}

} // namespace ff::loader
