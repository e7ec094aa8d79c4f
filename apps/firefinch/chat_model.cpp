#include "chat_model.h"

#include "failure.h"
#include "files.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace program {
namespace {

constexpr const char *kTemplateKey = "tokenizer.chat_template";

// "rwkv7-g1a-2.9b-20250922-ctx4096.pth", "RWKV7-G0-7.2B.gguf"
bool named_g(const std::string &model) {
    std::string name = "-" + std::filesystem::path(model).filename().string();
    std::replace(name.begin(), name.end(), '_', '-');
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c == 'G' ? 'g' : c; });
    return name.find("-g0") != std::string::npos || name.find("-g1") != std::string::npos;
}

ChatTemplate own_template(const std::string &text, Think think, const std::string &model) {
    if (text == "rwkv-world")
        return *ChatTemplate::named(think == Think::unsaid ? "world" : "g1", think); // llama.cpp's name
    return ChatTemplate(fmt::format("{}: the chat template in it", model), text, think);
}

} // namespace

ChatTemplate choose_template(const std::string &wanted, Think think, const std::string &model,
                             const firefinch::Checkpoint &checkpoint) {
    const char *own = checkpoint.metadata(kTemplateKey);
    const bool thinks = think == Think::on || think == Think::fake;
    if (wanted == "file" || (wanted == "auto" && own != nullptr)) {
        if (own == nullptr)
            throw Failure(fmt::format("{}: there is no chat template in it; choose world, g1, demo, or give a file",
                                      model.empty() ? "the embedded demo model" : model));
        return own_template(own, think, model);
    }
    std::string name = wanted;
    if (wanted == "auto") name = model.empty() ? "demo" : thinks || named_g(model) ? "g1" : "world";
    if (thinks && (name == "world" || name == "demo"))
        throw UsageError(fmt::format("--think: the template '{}' has no thoughts; g1 has", name));
    if (std::optional<ChatTemplate> known = ChatTemplate::named(name, think)) return std::move(*known);
    return ChatTemplate(name, read_file(name), think);
}

} // namespace program
