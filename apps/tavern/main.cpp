// The frame loop: draw, present, then a slice of inference.
#include "company.h"
#include "demo_model.h"
#include "figures.h"
#include "interface.h"
#include "options.h"
#include "painter.h"
#include "room.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <stb_image_write.h>

namespace tavern {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

class Window {
  public:
    Window(int width, int height) {
        if (glfwInit() != GLFW_TRUE) throw std::runtime_error("no display to open a window on");
        glfwWindowHint(GLFW_CLIENT_API, GLFW_NO_API);
        window_ = glfwCreateWindow(width, height, "The Boar's Head, Eastcheap", nullptr, nullptr);
        if (window_ == nullptr) {
            glfwTerminate();
            throw std::runtime_error("the window cannot be opened");
        }
    }
    ~Window() {
        glfwDestroyWindow(window_);
        glfwTerminate();
    }
    Window(const Window &) = delete;
    Window &operator=(const Window &) = delete;
    GLFWwindow *get() const { return window_; }

  private:
    GLFWwindow *window_ = nullptr;
};

firefinch::Checkpoint open_model(const std::string &path) {
    if (!path.empty()) return firefinch::Checkpoint(path);
    const std::span<const std::byte> demo = program::demo_model();
    return {program::kDemoName, demo.data(), demo.size()};
}

firefinch::Engine make_engine(VulkanHost &host) {
    const ff_vulkan_device lent = host.lend();
    ff_engine_options options = firefinch::engine_options();
    options.vulkan_device = &lent;
    options.compile_threads = 1; // the others draw
    return firefinch::Engine(options);
}

// The model and the company, made while the empty tavern is drawn.
class Backstage {
  public:
    Backstage(const firefinch::Engine &engine, const std::string &path)
        : file_(open_model(path)), tokenizer_("auto", &file_), load_(std::in_place, engine, file_) {}

    // Once a frame; the company when it has come in.
    Company *step() {
        constexpr std::uint64_t kBytesAFrame = 4 << 20;
        if (company_) return company_.get();
        if (load_) {
            progress_ = load_->step(kBytesAFrame);
            if (progress_.finished == 0) return nullptr;
            model_.emplace(load_->finish());
            load_.reset();
            const bool bytes = tokenizer_.name() == "bytes";
            coming_ = std::async(std::launch::async, [this, bytes] {
                return std::make_unique<Company>(*model_, tokenizer_, bytes, /*seed=*/1);
            });
        }
        if (coming_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) company_ = coming_.get();
        return company_.get();
    }
    float loaded() const {
        return progress_.total == 0 ? 0 : static_cast<float>(progress_.done) / static_cast<float>(progress_.total);
    }
    std::string stage() const { return load_ && progress_.stage != nullptr ? progress_.stage : "reading the scene"; }

  private:
    firefinch::Checkpoint file_;
    firefinch::Tokenizer tokenizer_;
    std::optional<firefinch::ModelLoad> load_;
    ff_load_progress progress_{};
    std::optional<firefinch::Model> model_;
    std::unique_ptr<Company> company_;
    std::future<std::unique_ptr<Company>> coming_; // its destructor waits
};

// How lively the three are, following who speaks.
class Cast {
  public:
    void draw(Canvas &canvas, const Company *company, float time, float seconds) {
        using Draw = void (*)(Canvas &, const Pose &);
        constexpr Draw kDraw[] = {draw_falstaff, draw_hostess, draw_prince};
        const std::optional<std::size_t> speaker = company == nullptr ? std::nullopt : company->speaker();
        for (const std::size_t i : {1U, 0U, 2U}) { // she sits furthest from us
            Pose &pose = poses_[i];
            const bool speaks = speaker == i && !company->thinking();
            const auto approach = [&](float &value, float goal, float rate) {
                value += (goal - value) * (1 - std::exp(-rate * seconds));
            };
            pose.time = time + 1.3F * static_cast<float>(i);
            approach(pose.eager, speaks ? 1.0F : 0.0F, 5);
            approach(pose.mouth, speaks ? 0.5F + 0.5F * std::sin(time * 17) * std::sin(time * 5.3F + 1) : 0.0F, 18);
            const float away =
                speaker && *speaker != i ? (*speaker > i ? 1.0F : -1.0F) : 0.3F * std::sin(pose.time * 0.4F);
            approach(pose.look, speaks ? 0.5F * std::sin(time * 0.9F) : away, 4);
            kDraw[i](canvas, pose);
        }
    }

