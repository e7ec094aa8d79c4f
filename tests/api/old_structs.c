/* Programs compiled against an older header: every struct with a `struct_size` at the size it had when its last fields
 * were not there yet. What lies behind is not the library's to read or write: here it is 0xa5. */
#include "tests.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POISON 0xa5

/* A copy of `size` bytes of a struct, with that size in it, and `all` bytes in memory. */
static void *cut(const void *whole, size_t size, size_t all) {
    unsigned char *copy = malloc(all);
    uint32_t struct_size = (uint32_t)size;
    if (!copy) abort();
    memset(copy, POISON, all);
    memcpy(copy, whole, size);
    memcpy(copy, &struct_size, sizeof struct_size);
    return copy;
}

static int untouched(const void *block, size_t from, size_t to) {
    const unsigned char *bytes = block;
    for (; from < to; ++from)
        if (bytes[from] != POISON) return 0;
    return 1;
}

/* `statement` uses `options`, which ends before `field`. */
#define WITH_OLD_OPTIONS(type, init, field, statement)                                                                 \
    do {                                                                                                               \
        const type whole = init;                                                                                       \
        type *options = cut(&whole, offsetof(type, field), sizeof whole);                                              \
        statement;                                                                                                     \
        free(options);                                                                                                 \
    } while (0)

/* `call` fills `out`, which ends before `field`; `holds` says that it did. */
#define WITH_OLD_INFO(type, field, call, holds)                                                                        \
    do {                                                                                                               \
        const type whole = {0};                                                                                        \
        type *out = cut(&whole, offsetof(type, field), sizeof whole);                                                  \
        CHECK((call) == FF_OK);                                                                                        \
        CHECK(untouched(out, offsetof(type, field), sizeof whole));                                                    \
        CHECK(out->struct_size == offsetof(type, field) && (holds));                                                   \
        free(out);                                                                                                     \
    } while (0)

static void without_device(const ff_checkpoint *checkpoint) {
    ff_device_list *list = NULL;
    ff_write_report *report = NULL;
    ff_engine *engine = NULL;
    WITH_OLD_OPTIONS(ff_device_list_options, FF_DEVICE_LIST_OPTIONS_INIT, profile,
                     CHECK(ff_device_list_create(&list, options, &error) == FF_OK));
    WITH_OLD_INFO(ff_device_info, vendor_id, ff_device_list_get(list, 0, out, &error), out->name && out->uuid);
    ff_device_list_destroy(list);
    WITH_OLD_INFO(ff_model_info, parameters, ff_checkpoint_info(checkpoint, out, &error), out->vocabulary == 256);
    WITH_OLD_INFO(ff_tensor_info, bytes, ff_checkpoint_tensor(checkpoint, 0, out, &error), out->rank == 2);
    WITH_OLD_INFO(ff_session_bytes, host_bytes, ff_checkpoint_session_bytes(checkpoint, out, &error),
                  out->device_bytes > 0 && out->control_bytes > 0);
    WITH_OLD_OPTIONS(ff_write_options, FF_WRITE_OPTIONS_INIT, weights,
                     CHECK(ff_checkpoint_write(checkpoint, NULL, options, &report, &error) == FF_OK));
    WITH_OLD_INFO(ff_written_tensor, bytes, ff_write_report_tensor(report, 0, out, &error), out->name && out->to);
    ff_write_report_destroy(report);
    WITH_OLD_OPTIONS(ff_engine_options, FF_ENGINE_OPTIONS_INIT, profile, {
        options->device = getenv("FIREFINCH_TEST_DEVICE");
        CHECK(ff_engine_create(&engine, options, &error) == FF_OK);
    });
    ff_engine_destroy(engine);
}

