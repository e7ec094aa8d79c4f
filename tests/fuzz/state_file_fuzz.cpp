#include "runtime/engine/state_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/state_shape.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace ff;
    static const model::StateLayout layout = model::state_layout(fuzz::state_model());
    const auto file = loader::open_tensor_source("x", fuzz::bytes_of(data, size));
    if (!file.ok()) {
        fuzz::check(file.error());
        return 0;
    }
    const Result<engine::Snapshot> state = engine::read_state(**file, engine::shape_of(fuzz::state_model()), layout);
    if (!state.ok())
        fuzz::check(state.error());
    else if (state->states.size() != layout.slot_bytes * 2)
        std::abort();
    return 0;
}
