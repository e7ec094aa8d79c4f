// What a report says, before it is HTML or Markdown: both are made from this, so that neither can say something else.
// Texts are not escaped.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace program::report {

// A length on an axis from 0 to `full`, with a range (least and most) if there is one.
struct BarMark {
    double length, full;
    double least = 0, most = 0; // equal: no range
    bool baseline = false;
};

// A ratio and its interval on a logarithmic axis from 1 / reach to reach; between the tolerances nothing is claimed.
struct RatioMark {
    double ratio, low, high, reach, tolerance;
};

enum class Tone { plain, better, worse };

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
    std::optional<BarMark> bar = {};
    std::optional<RatioMark> ratio = {};
};

// What a column holds. Pictures stand for figures of other columns: Markdown leaves them out.
enum class ColumnKind { name, number, range, text, picture }; // range: from one number to another
struct Column {
    std::string name;
    ColumnKind kind;
};

struct Table {
    std::string title; // "": that of the section is enough
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;
    bool small = false; // facts to look up, not to read
};

// Both axes logarithmic. A series has a limit y = limit / x, drawn as a line, if limit > 0.
struct Point {
    double x, y;
    std::string name;
};
struct Series {
    std::string name, limit_name;
    std::vector<Point> points; // by x
    double limit = 0;
};
struct Plot {
    std::string x_name, y_name;
    std::vector<Series> series;
};

struct Section {
    std::string title;
    std::string lead = {};               // how to read it
    std::vector<std::string> notes = {}; // what is to be said of these files
    std::optional<Plot> plot = {};
    std::vector<Table> tables = {};

    bool empty() const { return tables.empty() && notes.empty(); }
};

struct Page {
    std::string title, lead;
    std::vector<Section> sections;
};

} // namespace program::report
