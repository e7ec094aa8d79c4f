// What lies over the scene: dialogue, frame times, budget, memories. Dear ImGui draws it.
#pragma once

#include "company.h"
#include "frame_log.h"
#include "swapchain.h"

namespace tavern {

class Interface {
  public:
    Interface(VulkanHost &host, Swapchain &swapchain, GLFWwindow *window, const std::string &font,
              std::uint64_t budget_us, std::string memories);
    ~Interface();
    Interface(const Interface &) = delete;
    Interface &operator=(const Interface &) = delete;

    // company: null while the model loads, of which `loaded` (0 to 1) is there.
    void begin(Company *company, float loaded, const std::string &stage, const FrameLog &log);
    void draw(VkCommandBuffer commands);

    std::uint64_t budget_us() const { return static_cast<std::uint64_t>(budget_us_); }

  private:
    void load_fonts(VulkanHost &host, const std::string &font);
    void dialogue(Company &company);
    void loading(float loaded, const std::string &stage);
    void frame_times(const FrameLog &log);
    void memories(Company &company);

    VkDevice device_;
    float scale_; // of a window 720 high
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    struct Fonts;
    std::unique_ptr<Fonts> fonts_;
    int budget_us_;
    std::string memories_folder_, note_;
    char typed_[256] = "";
};

} // namespace tavern