  private:
    Pose poses_[Company::kCount];
};

void write_png(const std::string &path, const Picture &picture) {
    const int width = static_cast<int>(picture.width), height = static_cast<int>(picture.height);
    if (stbi_write_png(path.c_str(), width, height, 3, picture.rgb.data(), 3 * width) == 0)
        throw std::runtime_error(path + " cannot be written");
}

int run(const Options &options) {
    const Window window(options.width, options.height);
    VulkanHost host(window.get(), {.validate = options.validate, .device = options.device});
    FrameLog log;
    std::optional<Picture> picture;
    {
        const firefinch::Engine engine = make_engine(host);
        Swapchain swapchain(host, window.get(), /*paced=*/!options.frames);
        Painter painter(host, swapchain.render_pass());
        Interface interface(host, swapchain, window.get(), options.font, options.budget_us, options.memories);
        Backstage backstage(engine, options.model);
        Cast cast;
        Canvas canvas;
        const Clock::time_point start = Clock::now();
        Clock::time_point before = start;
        std::uint64_t drawn = 0; // since the company is there
        FrameTime frame;
        while (glfwWindowShouldClose(window.get()) == 0 && (!options.frames || drawn < *options.frames)) {
            glfwPollEvents();
            const VkCommandBuffer commands = swapchain.begin();
            if (commands == VK_NULL_HANDLE) {
                glfwWaitEventsTimeout(0.02);
                continue;
            }
            const double seconds = seconds_since(before);
            before = Clock::now();
            frame.frame_us = seconds * 1e6;
            if (seconds_since(start) > seconds) log.add(frame);

            Company *const company = backstage.step();
            const bool quiet = options.frames && drawn < *options.frames / 4;
            frame = {};
            frame.phase = company == nullptr ? Phase::loading : quiet ? Phase::quiet : Phase::talking;
            if (company != nullptr) ++drawn;
            const float time = static_cast<float>(seconds_since(start));
            Light lights[kLights]{};
            canvas.clear();
            draw_room(canvas, time, lights);
            if (company != nullptr) cast.draw(canvas, company, time, static_cast<float>(seconds));
            draw_table(canvas, time, lights);
            painter.draw(commands, swapchain.frame(), swapchain.extent(), canvas, time, lights);
            interface.begin(company, backstage.loaded(), backstage.stage(), log);
            interface.draw(commands);
            const bool last = options.frames && drawn == *options.frames;
            if (auto taken = swapchain.end(last && !options.screenshot.empty())) picture = std::move(taken);

            // After drawing was submitted: what is left of the frame is for the characters.
            frame.budget_us = interface.budget_us();
            if (frame.phase == Phase::talking) {
                const Company::Progress progress = company->advance(frame.budget_us, seconds);
                frame.inference_us = progress.inference_us;
                frame.tokens = progress.tokens;
            }
        }
        frame.frame_us = seconds_since(before) * 1e6;
        log.add(frame);
        swapchain.wait_until_idle();
        std::printf("device:      %s; inference on %s\n", host.device_name().c_str(), host.lent_queue().c_str());
    }
    if (picture) write_png(options.screenshot, *picture);
    if (!options.log.empty()) log.write_csv(options.log);
    if (options.frames) std::fputs(log.summary().c_str(), stdout);
    if (host.validation_messages() == 0) return 0;
    std::fprintf(stderr, "tavern: %llu validation messages, the first: %s\n",
                 static_cast<unsigned long long>(host.validation_messages()), host.first_message().c_str());
    return 1;
}

} // namespace
} // namespace tavern

int main(int argc, char **argv) {
    int status = 0;
    const std::optional<tavern::Options> options = tavern::parse(argc, argv, status);
    if (!options) return status;
    try {
        return tavern::run(*options);
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "tavern: %s\n", failure.what());
        return 1;
    }
}
