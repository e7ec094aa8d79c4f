// Draws a canvas: one instanced quad a shape.
#pragma once

#include "canvas.h"
#include "host_buffer.h"
#include "swapchain.h"

namespace tavern {

class Painter {
  public:
    Painter(const VulkanHost &host, VkRenderPass render_pass);
    ~Painter();
    Painter(const Painter &) = delete;
    Painter &operator=(const Painter &) = delete;

    // `frame`: of those in flight. The room fills the window; what does not fit its shape is cut off.
    void draw(VkCommandBuffer commands, std::uint32_t frame, VkExtent2D extent, const Canvas &canvas, float time,
              const Light (&lights)[kLights]);

  private:
    static constexpr std::size_t kMostShapes = 1024;
    void create_pipeline(VkRenderPass render_pass);

    VkDevice device_;
    VkPipelineLayout layout_ = VK_NULL_HANDLE;
    VkPipeline pipeline_ = VK_NULL_HANDLE;
    HostBuffer shapes_[Swapchain::kFramesInFlight];
};

} // namespace tavern
