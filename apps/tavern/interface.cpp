#include "interface.h"

#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_vulkan.h>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <span>

namespace tavern {
namespace {

constexpr ImU32 kParchment = IM_COL32(244, 230, 200, 255), kFaded = IM_COL32(214, 194, 160, 170),
                kFrame = IM_COL32(198, 152, 84, 255), kInference = IM_COL32(86, 190, 168, 255),
                kRest = IM_COL32(168, 112, 58, 255), kBudget = IM_COL32(250, 225, 150, 255);
constexpr ImU32 kNames[] = {IM_COL32(236, 118, 92, 255), IM_COL32(132, 196, 142, 255), IM_COL32(136, 170, 240, 255),
                            IM_COL32(230, 208, 150, 255)};
constexpr std::size_t kGraphFrames = 150;
constexpr float kMargin = 16; // sizes are those of a window 720 high

constexpr ImGuiWindowFlags kFixed = ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
                                    ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoScrollbar |
                                    ImGuiWindowFlags_NoFocusOnAppearing;

void check(VkResult result) {
    must(result, "Dear ImGui's Vulkan call");
}

void set_style(float scale) {
    ImGuiStyle &style = ImGui::GetStyle();
    ImGui::StyleColorsDark();
    style.WindowRounding = 8;
    style.FrameRounding = style.GrabRounding = 4;
    style.WindowBorderSize = 1.5F;
    style.WindowPadding = {14, 10};
    style.ScaleAllSizes(scale);
    style.Colors[ImGuiCol_WindowBg] = {0.085F, 0.055F, 0.04F, 0.86F};
    style.Colors[ImGuiCol_Border] = {0.70F, 0.52F, 0.28F, 0.85F};
    style.Colors[ImGuiCol_Text] = {0.95F, 0.89F, 0.77F, 1};
    style.Colors[ImGuiCol_FrameBg] = {0.20F, 0.13F, 0.09F, 0.9F};
    style.Colors[ImGuiCol_FrameBgHovered] = style.Colors[ImGuiCol_FrameBgActive] = {0.30F, 0.20F, 0.12F, 1};
    style.Colors[ImGuiCol_Button] = {0.42F, 0.26F, 0.13F, 1};
    style.Colors[ImGuiCol_ButtonHovered] = style.Colors[ImGuiCol_ButtonActive] = {0.58F, 0.37F, 0.18F, 1};
    style.Colors[ImGuiCol_SliderGrab] = style.Colors[ImGuiCol_SliderGrabActive] = {0.88F, 0.66F, 0.34F, 1};
    style.Colors[ImGuiCol_PlotHistogram] = {0.88F, 0.66F, 0.34F, 1};
}

// A bar for each frame, the latest at the right; `top` is as high as the graph.
void bars(std::span<const FrameTime> frames, double FrameTime::*time, double top, float height, ImU32 color) {
    const ImVec2 at = ImGui::GetCursorScreenPos(), size{ImGui::GetContentRegionAvail().x, height};
    ImDrawList &list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(at, {at.x + size.x, at.y + size.y}, IM_COL32(20, 13, 9, 220), 4);
    const float bar = size.x / static_cast<float>(kGraphFrames);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const float x = at.x + bar * static_cast<float>(kGraphFrames - frames.size() + i);
        const float share = top > 0 ? static_cast<float>(std::min(frames[i].*time / top, 1.0)) : 0;
        if (share > 0) list.AddRectFilled({x, at.y + size.y * (1 - share)}, {x + bar - 0.5F, at.y + size.y}, color);
    }
    list.AddRect(at, {at.x + size.x, at.y + size.y}, kFrame, 4);
    ImGui::Dummy(size);
}

} // namespace

struct Interface::Fonts {
    ImFont *small = nullptr, *text = nullptr, *name = nullptr;
};

Interface::Interface(VulkanHost &host, Swapchain &swapchain, GLFWwindow *window, const std::string &font,
                     std::uint64_t budget_us, std::string memories)
    : device_(host.device()), scale_(std::clamp(static_cast<float>(swapchain.extent().height) / 720, 0.6F, 3.0F)),
      fonts_(std::make_unique<Fonts>()), budget_us_(static_cast<int>(std::min<std::uint64_t>(budget_us, 1'000'000))),
      memories_folder_(std::move(memories)) {
    const VkDescriptorPoolSize sizes{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 4};
    VkDescriptorPoolCreateInfo pool{};
    pool.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    pool.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT;
    pool.maxSets = sizes.descriptorCount;
    pool.poolSizeCount = 1;
    pool.pPoolSizes = &sizes;
    must(vkCreateDescriptorPool(device_, &pool, nullptr, &pool_), "vkCreateDescriptorPool");
    ImGui::CreateContext();
    ImGui::GetIO().IniFilename = nullptr; // nothing is written that was not asked for
    set_style(scale_);
    ImGui_ImplGlfw_InitForVulkan(window, true);
    ImGui_ImplVulkan_InitInfo info{};
    info.Instance = host.instance();
    info.PhysicalDevice = host.physical_device();
    info.Device = host.device();
    info.QueueFamily = host.queue_family();
    info.Queue = host.queue();
    info.DescriptorPool = pool_;
    info.MinImageCount = 2;
    info.ImageCount = swapchain.images();
    info.MSAASamples = VK_SAMPLE_COUNT_1_BIT;
    info.CheckVkResultFn = check;
    ImGui_ImplVulkan_Init(&info, swapchain.render_pass());
    load_fonts(host, font);
}

