#include "report/html.h"

#include "report/svg.h"

#include <fmt/format.h>

namespace program::report {
namespace {

const char *kind_name(ColumnKind kind) {
    switch (kind) {
    case ColumnKind::name:
        return "name";
    case ColumnKind::number:
        return "number";
    case ColumnKind::range:
        return "number range";
    case ColumnKind::text:
        return "text";
    case ColumnKind::picture:
        return "picture";
    }
    return "";
}

const char *tone_name(Tone tone) {
    return tone == Tone::better ? " better" : tone == Tone::worse ? " worse" : "";
}

std::string paragraph(const std::string &text, const char *style) {
    return text.empty() ? std::string() : fmt::format("<p class=\"{}\">{}</p>\n", style, html_escaped(text));
}

// The label stands before the figure where the screen is too narrow for columns.
std::string cell_html(const Column &column, const Cell &cell) {
    if (column.kind == ColumnKind::name) return fmt::format("<th scope=\"row\">{}</th>", html_escaped(cell.text));
    std::string content = html_escaped(cell.text);
    if (cell.bar) content += bar_svg(*cell.bar);
    if (cell.ratio) content += ratio_svg(*cell.ratio);
    const std::string empty = content.empty() ? " empty" : "";
    return fmt::format("<td class=\"{}{}{}\" data-label=\"{}\">{}</td>", kind_name(column.kind), tone_name(cell.tone),
                       empty, html_escaped(column.name), content);
}

std::string table_html(const Table &table) {
    std::string out;
    if (!table.title.empty()) out += fmt::format("<h3>{}</h3>\n", html_escaped(table.title));
    out += fmt::format("<table{}>\n<thead><tr>", table.small ? " class=\"facts\"" : "");
    for (const Column &column : table.columns)
        out += fmt::format("<th scope=\"col\" class=\"{}\">{}</th>", kind_name(column.kind), html_escaped(column.name));
    out += "</tr></thead>\n<tbody>\n";
    for (const std::vector<Cell> &row : table.rows) {
        out += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) out += cell_html(table.columns[i], row[i]);
        out += "</tr>\n";
    }
    return out + "</tbody>\n</table>\n";
}

std::string plot_html(const Plot &plot) {
    std::string out = "<figure>" + plot_svg(plot) + "\n<ul class=\"legend\">";
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        const Series &series = plot.series[i];
        out += fmt::format("<li>{}<span>{}{}{}</span></li>", series_mark_svg(i), html_escaped(series.name),
                           series.limit_name.empty() ? "" : "; ", html_escaped(series.limit_name));
    }
    return out + "</ul></figure>\n";
}

std::string section_html(const Section &section) {
    std::string out = fmt::format("<section>\n<h2>{}</h2>\n", html_escaped(section.title));
    out += paragraph(section.lead, "lead");
    for (const std::string &note : section.notes) out += paragraph(note, "note");
    if (section.plot) out += plot_html(*section.plot);
    for (const Table &table : section.tables) out += "<div class=\"block\">" + table_html(table) + "</div>\n";
    return out + "</section>\n";
}

} // namespace

std::string html_escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string html_of(const Page &page) {
    // The policy keeps the page's promise even if an escape were forgotten: nothing is loaded, nothing runs.
    std::string out = fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                                  "style-src 'unsafe-inline'\">\n"
                                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                                  "<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n<main>\n"
                                  "<header>\n<h1>{0}</h1>\n{2}</header>\n",
                                  html_escaped(page.title), kStyleSheet, paragraph(page.lead, "lead"));
    for (const Section &section : page.sections) out += section_html(section);
    return out + "</main>\n</body>\n</html>\n";
}

} // namespace program::report
