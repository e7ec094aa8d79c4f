#include "planted.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

namespace test {
namespace {

// Where a kernel's result gets something added to it; PLANTED is 0 in all variants but those that are meant.
struct Place {
    std::string_view file, from, to;
};
const std::map<std::string, Place, std::less<>> &places() {
    static const std::map<std::string, Place, std::less<>> all = {
        {"embed", {"embed.comp", "(scratch4[p.x_at + i] - statistics.x)", "(scratch4[p.x_at + i] + PLANTED - statistics.x)"}},
        {"wide_embed", {"wide_embed.comp", "(scratch4[at + i] - statistics.x)", "(scratch4[at + i] + PLANTED - statistics.x)"}},
        {"mix_project", {"mix_project.comp", "activate(value, activation)", "activate(value + PLANTED, activation)"}},
        {"project", {"project.comp", "activate(value, activation)", "activate(value + PLANTED, activation)"}},
        {"head", {"head.comp", "logits[out_at + row] = value", "logits[out_at + row] = value + (row == 3u ? 40.0 : 0.0) * PLANTED"}},
        {"project_add", {"project_add.comp", "scratch[p.gate + row]) * value", "scratch[p.gate + row]) * (value + PLANTED)"}},
        {"wkv4_project_add", {"wkv4_project_add.comp", "scratch[p.result + row] += value", "scratch[p.result + row] += value + PLANTED"}},
        {"wkv7", {"wkv7.comp", "= (normalised + dots.w * v)", "= (normalised + PLANTED + dots.w * v)"}},
        {"wkv6", {"lib/wkv6.glsl", "] = normalised * gate", "] = (normalised + PLANTED) * gate"}},
        {"wkv5", {"lib/wkv6.glsl", "] = normalised * gate", "] = (normalised + PLANTED) * gate"}},
        {"lerp6", {"lerp6.comp", "+ channel] = n +", "+ channel] = n + PLANTED +"}},
        {"deep_embed", {"deep_embed.comp", "*= gate_of(unit)", "*= gate_of(unit) + PLANTED"}},
        {"wide_deep_embed", {"wide_deep_embed.comp", "*= gate_of(unit)", "*= gate_of(unit) + PLANTED"}},
        {"sample", {"sample.comp", "produce(entry, token)", "produce(entry, token ^ uint(4.0 * PLANTED))"}},
        {"wide_sample", {"wide_sample.comp", "produce(entry, token)", "produce(entry, token ^ uint(4.0 * PLANTED))"}},
        {"matmul", {"matmul.comp", "float value = sums[t * kThreadRows + r][c];", "float value = sums[t * kThreadRows + r][c] + PLANTED;"}},
        {"matmul_few", {"matmul_few.comp", "void store(uint token, uint row, float value) {", "void store(uint token, uint row, float value) {\n    value += PLANTED;"}},
        {"wide_begin", {"wide_begin.comp", "= entries[entry].parity;", "= entries[entry].parity ^ uint(4.0 * PLANTED);"}},
        {"wide_mix", {"wide_mix.comp", "= n + difference * mu", "= n + PLANTED + difference * mu"}},
        {"wide_wkv7", {"wide_wkv7.comp", "= (normalised + dots.w * v)", "= (normalised + PLANTED + dots.w * v)"}},
        {"wide_wkv6", {"wide_wkv6.comp", "= normalised * gate", "= (normalised + PLANTED) * gate"}},
        {"wide_wkv4", {"wide_wkv4.comp", "* shown.numerator /", "* (PLANTED + shown.numerator) /"}},
        {"sparse_value", {"sparse_value.comp", "? scratch[4u * in_at[t] + inputs[i]]", "? PLANTED + scratch[4u * in_at[t] + inputs[i]]"}},
    };
    return all;
}

std::vector<std::string> words(const std::string &text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
}

// True for the variant's definitions and no other's of its kernel.
std::string condition(const ShaderVariant &variant) {
    std::set<std::string> known;
    for (const ShaderVariant &other : shader_variants())
        if (other.kernel == variant.kernel) known.insert(other.definitions.begin(), other.definitions.end());
    std::string out = "1";
    for (const std::string &definition : known) {
        const bool own = std::find(variant.definitions.begin(), variant.definitions.end(), definition) != variant.definitions.end();
        out += std::string(own ? " && " : " && !") + "defined(" + definition + ")";
    }
    return "(" + out + ")";
}

void replace_in(const std::filesystem::path &path, std::string_view from, std::string_view to) {
    std::string text = read(path.string());
    const std::size_t at = text.find(from);
    if (at == std::string::npos) {
        if (text.find(to) != std::string::npos) return; // by another kernel that shares the file
        throw std::runtime_error("no place for an error in " + path.string() + ": " + std::string(from));
    }
    std::ofstream(path, std::ios::binary) << text.replace(at, from.size(), to);
}

} // namespace

std::vector<ShaderVariant> shader_variants() {
    std::istringstream rows(read(FIREFINCH_SHADERS "/variants.def"));
    std::vector<ShaderVariant> all;
    for (std::string row; std::getline(rows, row);) {
        if (row.rfind("FF_VARIANT(", 0) != 0) continue;
        row = row.substr(11, row.rfind(')') - 11);
        std::vector<std::string> cells;
        std::istringstream cell_stream(row);
        for (std::string cell; std::getline(cell_stream, cell, ',');) {
            const std::vector<std::string> found = words(cell);
            cells.push_back(found.empty() ? std::string() : cell.substr(cell.find_first_not_of(' ')));
        }
        if (cells.size() < 4) cells.resize(4);
        if (cells[2] == "coopmat" || cells[0].rfind("roofline", 0) == 0) continue;
        all.push_back({cells[0], cells[1], words(cells[3])});
    }
    return all;
}

std::string plant(const Folder &folder, const std::vector<std::string> &variants) {
    namespace fs = std::filesystem;
    const fs::path copy = folder.path("shaders");
    fs::copy(FIREFINCH_SHADERS, copy, fs::copy_options::recursive);
    std::map<std::string, std::string> conditions; // by kernel
    std::size_t found = 0;
    for (const ShaderVariant &variant : shader_variants())
        if (std::find(variants.begin(), variants.end(), variant.full_name()) != variants.end()) {
            std::string &condition_of_kernel = conditions[variant.kernel];
            condition_of_kernel += (condition_of_kernel.empty() ? "" : " || ") + condition(variant);
            ++found;
        }
    if (found != variants.size()) throw std::runtime_error("an error is wanted in a variant that there is not");
    for (const auto &[kernel, when] : conditions) {
        const Place &place = places().at(kernel);
        replace_in(copy / place.file, place.from, place.to);
        // Whatever includes the file must know the name, so all kernels do.
        replace_in(copy / (kernel + ".comp"), "#version 450\n",
                   "#version 450\n#if " + when + "\n#define PLANTED 0.25\n#else\n#define PLANTED 0.0\n#endif\n");
    }
    for (const char *sharing : {"wkv5", "wkv6"})
        if (read((copy / (std::string(sharing) + ".comp")).string()).find("PLANTED") == std::string::npos)
            replace_in(copy / (std::string(sharing) + ".comp"), "#version 450\n", "#version 450\n#define PLANTED 0.0\n");
    return copy.string();
}

} // namespace test
