#include "loader/formats/safetensors_writer.h"

#include "loader/checked.h"
#include "loader/formats/output_file.h"
#include "loader/guard.h"

#include <nlohmann/json.hpp>

namespace ff::loader {

namespace {

std::string_view spelled(DType dtype) {
    return dtype == DType::f32 ? "F32" : dtype == DType::f16 ? "F16" : "BF16";
}

// The eight bytes of length and the header, padded with spaces as the format suggests.
std::string header_of(const TensorSource &source, const SafetensorsOptions &options, const WriteReport &report) {
    nlohmann::ordered_json header;
    auto &metadata = header["__metadata__"];
    if (source.container() == "safetensors")
        for (const auto &[key, value] : source.metadata()) metadata[key] = value;
    if (!options.name.empty()) metadata["name"] = options.name;
    metadata["format"] = "pt";
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < report.tensors.size(); ++i) {
        const WrittenTensor &tensor = report.tensors[i];
        header[tensor.name] = {{"dtype", spelled(tensor.to)},
                               {"shape", source.tensors()[i].shape},
                               {"data_offsets", {offset, offset + tensor.bytes}}};
        offset += tensor.bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char *>(&length), sizeof length) + text;
}

Result<WriteReport> planned(const TensorSource &source, const SafetensorsOptions &options) {
    const auto check = [&](DType wanted) -> Result<void> {
        if (block_elements(wanted) == 1) return {};
        return Error{Status::argument, fmt::format("{}: safetensors cannot hold {} weights, expected f32, f16 or bf16; "
                                                   "write a .gguf instead",
                                                   printable(source.path()), name_of(wanted))};
    };
    if (options.weights) FF_TRY(check(*options.weights));
    for (const TypeRule &rule : options.rules) FF_TRY(check(rule.type));
    FF_TRY(check_rules(source, options.rules));
    WriteReport report;
    for (const TensorInfo &tensor : source.tensors()) {
        WrittenTensor written{tensor.name, tensor.dtype, storage_of(tensor, options.weights, options.rules).dtype};
        if (block_elements(written.to) != 1) written.to = DType::f32;
        written.bytes = TensorInfo{tensor.name, written.to, tensor.shape}.bytes();
        report.bytes += written.bytes;
        report.tensors.push_back(std::move(written));
    }
    report.bytes += header_of(source, options, report).size();
    return report;
}

} // namespace

Result<WriteReport> plan_safetensors(const TensorSource &source, const SafetensorsOptions &options) {
    return guarded(source.path(), "planning a safetensors file", [&] { return planned(source, options); });
}

Result<WriteReport> write_safetensors(const TensorSource &source, const SafetensorsOptions &options,
                                      const std::string &path) {
    return guarded(path, "writing a safetensors file", [&]() -> Result<WriteReport> {
        FF_TRY_ASSIGN(WriteReport report, planned(source, options));
        FF_TRY_ASSIGN(OutputFile file, OutputFile::create(path));
        const std::string header = header_of(source, options, report);
        FF_TRY(file.write(std::as_bytes(std::span(header))));
        for (std::size_t i = 0; i < report.tensors.size(); ++i) {
            const WrittenTensor &tensor = report.tensors[i];
            if (options.progress && !options.progress(tensor.name, file.position(), report.bytes))
                return Error{Status::cancelled, fmt::format("{}: writing was stopped", printable(path))};
            FF_TRY_ASSIGN(const TensorBytes stored, source.read(i));
            FF_TRY(convert_rows(source.path(), tensor.name, tensor.from, stored.bytes(), tensor.to,
                                [&](std::span<const std::byte> piece) { return file.write(piece); }));
        }
        FF_TRY(file.commit());
        return report;
    });
}

} // namespace ff::loader
