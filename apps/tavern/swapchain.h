// Images of the window, a render pass that fills one, and two frames in flight.
#pragma once

#include "vulkan_host.h"

#include <functional>
#include <optional>
#include <vector>

namespace tavern {

struct Picture {
    std::uint32_t width = 0, height = 0;
    std::vector<unsigned char> rgb; // rows from the top
};

class Swapchain {
  public:
    static constexpr std::uint32_t kFramesInFlight = 2;

    // paced: a frame for each of the screen's; else as fast as it goes.
    Swapchain(VulkanHost &host, GLFWwindow *window, bool paced);
    ~Swapchain();
    Swapchain(const Swapchain &) = delete;
    Swapchain &operator=(const Swapchain &) = delete;

    VkRenderPass render_pass() const { return render_pass_; }
    VkExtent2D extent() const { return extent_; }
    std::uint32_t images() const { return static_cast<std::uint32_t>(images_.size()); }
    // Index, from 0 to kFramesInFlight - 1, of the frame that begin() opened.
    std::uint32_t frame() const { return frame_; }

    // Waits until the frame before last has been drawn; the command buffer is in the render pass. Null: nothing to draw
    // to now (the window is minimised, or was resized).
    VkCommandBuffer begin();
    // Draws and presents; a picture of it if wanted, which waits.
    std::optional<Picture> end(bool take_picture);
    void wait_until_idle(); // nothing is being drawn any more

  private:
    struct Frame {
        VkCommandPool pool = VK_NULL_HANDLE;
        VkCommandBuffer commands = VK_NULL_HANDLE;
        VkSemaphore acquired = VK_NULL_HANDLE;
        VkFence drawn = VK_NULL_HANDLE;
    };
    struct Image {
        VkImage image = VK_NULL_HANDLE;
        VkImageView view = VK_NULL_HANDLE;
        VkFramebuffer framebuffer = VK_NULL_HANDLE;
        VkSemaphore drawn = VK_NULL_HANDLE;
    };
    void choose_format();
    void create_render_pass();
    void create_frames();
    void create_images();
    void destroy_images();
    Picture read(const void *mapped) const;

    VulkanHost &host_;
    GLFWwindow *window_;
    bool paced_;
    VkSurfaceFormatKHR format_{};
    VkRenderPass render_pass_ = VK_NULL_HANDLE;
    VkSwapchainKHR swapchain_ = VK_NULL_HANDLE;
    VkExtent2D extent_{};
    std::vector<Image> images_;
    Frame frames_[kFramesInFlight];
    std::uint32_t frame_ = 0, image_ = 0;
};

} // namespace tavern
