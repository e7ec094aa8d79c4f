#include "denied.h"

#include "runtime/engine/deny_list.h"
#include "runtime/engine/engine.h"

#include <cstdlib>
#include <stdexcept>

namespace test {

std::vector<std::string> deny_kernel(const std::string &cache, const std::string &kernel) {
    const char *device = std::getenv("FIREFINCH_TEST_DEVICE");
    ff::engine::EngineOptions options;
    options.device = device != nullptr ? device : "";
    const ff::Result<std::shared_ptr<ff::engine::Engine>> engine = ff::engine::Engine::create(options);
    if (!engine.ok()) throw std::runtime_error(engine.error().message);
    std::vector<ff::engine::DeniedVariant> denied;
    std::vector<std::string> names;
    for (const ff::kernels::Variant &variant : ff::kernels::all_variants())
        if (variant.kernel == kernel) {
            denied.push_back({&variant, ff::engine::shader_hash(variant.spirv), "a test says so"});
            names.push_back(ff::kernels::full_name(variant));
        }
    const ff::Result<void> written =
        ff::engine::write_deny_list(cache, ff::gpu::cache_identity(*(*engine)->device()), denied);
    if (!written.ok()) throw std::runtime_error(written.error().message);
    return names;
}

} // namespace test
