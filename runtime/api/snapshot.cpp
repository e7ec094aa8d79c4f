#include "runtime/api/objects.h"

#include "runtime/engine/state_file.h"

using namespace ff;

ff_status ff_snapshot_create(ff_snapshot **out, ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !session) return api::null_argument(out ? "session" : "out");
        FF_TRY_ASSIGN(engine::Snapshot snapshot, session->session->snapshot());
        const engine::Model &model = session->session->model();
        *out = new ff_snapshot{std::move(snapshot), model.loaded().states().layout(), model.fingerprint()};
        return {};
    });
}

void ff_snapshot_destroy(ff_snapshot *snapshot) {
    delete snapshot;
}

uint64_t ff_snapshot_bytes(const ff_snapshot *snapshot) {
    return snapshot ? snapshot->snapshot.states.size() + sizeof(float) * snapshot->snapshot.logits.size() : 0;
}

ff_status ff_session_restore(ff_session *session, const ff_snapshot *snapshot, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !snapshot) return api::null_argument(session ? "snapshot" : "session");
        return session->session->restore(snapshot->snapshot);
    });
}

ff_status ff_snapshot_encode(const ff_snapshot *snapshot, void *bytes, size_t capacity, size_t *size, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!snapshot || !size) return api::null_argument(snapshot ? "size" : "snapshot");
        const std::vector<std::byte> file =
            engine::encode_state(snapshot->snapshot, snapshot->layout, snapshot->fingerprint);
        if (bytes) std::copy_n(file.begin(), std::min(capacity, file.size()), static_cast<std::byte *>(bytes));
        *size = file.size();
        return {};
    });
}

ff_status ff_snapshot_decode(ff_snapshot **out, const ff_model *model, const void *bytes, size_t size,
                             ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !model || (!bytes && size)) return api::null_argument(!out ? "out" : !model ? "model" : "bytes");
        FF_TRY_ASSIGN(const std::unique_ptr<loader::TensorSource> file,
                      loader::open_tensor_source("snapshot", {static_cast<const std::byte *>(bytes), size}));
        const engine::Model &ours = *model->model;
        const model::StateLayout &layout = ours.loaded().states().layout();
        FF_TRY_ASSIGN(engine::Snapshot snapshot,
                      engine::read_state(*file, engine::shape_of(ours.description()), layout));
        *out = new ff_snapshot{std::move(snapshot), layout, ours.fingerprint()};
        return {};
    });
}
