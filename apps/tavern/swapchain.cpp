#include "swapchain.h"

#include "host_buffer.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <algorithm>
#include <stdexcept>

namespace tavern {
namespace {

template <class T, class Function, class... Arguments>
std::vector<T> list(Function function, Arguments... arguments) {
    std::uint32_t count = 0;
    must(function(arguments..., &count, nullptr), "a list of the surface");
    std::vector<T> out(count);
    must(function(arguments..., &count, out.data()), "a list of the surface");
    out.resize(count);
    return out;
}

} // namespace

Swapchain::Swapchain(VulkanHost &host, GLFWwindow *window, bool paced) : host_(host), window_(window), paced_(paced) {
    choose_format();
    create_render_pass();
    create_frames();
    create_images();
}

Swapchain::~Swapchain() {
    wait_until_idle();
    destroy_images();
    const VkDevice device = host_.device();
    if (swapchain_ != VK_NULL_HANDLE) vkDestroySwapchainKHR(device, swapchain_, nullptr);
    for (const Frame &frame : frames_) {
        vkDestroyCommandPool(device, frame.pool, nullptr);
        vkDestroySemaphore(device, frame.acquired, nullptr);
        vkDestroyFence(device, frame.drawn, nullptr);
    }
    vkDestroyRenderPass(device, render_pass_, nullptr);
}

void Swapchain::wait_until_idle() {
    const auto lock = host_.lock_queue();
    vkQueueWaitIdle(host_.queue());
}

// Eight bits a channel, not sRGB: the shaders' colours are those of the screen.
void Swapchain::choose_format() {
    const auto formats =
        list<VkSurfaceFormatKHR>(vkGetPhysicalDeviceSurfaceFormatsKHR, host_.physical_device(), host_.surface());
    for (const VkSurfaceFormatKHR &each : formats)
        if (each.format == VK_FORMAT_B8G8R8A8_UNORM || each.format == VK_FORMAT_R8G8B8A8_UNORM) {
            format_ = each;
            return;
        }
    throw std::runtime_error("the window has no 8-bit colour format");
}

void Swapchain::create_render_pass() {
    VkAttachmentDescription color{};
    color.format = format_.format;
    color.samples = VK_SAMPLE_COUNT_1_BIT;
    color.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR;
    color.storeOp = VK_ATTACHMENT_STORE_OP_STORE;
    color.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE;
    color.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE;
    color.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;
    color.finalLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
    const VkAttachmentReference reference{0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    VkSubpassDescription subpass{};
    subpass.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS;
    subpass.colorAttachmentCount = 1;
    subpass.pColorAttachments = &reference;
    // The image is there when its semaphore says so; a picture may be copied out of it afterwards.
    VkSubpassDependency dependencies[2]{};
    dependencies[0].srcSubpass = VK_SUBPASS_EXTERNAL;
    dependencies[0].srcStageMask = dependencies[0].dstStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
    dependencies[0].dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
    dependencies[1].dstSubpass = VK_SUBPASS_EXTERNAL;
    dependencies[1].srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
    dependencies[1].srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
    dependencies[1].dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT;
    dependencies[1].dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT;
    VkRenderPassCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO;
    info.attachmentCount = 1;
    info.pAttachments = &color;
    info.subpassCount = 1;
    info.pSubpasses = &subpass;
    info.dependencyCount = 2;
    info.pDependencies = dependencies;
    must(vkCreateRenderPass(host_.device(), &info, nullptr, &render_pass_), "vkCreateRenderPass");
}

void Swapchain::create_frames() {
    const VkDevice device = host_.device();
    for (Frame &frame : frames_) {
        VkCommandPoolCreateInfo pool{};
        pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        pool.queueFamilyIndex = host_.queue_family();
        must(vkCreateCommandPool(device, &pool, nullptr, &frame.pool), "vkCreateCommandPool");
        VkCommandBufferAllocateInfo commands{};
        commands.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        commands.commandPool = frame.pool;
        commands.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        commands.commandBufferCount = 1;
        must(vkAllocateCommandBuffers(device, &commands, &frame.commands), "vkAllocateCommandBuffers");
        VkSemaphoreCreateInfo semaphore{};
        semaphore.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
        must(vkCreateSemaphore(device, &semaphore, nullptr, &frame.acquired), "vkCreateSemaphore");
        VkFenceCreateInfo fence{};
        fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
        fence.flags = VK_FENCE_CREATE_SIGNALED_BIT;
        must(vkCreateFence(device, &fence, nullptr, &frame.drawn), "vkCreateFence");
    }
}

void Swapchain::create_images() {
    const VkDevice device = host_.device();
    VkSurfaceCapabilitiesKHR surface{};
    must(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(host_.physical_device(), host_.surface(), &surface),
         "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    extent_ = surface.currentExtent;
    if (extent_.width == ~0U) {
        int width = 0, height = 0;
        glfwGetFramebufferSize(window_, &width, &height);
        extent_ = {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
    }
    if (extent_.width == 0 || extent_.height == 0) return; // minimised
    VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;      // always there
    if (!paced_)
        for (const VkPresentModeKHR each : list<VkPresentModeKHR>(vkGetPhysicalDeviceSurfacePresentModesKHR,
                                                                  host_.physical_device(), host_.surface()))
            if (each == VK_PRESENT_MODE_IMMEDIATE_KHR ||
                (each == VK_PRESENT_MODE_MAILBOX_KHR && mode == VK_PRESENT_MODE_FIFO_KHR))
                mode = each;
    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.surface = host_.surface();
    info.minImageCount = std::max(surface.minImageCount, kFramesInFlight + 1);
    if (surface.maxImageCount != 0) info.minImageCount = std::min(info.minImageCount, surface.maxImageCount);
    info.imageFormat = format_.format;
    info.imageColorSpace = format_.colorSpace;
    info.imageExtent = extent_;
    info.imageArrayLayers = 1;
    info.imageUsage =
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | (surface.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    info.preTransform = surface.currentTransform;
    info.compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    info.presentMode = mode;
    info.clipped = VK_TRUE;
    info.oldSwapchain = swapchain_;
    VkSwapchainKHR made = VK_NULL_HANDLE;
    must(vkCreateSwapchainKHR(device, &info, nullptr, &made), "vkCreateSwapchainKHR");
    if (swapchain_ != VK_NULL_HANDLE) vkDestroySwapchainKHR(device, swapchain_, nullptr);
    swapchain_ = made;
    for (const VkImage image : list<VkImage>(vkGetSwapchainImagesKHR, device, swapchain_)) {
        Image &out = images_.emplace_back();
        out.image = image;
        VkImageViewCreateInfo view{};
        view.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO;
        view.image = image;
        view.viewType = VK_IMAGE_VIEW_TYPE_2D;
        view.format = format_.format;
        view.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        must(vkCreateImageView(device, &view, nullptr, &out.view), "vkCreateImageView");
        VkFramebufferCreateInfo framebuffer{};
        framebuffer.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO;
        framebuffer.renderPass = render_pass_;
        framebuffer.attachmentCount = 1;
        framebuffer.pAttachments = &out.view;
        framebuffer.width = extent_.width;
        framebuffer.height = extent_.height;
        framebuffer.layers = 1;
        must(vkCreateFramebuffer(device, &framebuffer, nullptr, &out.framebuffer), "vkCreateFramebuffer");
        VkSemaphoreCreateInfo semaphore{};
        semaphore.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
        must(vkCreateSemaphore(device, &semaphore, nullptr, &out.drawn), "vkCreateSemaphore");
    }
}

void Swapchain::destroy_images() {
    for (const Image &image : images_) {
        vkDestroyFramebuffer(host_.device(), image.framebuffer, nullptr);
        vkDestroyImageView(host_.device(), image.view, nullptr);
        vkDestroySemaphore(host_.device(), image.drawn, nullptr);
    }
    images_.clear();
}

VkCommandBuffer Swapchain::begin() {
    const VkDevice device = host_.device();
    frame_ = (frame_ + 1) % kFramesInFlight;
    Frame &frame = frames_[frame_];
    must(vkWaitForFences(device, 1, &frame.drawn, VK_TRUE, ~0ULL), "vkWaitForFences");
    VkResult acquired = VK_ERROR_OUT_OF_DATE_KHR;
    if (!images_.empty())
        acquired = vkAcquireNextImageKHR(device, swapchain_, ~0ULL, frame.acquired, VK_NULL_HANDLE, &image_);
    if (acquired == VK_ERROR_OUT_OF_DATE_KHR) {
        wait_until_idle();
        destroy_images();
        create_images();
        return VK_NULL_HANDLE;
    }
    must(acquired, "vkAcquireNextImageKHR");
    must(vkResetFences(device, 1, &frame.drawn), "vkResetFences");
    must(vkResetCommandPool(device, frame.pool, 0), "vkResetCommandPool");
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    must(vkBeginCommandBuffer(frame.commands, &begin), "vkBeginCommandBuffer");
    const VkClearValue black{};
    VkRenderPassBeginInfo pass{};
    pass.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO;
    pass.renderPass = render_pass_;
    pass.framebuffer = images_[image_].framebuffer;
    pass.renderArea.extent = extent_;
    pass.clearValueCount = 1;
    pass.pClearValues = &black;
    vkCmdBeginRenderPass(frame.commands, &pass, VK_SUBPASS_CONTENTS_INLINE);
    return frame.commands;
}

std::optional<Picture> Swapchain::end(bool take_picture) {
    Frame &frame = frames_[frame_];
    const Image &image = images_[image_];
    vkCmdEndRenderPass(frame.commands);
    HostBuffer copy;
    if (take_picture) {
        copy = HostBuffer(host_, VkDeviceSize{4} * extent_.width * extent_.height, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
        VkImageMemoryBarrier turn{};
        turn.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
        turn.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
        turn.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT;
        turn.oldLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
        turn.newLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
        turn.srcQueueFamilyIndex = turn.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        turn.image = image.image;
        turn.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        vkCmdPipelineBarrier(frame.commands,
                             VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                             VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, nullptr, 0, nullptr, 1, &turn);
        VkBufferImageCopy region{};
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        region.imageExtent = {extent_.width, extent_.height, 1};
        vkCmdCopyImageToBuffer(frame.commands, image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, copy.buffer(), 1,
                               &region);
        std::swap(turn.oldLayout, turn.newLayout);
        turn.srcAccessMask = turn.dstAccessMask = 0;
        VkMemoryBarrier to_host{};
        to_host.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        to_host.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
        to_host.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
        vkCmdPipelineBarrier(frame.commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                             VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 1, &to_host, 0,
                             nullptr, 1, &turn);
    }
    must(vkEndCommandBuffer(frame.commands), "vkEndCommandBuffer");
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
    VkSubmitInfo submit{};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.waitSemaphoreCount = 1;
    submit.pWaitSemaphores = &frame.acquired;
    submit.pWaitDstStageMask = &stage;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &frame.commands;
    submit.signalSemaphoreCount = 1;
    submit.pSignalSemaphores = &image.drawn;
    VkPresentInfoKHR present{};
    present.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    present.waitSemaphoreCount = 1;
    present.pWaitSemaphores = &image.drawn;
    present.swapchainCount = 1;
    present.pSwapchains = &swapchain_;
    present.pImageIndices = &image_;
    VkResult presented = VK_SUCCESS;
    {
        const auto lock = host_.lock_queue();
        must(vkQueueSubmit(host_.queue(), 1, &submit, frame.drawn), "vkQueueSubmit");
        presented = vkQueuePresentKHR(host_.queue(), &present);
    }
    std::optional<Picture> picture;
    if (take_picture) {
        must(vkWaitForFences(host_.device(), 1, &frame.drawn, VK_TRUE, ~0ULL), "vkWaitForFences");
        picture = read(copy.mapped());
    }
    if (presented == VK_ERROR_OUT_OF_DATE_KHR || presented == VK_SUBOPTIMAL_KHR) {
        wait_until_idle();
        destroy_images();
        create_images();
    } else {
        must(presented, "vkQueuePresentKHR");
    }
    return picture;
}

Picture Swapchain::read(const void *mapped) const {
    Picture picture{extent_.width, extent_.height, {}};
    const auto *bytes = static_cast<const unsigned char *>(mapped);
    const bool blue_first = format_.format == VK_FORMAT_B8G8R8A8_UNORM;
    for (std::size_t i = 0; i < std::size_t{extent_.width} * extent_.height; ++i)
        for (const std::size_t channel : {0U, 1U, 2U})
            picture.rgb.push_back(bytes[4 * i + (blue_first ? 2 - channel : channel)]);
    return picture;
}

} // namespace tavern