Interface::~Interface() {
    ImGui_ImplVulkan_Shutdown();
    ImGui_ImplGlfw_Shutdown();
    ImGui::DestroyContext();
    vkDestroyDescriptorPool(device_, pool_, nullptr);
}

void Interface::load_fonts(VulkanHost &host, const std::string &font) {
    ImFontAtlas &atlas = *ImGui::GetIO().Fonts;
    const std::string file = font.empty() ? TAVERN_FONT : font;
    const auto add = [&](float size) {
        if (!file.empty() && std::filesystem::exists(file)) return atlas.AddFontFromFileTTF(file.c_str(), size);
        ImFontConfig config;
        config.SizePixels = size;
        return atlas.AddFontDefault(&config);
    };
    fonts_->small = add(15 * scale_);
    fonts_->text = add(22 * scale_);
    fonts_->name = add(19 * scale_);
    VkCommandPoolCreateInfo pool_info{};
    pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool_info.queueFamilyIndex = host.queue_family();
    VkCommandPool pool = VK_NULL_HANDLE;
    must(vkCreateCommandPool(device_, &pool_info, nullptr, &pool), "vkCreateCommandPool");
    VkCommandBufferAllocateInfo allocate{};
    allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    allocate.commandPool = pool;
    allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    allocate.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    must(vkAllocateCommandBuffers(device_, &allocate, &commands), "vkAllocateCommandBuffers");
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    must(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    ImGui_ImplVulkan_CreateFontsTexture(commands);
    must(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    VkSubmitInfo submit{};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    {
        const auto lock = host.lock_queue();
        must(vkQueueSubmit(host.queue(), 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
        must(vkQueueWaitIdle(host.queue()), "vkQueueWaitIdle");
    }
    ImGui_ImplVulkan_DestroyFontUploadObjects();
    vkDestroyCommandPool(device_, pool, nullptr);
}

void Interface::begin(Company *company, float loaded, const std::string &stage, const FrameLog &log) {
    ImGui_ImplVulkan_NewFrame();
    ImGui_ImplGlfw_NewFrame();
    ImGui::NewFrame();
    ImGui::PushFont(fonts_->small);
    if (company != nullptr) {
        dialogue(*company);
        memories(*company);
    } else {
        loading(loaded, stage);
    }
    frame_times(log);
    ImGui::PopFont();
    ImGui::Render();
}

void Interface::draw(VkCommandBuffer commands) {
    ImGui_ImplVulkan_RenderDrawData(ImGui::GetDrawData(), commands);
}

void Interface::loading(float loaded, const std::string &stage) {
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    ImGui::SetNextWindowPos({screen.x / 2, screen.y - 70 * scale_}, ImGuiCond_Always, {0.5F, 0.5F});
    ImGui::SetNextWindowSize({520 * scale_, 70 * scale_});
    ImGui::Begin("loading", nullptr, kFixed);
    ImGui::Text("The company is coming in: %s", stage.c_str());
    ImGui::ProgressBar(loaded, {-1, 14 * scale_}, "");
    ImGui::End();
}

void Interface::dialogue(Company &company) {
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    const float height = 168 * scale_, margin = kMargin * scale_;
    ImGui::SetNextWindowPos({margin, screen.y - height - margin});
    ImGui::SetNextWindowSize({screen.x - 2 * margin, height});
    ImGui::Begin("dialogue", nullptr, kFixed);
    const std::vector<Line> &lines = company.lines();
    const auto name_of = [&](std::size_t speaker) {
        return speaker == Company::kGuest ? std::string("You") : company.characters()[speaker].name;
    };
    // What was said last, small and faded; then what is being said.
    std::size_t now = company.speaker().value_or(lines.empty() ? 0 : lines.back().speaker), shown = lines.size();
    std::string speech = company.speech();
    if (!company.speaker() && !lines.empty()) {
        speech = lines.back().text;
        --shown;
    }
    if (shown > 0) {
        const Line &before = lines[shown - 1];
        std::string text = before.text;
        std::ranges::replace(text, '\n', ' ');
        if (text.size() > 110) text = text.substr(0, 107) + "...";
        ImGui::PushStyleColor(ImGuiCol_Text, kFaded);
        ImGui::TextWrapped("%s: %s", name_of(before.speaker).c_str(), text.c_str());
        ImGui::PopStyleColor();
    }
    ImGui::PushFont(fonts_->name);
    ImGui::PushStyleColor(ImGuiCol_Text, kNames[now]);
    ImGui::TextUnformatted(name_of(now).c_str());
    ImGui::PopStyleColor();
    ImGui::PopFont();
    ImGui::PushFont(fonts_->text);
    ImGui::PushStyleColor(ImGuiCol_Text, kParchment);
    if (company.thinking()) speech = std::string(1 + static_cast<std::size_t>(ImGui::GetTime() * 3) % 3, '.');
    ImGui::PushTextWrapPos(0);
    ImGui::TextUnformatted(speech.c_str());
    ImGui::PopTextWrapPos();
    ImGui::PopStyleColor();
    ImGui::PopFont();
    ImGui::SetCursorPosY(height - 38 * scale_);
    ImGui::SetNextItemWidth(-1);
    if (ImGui::InputTextWithHint("##say", "Join in: write a line and press Enter", typed_, sizeof typed_,
                                 ImGuiInputTextFlags_EnterReturnsTrue) &&
        typed_[0] != '\0') {
        company.say(typed_);
        typed_[0] = '\0';
    }
    ImGui::End();
}

void Interface::frame_times(const FrameLog &log) {
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    ImGui::SetNextWindowPos({screen.x - kMargin * scale_, kMargin * scale_}, ImGuiCond_Always, {1, 0});
    ImGui::SetNextWindowSize({348 * scale_, 0});
    ImGui::Begin("frames", nullptr, kFixed);
    const std::size_t count = std::min(log.frames().size(), kGraphFrames);
    const std::span<const FrameTime> frames(log.frames().data() + (log.frames().size() - count), count);
    double frame = 0, inference = 0, most = 1000;
    std::uint32_t tokens = 0, with = 0;
    for (const FrameTime &each : frames) {
        frame += each.frame_us;
        inference += each.inference_us;
        tokens += each.tokens;
        if (each.inference_us > 0) ++with;
        most = std::max(most, each.inference_us);
    }
    const double mean = count == 0 ? 0 : frame / static_cast<double>(count);
    ImGui::Text("frame %.1f ms", mean * 1e-3);
    ImGui::SameLine();
    ImGui::PushStyleColor(ImGuiCol_Text, kInference);
    ImGui::Text("inference %.1f ms", with == 0 ? 0.0 : inference / with * 1e-3);
    ImGui::PopStyleColor();
    ImGui::SameLine();
    ImGui::Text("%.0f tokens/s", frame > 0 ? tokens / frame * 1e6 : 0.0);
    // The whole frame above, where a rare long one is cut off; below, larger, inference and the budget.
    bars(frames, &FrameTime::frame_us, 2 * mean, 34 * scale_, kRest);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = 56 * scale_;
    const double top = std::max({1.4 * budget_us_, std::min(most, 3.0 * budget_us_), 1000.0});
    bars(frames, &FrameTime::inference_us, top, height, kInference);
    const float line = at.y + height * (1 - static_cast<float>(budget_us_ / top));
    ImDrawList &list = *ImGui::GetWindowDrawList();
    list.AddLine({at.x, line}, {at.x + ImGui::GetContentRegionAvail().x, line}, kBudget, 1.5F);
    ImGui::SetNextItemWidth(-1);
    ImGui::SliderInt("##budget", &budget_us_, 0, 20000, "budget: %d microseconds a frame",
                     ImGuiSliderFlags_AlwaysClamp);
    ImGui::End();
}

void Interface::memories(Company &company) {
    ImGui::SetNextWindowPos({kMargin * scale_, kMargin * scale_});
    ImGui::SetNextWindowSize({272 * scale_, 0});
    ImGui::Begin("memories", nullptr, kFixed);
    for (std::size_t i = 0; i < Company::kCount; ++i) {
        const Character &character = company.characters()[i];
        ImGui::PushID(static_cast<int>(i));
        ImGui::PushStyleColor(ImGuiCol_Text, kNames[i]);
        ImGui::AlignTextToFramePadding();
        ImGui::TextUnformatted(character.name.c_str());
        ImGui::PopStyleColor();
        const auto path = (std::filesystem::path(memories_folder_) / (character.name + ".state")).string();
        ImGui::BeginDisabled(company.speaker() == i); // in the middle of a sentence
        ImGui::SameLine(156 * scale_);
        const bool save = ImGui::SmallButton("save");
        ImGui::SameLine();
        const bool load = ImGui::SmallButton("load");
        ImGui::EndDisabled();
        ImGui::PopID();
        if (!save && !load) continue;
        try {
            if (save)
                company.save(i, path);
            else
                company.load(i, path);
            note_ = save ? fmt::format("{:.2f} MB in {}", static_cast<double>(std::filesystem::file_size(path)) * 1e-6,
                                       path)
                         : fmt::format("{} is back where {} was", character.name, path);
        } catch (const std::exception &failure) {
            note_ = failure.what();
        }
    }
    if (!note_.empty()) ImGui::TextWrapped("%s", note_.c_str());
    ImGui::End();
}

} // namespace tavern
