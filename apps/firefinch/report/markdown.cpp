#include "report/markdown.h"

#include <algorithm>

#include <fmt/format.h>

namespace program::report {
namespace {

bool shown(const Column &column) {
    return column.kind != ColumnKind::picture;
}

std::string cell_markdown(const Cell &cell) {
    const std::string text = markdown_escaped(cell.text);
    return cell.tone == Tone::plain || text.empty() ? text : fmt::format("**{}**", text);
}

std::string table_markdown(const Table &table) {
    std::string out;
    if (!table.title.empty()) out += fmt::format("**{}**\n\n", markdown_escaped(table.title));
    std::string rule;
    for (const Column &column : table.columns) {
        if (!shown(column)) continue;
        out += fmt::format("| {} ", markdown_escaped(column.name));
        rule += column.kind == ColumnKind::number || column.kind == ColumnKind::range ? "|--:" : "|---";
    }
    out += fmt::format("|\n{}|\n", rule);
    for (const std::vector<Cell> &row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            if (shown(table.columns[i])) out += fmt::format("| {} ", cell_markdown(row[i]));
        out += "|\n";
    }
    return out + "\n";
}

// Others' words may begin it, and must make no heading or list of it.
std::string paragraph(const std::string &text) {
    std::string out = markdown_escaped(text.substr(std::min(text.find_first_not_of(' '), text.size())));
    if (out.empty()) return out;
    const std::size_t digits = std::min(out.find_first_not_of("0123456789"), out.size());
    const bool marked = digits < out.size() && std::string_view("#+-=.)").find(out[digits]) != std::string_view::npos;
    if (marked) out.insert(digits, "\\");
    return out + "\n\n";
}

} // namespace

std::string markdown_escaped(std::string_view text) {
    constexpr std::string_view kMarks = "\\`*_[]|~$";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool web = text.substr(i).starts_with("://") || (i >= 3 && text.substr(i - 3).starts_with("www."));
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '@') // names somebody even behind a backslash, but not before a word joiner
            out += "@\u2060";
        else if (kMarks.find(c) != kMarks.npos || web)
            out += fmt::format("\\{}", c);
        else
            out += c;
    }
    return out;
}

std::string markdown_of(const Page &page) {
    std::string out = fmt::format("## {}\n\n{}", markdown_escaped(page.title), paragraph(page.lead));
    for (const Section &section : page.sections) {
        out += fmt::format("### {}\n\n{}", markdown_escaped(section.title), paragraph(section.lead));
        for (const std::string &note : section.notes) out += paragraph(note);
        for (const Table &table : section.tables) out += table_markdown(table);
    }
    return out;
}

} // namespace program::report
