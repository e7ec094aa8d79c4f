#include "report/svg.h"

#include "numbers.h"
#include "report/html.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace program::report {
namespace {

// Bars and ratios are drawn on a field of 100 by 10; lines keep their thickness when it is stretched.
constexpr const char *kField = "viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"";

std::string line(const char *style, double x1, double y1, double x2, double y2) {
    return fmt::format("<line class=\"{}\" x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\"/>", style, x1, y1,
                       x2, y2);
}

std::string bracket(double low, double high) {
    return line("range", low, 5, high, 5) + line("range", low, 2.5, low, 7.5) + line("range", high, 2.5, high, 7.5);
}

// Where a plot's values lie.
class Axis {
  public:
    Axis(double low, double high, double from, double to)
        : low_(std::log10(low)), high_(std::log10(high)), from_(from), to_(to) {}

    double at(double value) const { return from_ + (std::log10(value) - low_) / (high_ - low_) * (to_ - from_); }
    double low() const { return std::pow(10, low_); }
    double high() const { return std::pow(10, high_); }

    // 1, 2, 5, 10, ... within two decades, else powers of ten, no more than six or so.
    std::vector<double> ticks() const {
        std::vector<double> all;
        const bool close = high_ - low_ < 2;
        const int step = std::max(1, static_cast<int>(std::ceil((high_ - low_) / 6)));
        for (int power = static_cast<int>(std::floor(low_)); power <= high_; power += step)
            for (const double digit : {1.0, 2.0, 5.0}) {
                const double value = digit * std::pow(10, power);
                const bool inside = std::log10(value) >= low_ && std::log10(value) <= high_;
                if (inside && (close || digit < 2)) all.push_back(value);
            }
        return all;
    }

  private:
    double low_, high_, from_, to_;
};

struct Domain {
    double least = INFINITY, most = 0;
    void cover(double value) {
        least = std::min(least, value);
        most = std::max(most, value);
    }
};

constexpr double kLeft = 46, kRight = 376, kTop = 24, kBottom = 236, kWidth = 400, kHeight = 276;
constexpr double kMargin = 1.4; // beyond the first and the last point

std::string shape(std::size_t series, double x, double y) {
    constexpr std::size_t kColours = 4, kShapes = 4;
    const std::size_t colour = series % kColours;
    switch (series / kColours % kShapes) {
    case 0:
        return fmt::format("<circle class=\"s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>", colour, x, y);
    case 1:
        return fmt::format("<rect class=\"s{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"9\" height=\"9\"/>", colour, x - 4.5,
                           y - 4.5);
    case 2:
        return fmt::format("<path class=\"s{}\" d=\"M{:.1f} {:.1f}l6 6l-6 6l-6 -6z\"/>", colour, x, y - 6);
    default:
        return fmt::format("<path class=\"s{}\" d=\"M{:.1f} {:.1f}l6 10h-12z\"/>", colour, x, y - 6);
    }
}

std::string grid(const Axis &x, const Axis &y, const Plot &plot) {
    std::string out;
    for (const double value : x.ticks()) {
        out += line("grid", x.at(value), kTop, x.at(value), kBottom);
        out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}B</text>", x.at(value),
                           kBottom + 16, scaled_text(value));
    }
    for (const double value : y.ticks()) {
        out += line("grid", kLeft, y.at(value), kRight, y.at(value));
        out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>", kLeft - 6,
                           y.at(value) + 4, value);
    }
    return out + fmt::format("<text x=\"2\" y=\"13\">{}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                             html_escaped(plot.y_name), kRight, kHeight - 6, html_escaped(plot.x_name));
}

// y = limit / x, as far as it lies in the picture.
std::string limit_line(const Axis &x, const Axis &y, double limit) {
    const double from = std::max(x.low(), limit / y.high()), to = std::min(x.high(), limit / y.low());
    if (!(from < to)) return {};
    return line("limit", x.at(from), y.at(limit / from), x.at(to), y.at(limit / to));
}

} // namespace

std::string bar_svg(const BarMark &bar) {
    const double scale = bar.full > 0 ? 100 / bar.full : 0;
    std::string out = fmt::format("<svg class=\"bar\" {}><rect class=\"track\" width=\"100\" height=\"10\"/>"
                                  "<rect class=\"{}\" width=\"{:.2f}\" height=\"10\"/>",
                                  kField, bar.baseline ? "base" : "fill", bar.length * scale);
    if (bar.least < bar.most) out += bracket(bar.least * scale, bar.most * scale);
    return out + "</svg>";
}

std::string ratio_svg(const RatioMark &mark) {
    const double reach = std::log(mark.reach) * 1.05;
    const auto at = [&](double ratio) { return 50 + 50 * std::log(ratio) / reach; };
    const double band = at(1 - mark.tolerance);
    return fmt::format(
               "<svg class=\"ratio\" {}><rect class=\"track\" width=\"100\" height=\"10\"/><rect class=\"band\" "
               "x=\"{:.2f}\" width=\"{:.2f}\" height=\"10\"/>",
               kField, std::max(band, 0.0), 100 - 2 * std::max(band, 0.0)) +
           line("one", 50, 0, 50, 10) + bracket(at(mark.low), at(mark.high)) +
           line("point", at(mark.ratio), 2, at(mark.ratio), 8) + "</svg>";
}

std::string plot_svg(const Plot &plot) {
    Domain across, up;
    for (const Series &series : plot.series)
        for (const Point &point : series.points) {
            across.cover(point.x);
            up.cover(point.y);
            if (series.limit > 0) up.cover(series.limit / point.x);
        }
    const Axis x(across.least / kMargin, across.most * kMargin, kLeft, kRight);
    const Axis y(up.least / kMargin, up.most * kMargin, kBottom, kTop);
    std::string out = fmt::format("<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\"><title>{} by {}</title>",
                                  kWidth, kHeight, html_escaped(plot.y_name), html_escaped(plot.x_name)) +
                      grid(x, y, plot);
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        const Series &series = plot.series[i];
        out += fmt::format("<g class=\"c{}\">", i % 4);
        if (series.limit > 0) out += limit_line(x, y, series.limit);
        for (std::size_t j = 1; j < series.points.size(); ++j)
            out += line("path", x.at(series.points[j - 1].x), y.at(series.points[j - 1].y), x.at(series.points[j].x),
                        y.at(series.points[j].y));
        for (const Point &point : series.points)
            out += fmt::format("<g><title>{}: {} tokens/s</title>{}</g>", html_escaped(point.name), speed_text(point.y),
                               shape(i, x.at(point.x), y.at(point.y)));
        out += "</g>";
    }
    return out + "</svg>";
}

std::string series_mark_svg(std::size_t series) {
    return fmt::format("<svg class=\"key\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{}</svg>", shape(series, 7, 7));
}

} // namespace program::report
