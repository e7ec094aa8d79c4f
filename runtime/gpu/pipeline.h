// Compute pipelines from SPIR-V with specialisation constants, compiled on several threads, cached on disk.
#pragma once

#include "runtime/gpu/device.h"

#include <array>

namespace ff::gpu {

struct SpecConstant {
    std::uint32_t id, value;
    friend bool operator==(const SpecConstant &, const SpecConstant &) = default;
};

struct PipelineDescription {
    std::string name{};                     // "mix_project.f16_subgroup", for debug names and messages
    std::span<const std::uint32_t> spirv{}; // kept alive by the caller until compiled
    std::uint32_t bindings = 0;             // storage buffers, set 0, binding numbers 0..bindings-1
    std::uint32_t push_constant_bytes = 0;
    std::vector<SpecConstant> constants{};
    std::uint32_t required_subgroup_size = 0; // 0: the driver's choice
    bool full_subgroups = false;
};

struct Pipeline {
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    std::uint32_t bindings = 0, push_constant_bytes = 0;
    std::string name{};
};

struct PipelineOptions {
    std::string cache_directory{};  // empty: nothing is kept on disk
    std::vector<std::byte> cache{}; // what cache_data() gave another time; where it has something, no file is read
    LogFunction log{};
    std::uint32_t threads = 0; // 0: one for each core
};

// Owns the pipelines it made; they live as long as it does.
class PipelineSet {
  public:
    static Result<std::unique_ptr<PipelineSet>> create(std::shared_ptr<Device> device, PipelineOptions options);
    ~PipelineSet();

    // One pipeline for each description, in order; equal descriptions share one. From any thread; who asks for what is made
    // does not wait for others. The SPIR-V's own interface (block size, bindings, constant ids, a little reader tells) is
    // compared with the description first: fails with internal, naming both, if they differ.
    Result<std::vector<const Pipeline *>> compile(std::span<const PipelineDescription> descriptions,
                                                  const ProgressFunction &progress);
    struct Statistics {
        std::uint32_t compiled = 0;         // pipelines made
        std::uint64_t cache_bytes_read = 0; // size of the cache found at start; 0 is a cold start
        std::uint64_t cache_bytes_added = 0; // by pipelines that it did not have
        double seconds = 0;
    };
    Statistics statistics() const;
    // For PipelineOptions::cache of a later start. Empty where the driver keeps nothing.
    Result<std::vector<std::byte>> cache_data() const;
    // Writes the cache file (to a temporary one, then renamed): damaged or foreign files are ignored at the next start.
    Result<void> save_cache() const;

  private:
    PipelineSet();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ff::gpu