static void with_model(ff_model *model) {
    const uint32_t prompt[] = {'R', 'O', 'M'};
    ff_session *session = NULL;
    ff_batch *batch = NULL;
    ff_profile_report *report = NULL;
    WITH_OLD_INFO(ff_model_statistics, resident_sessions, ff_model_statistics_get(model, out, &error),
                  out->launches_per_token > 0);
    WITH_OLD_INFO(ff_model_statistics, tuned_replayed, ff_model_statistics_get(model, out, &error), out->pipelines > 0);
    WITH_OLD_INFO(ff_launch_info, groups, ff_model_launch(model, 0, out, &error), out->bytes > 0);
    REQUIRE_VOID(ff_session_create(&session, model, &error) == FF_OK);
    CHECK(ff_session_prefill(session, prompt, 3, NULL, &error) == FF_OK);
    WITH_OLD_OPTIONS(ff_generate_options, FF_GENERATE_OPTIONS_INIT, sampling, {
        options->count = 3;
        WITH_OLD_INFO(ff_generate_result, seconds, ff_session_generate(session, options, out, &error),
                      out->produced == 3 && out->reason == FF_STOP_LIMIT);
    });
    CHECK(ff_batch_create(&batch, model, 1, &error) == FF_OK);
    WITH_OLD_OPTIONS(ff_batch_request, FF_BATCH_REQUEST_INIT, on_end, {
        options->generate.count = 2;
        CHECK(ff_batch_add(batch, session, options, &error) == FF_OK);
    });
    WITH_OLD_INFO(ff_batch_progress, submissions, ff_batch_run(batch, 0, out, &error), out->produced == 2);
    ff_batch_destroy(batch);
    if (ff_session_profile(&report, session, 1, &error) == FF_OK) /* devices with timestamps */
        WITH_OLD_INFO(ff_kernel_cost, bytes, ff_profile_report_kernel(report, 0, out, &error), out->kernel != NULL);
    ff_profile_report_destroy(report);
    CHECK(ff_session_start(session, prompt, 3, NULL, &error) == FF_OK);
    WITH_OLD_INFO(ff_slice_progress, launches, ff_session_advance(session, FF_BUDGET_UNLIMITED, out, &error),
                  out->slice == 1);
    ff_session_destroy(session);
}

/* Structs inside others keep their size on every platform with pointers of 8 bytes. */
static void embedded(void) {
    CHECK(sizeof(void *) != 8 || (sizeof(ff_sampling) == 96 && sizeof(ff_generate_options) == 184));
}

static void in_background(ff_engine *engine, const ff_checkpoint *checkpoint) {
    ff_model_load *load = NULL;
    REQUIRE_VOID(ff_model_load_create(&load, engine, checkpoint, NULL, &error) == FF_OK);
    WITH_OLD_INFO(ff_load_progress, done, ff_model_load_step(load, 1, out, &error), out->stage != NULL);
    ff_model_load_destroy(load);
}

static void doctoring(ff_engine *engine, const ff_checkpoint *checkpoint) {
    ff_self_test *test = NULL;
    ff_tuning *tuning = NULL;
    WITH_OLD_OPTIONS(ff_self_test_options, FF_SELF_TEST_OPTIONS_INIT, limits, {
        options->seconds = 0.001;
        REQUIRE_VOID(ff_engine_self_test(&test, engine, options, &error) == FF_OK);
    });
    WITH_OLD_INFO(ff_variant_result, launches, ff_self_test_variant(test, 0, out, &error), out->kernel != NULL);
    WITH_OLD_INFO(ff_limit_result, tried_bytes, ff_self_test_limit(test, 0, out, &error), out->claimed_bytes > 0);
    ff_self_test_destroy(test);
    WITH_OLD_OPTIONS(ff_tuning_options, FF_TUNING_OPTIONS_INIT, progress, /* the engine has no cache directory */
                     CHECK(ff_engine_tune(&tuning, engine, checkpoint, options, &error) == FF_ERROR_ARGUMENT));
    WITH_OLD_OPTIONS(ff_tuning_result, FF_TUNING_RESULT_INIT, candidates, {
        CHECK(ff_tuning_get(tuning, 0, options, &error) == FF_ERROR_ARGUMENT);
        CHECK(untouched(options, offsetof(ff_tuning_result, candidates), sizeof *options));
    });
}

void old_structs(ff_engine *engine, const ff_checkpoint *checkpoint) {
    ff_model *model = NULL;
    embedded();
    without_device(checkpoint);
    WITH_OLD_INFO(ff_memory_info, free_bytes, ff_engine_memory(engine, out, &error), out->allocations == 0);
    WITH_OLD_INFO(ff_roofline, multiply_adds_per_second, ff_engine_measure(engine, out, &error),
                  out->read_bytes_per_second > 0);
    WITH_OLD_OPTIONS(ff_model_options, FF_MODEL_OPTIONS_INIT, max_sessions,
                     CHECK(ff_model_create(&model, engine, checkpoint, options, &error) == FF_OK));
    if (model) with_model(model);
    in_background(engine, checkpoint);
    doctoring(engine, checkpoint);
    ff_model_destroy(model);
}
