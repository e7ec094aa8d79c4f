#include "runtime/kernels/shader_source.h"

#include <fmt/format.h>

#ifdef FIREFINCH_SHADER_RELOAD
#include <fstream>
#include <iterator>
#include <shaderc/shaderc.hpp>
#include <sstream>
#endif

namespace ff::kernels {

#ifdef FIREFINCH_SHADER_RELOAD
namespace {

Result<std::string> read_text(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) return Error{Status::io, fmt::format("{}: cannot read this shader source", path)};
    return text;
}

// Includes are named from the folder's root, as the build's glslc finds them beside the kernel.
class FolderIncluder final : public shaderc::CompileOptions::IncluderInterface {
  public:
    explicit FolderIncluder(std::string directory) : directory_(std::move(directory)) {}

    shaderc_include_result *GetInclude(const char *requested, shaderc_include_type, const char *,
                                       std::size_t) override {
        auto *included = new Included;
        const std::string path = directory_ + "/" + requested;
        Result<std::string> text = read_text(path);
        if (text.ok()) included->name = path;
        included->text = text.ok() ? std::move(text).value() : text.error().message;
        included->result = {included->name.data(), included->name.size(), included->text.data(), included->text.size(),
                            included};
        return &included->result;
    }
    void ReleaseInclude(shaderc_include_result *result) override { delete static_cast<Included *>(result->user_data); }

  private:
    struct Included {
        shaderc_include_result result;
        std::string name, text;
    };
    std::string directory_;
};

} // namespace

Result<std::vector<std::uint32_t>> compile_shader(const std::string &directory, const Variant &variant) {
    const std::string path = fmt::format("{}/{}", directory, source_name(variant));
    FF_TRY_ASSIGN(const std::string source, read_text(path));
    shaderc::CompileOptions options;
    options.SetTargetEnvironment(shaderc_target_env_vulkan, shaderc_env_version_vulkan_1_1);
    options.SetOptimizationLevel(shaderc_optimization_level_performance);
    options.SetIncluder(std::make_unique<FolderIncluder>(directory));
    std::istringstream definitions{std::string(variant.definitions)};
    for (std::string definition; definitions >> definition;) options.AddMacroDefinition(definition);
    const shaderc::SpvCompilationResult result =
        shaderc::Compiler().CompileGlslToSpv(source, shaderc_compute_shader, path.c_str(), options);
    if (result.GetCompilationStatus() != shaderc_compilation_status_success)
        return Error{Status::argument, fmt::format("{}: {}", path, result.GetErrorMessage())};
    return std::vector<std::uint32_t>(result.begin(), result.end());
}
#else
Result<std::vector<std::uint32_t>> compile_shader(const std::string &directory, const Variant &) {
    return Error{Status::unsupported, fmt::format("{}: this build cannot compile shaders at run time; configure with "
                                                  "FIREFINCH_SHADER_RELOAD=ON",
                                                  directory)};
}
#endif

} // namespace ff::kernels
