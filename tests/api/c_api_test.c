/* The public header from C99, alone, and every function of it called once and with what it must refuse. */
#include <firefinch/firefinch.h>

#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int failures = 0;
ff_error error;

void check(int holds, const char *what, int line) {
    if (holds) return;
    ++failures;
    printf("line %d: %s (last error: %d %s)\n", line, what, (int)error.status, error.message);
}

static int stop_after_three(void *payload, uint32_t token) {
    uint32_t *count = (uint32_t *)payload;
    (void)token;
    return ++*count == 3;
}

static int no_progress(void *payload, const char *stage, uint64_t done, uint64_t total) {
    ++*(int *)payload;
    return stage == NULL || done > total;
}

static int cancel(void *payload, const char *stage, uint64_t done, uint64_t total) {
    (void)payload, (void)stage, (void)done, (void)total;
    return 1;
}

static void count_message(void *payload, int level, const char *message) {
    (void)level;
    if (message) ++*(int *)payload;
}

static void devices(void) {
    ff_device_list_options options = FF_DEVICE_LIST_OPTIONS_INIT;
    ff_device_list *list = NULL;
    ff_device_info info = FF_DEVICE_INFO_INIT;
    const char *name = NULL, *other = NULL;
    int64_t value = 0;
    size_t chosen = 99, found;
    options.profile = "floor";
    CHECK(ff_device_list_create(&list, &options, &error) == FF_OK);
    CHECK(ff_device_list_count(list) > 0);
    CHECK(ff_device_list_get(list, 0, &info, &error) == FF_OK && info.name && strlen(info.uuid) == 32);
    CHECK(ff_device_list_get(list, 9999, &info, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_device_list_choose(list, NULL, &chosen, &error) == FF_OK && chosen < ff_device_list_count(list));
    CHECK(ff_device_list_choose(list, "no such device", &chosen, &error) == FF_ERROR_NO_DEVICE);
    CHECK(ff_device_list_trait(list, 0, 0, &name, &value) == 1 && name);
    CHECK(ff_device_list_trait(list, 0, 9999, &name, &value) == 0);
    CHECK(ff_device_list_variant(list, 0, 0, &name, &other) == 1 && name && other);
    CHECK(ff_device_list_reason(list, 0, 0, &other) == 1 && strlen(other) > 0);
    CHECK(ff_device_list_reason(list, 0, 9999, &other) == 0);
    for (found = 0; ff_device_list_variant(list, 0, found, &name, &other) == 1;) ++found;
    CHECK(found > 1 && ff_device_list_variant(list, 0, found - 1, &name, &other) == 1 && strncmp(other, "q4_k", 4) == 0);
    CHECK(ff_device_list_denied(list, 0, 0, &name, &other) == 0); /* no cache directory was given */
    CHECK(strlen(ff_device_list_lacking(list, 0)) == 0 && ff_device_list_lacking(list, 9999) == NULL);
    ff_device_list_destroy(list);
    ff_device_list_destroy(NULL);
    options.captured = 1;
    CHECK(ff_device_list_create(&list, &options, &error) == FF_OK && ff_device_list_count(list) == 0);
    ff_device_list_destroy(list);
    options.profile = "radv-navi31";
    CHECK(ff_device_list_create(&list, &options, &error) == FF_OK && ff_device_list_count(list) == 1);
    CHECK(ff_device_list_get(list, 0, &info, &error) == FF_OK && info.vendor_id == 0x1002);
    CHECK(ff_device_list_choose(list, NULL, &chosen, &error) == FF_ERROR_ARGUMENT);
    ff_device_list_destroy(list);
    options.captured = 0; /* a software device is no Radeon */
    CHECK(ff_device_list_create(&list, &options, &error) == FF_OK && strlen(ff_device_list_lacking(list, 0)) > 0);
    ff_device_list_destroy(list);
    CHECK(ff_profile(0, &name, &other) == 1 && strcmp(name, "native") == 0);
    CHECK(ff_weight_type(0, &name) == 1 && strcmp(name, "f32") == 0);
    CHECK(ff_weight_type(9999, &name) == 0);
    options.profile = "no such profile";
    list = NULL;
    CHECK(ff_device_list_create(&list, &options, &error) == FF_ERROR_ARGUMENT && list == NULL);
}

static void tokenizers(const ff_checkpoint *checkpoint) {
    ff_tokenizer *tokenizer = NULL;
    uint32_t ids[4];
    char text[4];
    size_t count = 0;
    CHECK(ff_tokenizer_create(&tokenizer, "auto", checkpoint, &error) == FF_OK);
    CHECK(strcmp(ff_tokenizer_name(tokenizer), "bytes") == 0 && ff_tokenizer_vocabulary(tokenizer) == 256);
    CHECK(ff_tokenizer_encode(tokenizer, "hello", 5, ids, 4, &count, &error) == FF_OK && count == 5 && ids[3] == 'l');
    CHECK(ff_tokenizer_encode(tokenizer, "hello", 5, NULL, 0, &count, NULL) == FF_OK && count == 5);
    CHECK(ff_tokenizer_decode(tokenizer, 'x', text, 4, &count, &error) == FF_OK && count == 1 && text[0] == 'x');
    CHECK(ff_tokenizer_decode(tokenizer, 256, text, 4, &count, &error) == FF_ERROR_ARGUMENT);
    ff_tokenizer_destroy(tokenizer);
    tokenizer = NULL;
    CHECK(ff_tokenizer_create(&tokenizer, "no such file", NULL, &error) != FF_OK && tokenizer == NULL);
    CHECK(ff_tokenizer_create(&tokenizer, "auto", NULL, &error) == FF_ERROR_ARGUMENT);
}

static void writing(ff_checkpoint *checkpoint, const char *path) {
    const ff_tensor_type rule = {"*.ffn.key.weight", "q8_0"}, unfit = {"no.such.tensor", "q8_0"};
    const double alpha = 1.0;
    ff_write_options options = FF_WRITE_OPTIONS_INIT;
    ff_write_report *report = NULL, *written = NULL;
    ff_written_tensor tensor = FF_WRITTEN_TENSOR_INIT;
    ff_tokenizer *tokenizer = NULL;
    ff_checkpoint *copy = NULL;
    ff_model_info info = FF_MODEL_INFO_INIT;
    uint32_t id = 7;
    size_t i, quantised = 0;
    REQUIRE_VOID(ff_tokenizer_create(&tokenizer, "bytes", NULL, &error) == FF_OK);
    CHECK(ff_tokenizer_special(tokenizer, FF_TOKEN_END_OF_TEXT, &id) == 0 && id == 7);
    options.tokenizer = tokenizer;
    options.tensor_types = &rule;
    options.tensor_type_count = 1;
    CHECK(ff_checkpoint_write(checkpoint, NULL, &options, &report, &error) == FF_OK);
    CHECK(ff_write_report_count(report) > 0 && ff_write_report_bytes(report) > 1000000);
    for (i = 0; i < ff_write_report_count(report); ++i)
        if (ff_write_report_tensor(report, i, &tensor, &error) == FF_OK && strcmp(tensor.to, "q8_0") == 0) ++quantised;
    CHECK(quantised == 4);
    CHECK(ff_write_report_tensor(report, 9999, &tensor, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_checkpoint_write(checkpoint, path, &options, &written, &error) == FF_OK);
    CHECK(ff_write_report_bytes(written) == ff_write_report_bytes(report));
    CHECK(ff_checkpoint_open(&copy, path, &error) == FF_OK && ff_checkpoint_info(copy, &info, &error) == FF_OK);
    CHECK(strcmp(info.container, "gguf") == 0 && strcmp(info.tokenizer, "file") == 0);
    ff_tokenizer_destroy(tokenizer);
    tokenizer = NULL;
    CHECK(ff_tokenizer_create(&tokenizer, "auto", copy, &error) == FF_OK && ff_tokenizer_vocabulary(tokenizer) == 256);
    CHECK(ff_checkpoint_merge_lora(copy, "no such file", &alpha, &error) == FF_ERROR_IO);
    CHECK(ff_checkpoint_info(copy, &info, &error) == FF_OK); /* as before */
    options.tokenizer = NULL;
    options.tensor_types = &unfit;
    CHECK(ff_checkpoint_write(checkpoint, path, &options, NULL, &error) == FF_ERROR_ARGUMENT);
    options.container = "zip";
    options.tensor_type_count = 0;
    CHECK(ff_checkpoint_write(checkpoint, NULL, &options, NULL, &error) == FF_ERROR_ARGUMENT);
    ff_write_report_destroy(report);
    ff_write_report_destroy(written);
    ff_write_report_destroy(NULL);
    ff_tokenizer_destroy(tokenizer);
    ff_checkpoint_close(copy);
    remove(path);
}

static void profiling(ff_session *session) {
    ff_profile_report *report = NULL;
    ff_kernel_cost cost = FF_KERNEL_COST_INIT;
    const ff_status status = ff_session_profile(&report, session, 2, &error);
    CHECK(status == FF_OK || status == FF_ERROR_UNSUPPORTED); /* devices without timestamps */
    CHECK(ff_session_profile(&report, NULL, 2, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_profile(NULL, session, 2, &error) == FF_ERROR_ARGUMENT);
    if (status == FF_OK) {
        CHECK(ff_profile_report_count(report) > 0);
        CHECK(ff_profile_report_kernel(report, 0, &cost, &error) == FF_OK && strcmp(cost.kernel, "embed") == 0);
        CHECK(ff_profile_report_kernel(report, 9999, &cost, &error) == FF_ERROR_ARGUMENT);
    }
    CHECK(ff_profile_report_count(NULL) == 0);
    ff_profile_report_destroy(report);
    ff_profile_report_destroy(NULL);
}

static int sessions(ff_model *model, const char *state_path) {
    const uint32_t prompt[] = {0, 'R', 'O'}, beyond[] = {256};
    float *logits = malloc(3 * 256 * sizeof *logits), last[256];
    ff_session *session = NULL, *other = NULL, *fork = NULL;
    ff_snapshot *snapshot = NULL, *decoded = NULL;
    unsigned char *file = NULL;
    size_t size = 0;
    ff_generate_options options = FF_GENERATE_OPTIONS_INIT;
    ff_generate_result result = FF_GENERATE_RESULT_INIT;
    uint32_t delivered = 0;
    REQUIRE(logits != NULL && ff_session_create(&session, model, &error) == FF_OK);
    CHECK(ff_session_generate(session, &options, &result, &error) == FF_ERROR_ARGUMENT); /* nothing was read */
    CHECK(ff_session_prefill(session, beyond, 1, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_prefill(session, prompt, 0, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_evaluate(session, prompt, 3, logits, &error) == FF_OK);
    CHECK(ff_session_reset(session, &error) == FF_OK);
    CHECK(ff_session_set_chunk(session, 1, &error) == FF_OK && ff_session_set_chunk(NULL, 1, &error) != FF_OK);
    CHECK(ff_session_prefill(session, prompt, 3, last, &error) == FF_OK);
    CHECK(memcmp(last, logits + 2 * 256, sizeof last) == 0);
    options.count = 0;
    CHECK(ff_session_generate(session, &options, &result, &error) == FF_ERROR_ARGUMENT);
    options.reserved[3] = 1;
    CHECK(ff_session_generate(session, &options, &result, &error) == FF_ERROR_ARGUMENT &&
          strstr(error.message, "reserved"));
    options.reserved[3] = 0;
    options.count = 20;
    options.sampling.temperature = 0.0f;
    options.on_token = stop_after_three;
    options.payload = &delivered;
    CHECK(ff_session_generate(session, &options, &result, &error) == FF_OK);
    CHECK(delivered == 3 && result.produced == 3 && result.reason == FF_STOP_CALLBACK);
    CHECK(ff_session_save(session, state_path, &error) == FF_OK);
    CHECK(ff_session_create(&other, model, &error) == FF_OK);
    CHECK(ff_session_load(other, state_path, &error) == FF_OK);
    CHECK(ff_session_prefill(session, prompt, 1, last, &error) == FF_OK);
    CHECK(ff_session_prefill(other, prompt, 1, logits, &error) == FF_OK && memcmp(last, logits, sizeof last) == 0);
    CHECK(ff_session_load(other, "no such file", &error) == FF_ERROR_IO);
    CHECK(ff_snapshot_create(&snapshot, session, &error) == FF_OK && ff_snapshot_bytes(snapshot) > 256 * 4);
    CHECK(ff_session_fork(&fork, session, &error) == FF_OK);
    CHECK(ff_session_prefill(session, prompt, 2, last, &error) == FF_OK);
    CHECK(ff_session_prefill(fork, prompt, 2, logits, &error) == FF_OK && memcmp(last, logits, sizeof last) == 0);
    CHECK(ff_session_restore(other, snapshot, &error) == FF_OK);
    CHECK(ff_session_prefill(other, prompt, 2, logits, &error) == FF_OK && memcmp(last, logits, sizeof last) == 0);
    CHECK(ff_session_restore(other, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_evict(session, &error) == FF_OK && ff_session_resident(session) == 0);
    CHECK(ff_session_prefetch(session, &error) == FF_OK && ff_session_resident(session) == 1);
    CHECK(ff_session_evict(NULL, &error) == FF_ERROR_ARGUMENT && ff_session_resident(NULL) == 0);
    CHECK(ff_session_prefetch(NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_snapshot_encode(snapshot, NULL, 0, &size, &error) == FF_OK && (file = malloc(size)) != NULL);
    CHECK(ff_snapshot_encode(snapshot, file, size, &size, &error) == FF_OK);
    CHECK(ff_snapshot_encode(snapshot, file, size, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_snapshot_decode(&decoded, model, file, 20, &error) == FF_ERROR_MODEL_FILE && decoded == NULL);
    CHECK(ff_snapshot_decode(&decoded, model, file, size, &error) == FF_OK);
    CHECK(ff_session_restore(fork, decoded, &error) == FF_OK);
    CHECK(ff_session_prefill(fork, prompt, 2, logits, &error) == FF_OK && memcmp(last, logits, sizeof last) == 0);
    ff_snapshot_destroy(decoded);
    free(file);
    profiling(other);
    ff_snapshot_destroy(snapshot);
    ff_snapshot_destroy(NULL);
    ff_session_destroy(fork);
    ff_session_destroy(other);
    ff_session_destroy(session);
    ff_session_destroy(NULL);
    remove(state_path);
    free(logits);
    return failures;
}

static void count_end(void *payload, const ff_generate_result *result) {
    if (result->produced == 4 && result->reason == FF_STOP_LIMIT) ++*(int *)payload;
}

static void batches(ff_model *model) {
    ff_batch *batch = NULL;
    ff_session *session[2] = {NULL, NULL};
    ff_batch_request request = FF_BATCH_REQUEST_INIT;
    ff_batch_progress progress = FF_BATCH_PROGRESS_INIT;
    ff_generate_result result = FF_GENERATE_RESULT_INIT;
    const uint32_t prompt[3] = {72, 105, 33}, beyond = 70000;
    int ended = 0;
    CHECK(ff_batch_create(&batch, model, 0, &error) == FF_ERROR_ARGUMENT && batch == NULL);
    CHECK(ff_batch_create(&batch, model, 129, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_batch_create(NULL, model, 2, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_batch_create(&batch, model, 2, &error) == FF_OK);
    CHECK(ff_session_create(&session[0], model, &error) == FF_OK);
    CHECK(ff_session_create(&session[1], model, &error) == FF_OK);
    if (!batch || !session[0] || !session[1]) return;
    request.tokens = &beyond;
    request.token_count = 1;
    CHECK(ff_batch_add(batch, session[0], &request, &error) == FF_ERROR_ARGUMENT && strstr(error.message, "70000"));
    request.tokens = NULL;
    CHECK(ff_batch_add(batch, session[0], &request, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_batch_add(batch, session[0], NULL, &error) == FF_ERROR_ARGUMENT);
    request.tokens = prompt;
    request.token_count = 3;
    request.generate.count = 4;
    request.generate.payload = &ended;
    request.on_end = count_end;
    CHECK(ff_batch_add(batch, session[0], &request, &error) == FF_OK);
    CHECK(ff_batch_add(batch, session[0], &request, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_batch_add(batch, session[1], &request, &error) == FF_OK);
    CHECK(ff_session_reset(session[1], &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_batch_run(batch, 2, &progress, &error) == FF_OK && progress.active == 2 && progress.steps == 2);
    CHECK(ff_batch_remove(batch, session[1], &result, &error) == FF_OK && result.reason == FF_STOP_CALLBACK);
    CHECK(ff_batch_remove(batch, session[1], &result, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_batch_run(batch, 0, NULL, &error) == FF_OK && ended == 1);
    CHECK(ff_batch_run(batch, 0, &progress, &error) == FF_OK && progress.active == 0 && progress.steps == 0);
    CHECK(ff_batch_run(NULL, 0, NULL, &error) == FF_ERROR_ARGUMENT);
    ff_batch_destroy(batch);
    ff_batch_destroy(NULL);
    ff_session_destroy(session[0]);
    ff_session_destroy(session[1]);
}

static int stop_at_second(void *payload, uint32_t token) {
    (void)token;
    return ++*(int *)payload == 2;
}

static void slices(ff_model *model, const ff_tokenizer *tokenizer) {
    ff_session *session = NULL;
    ff_generate_options options = FF_GENERATE_OPTIONS_INIT;
    ff_slice_progress progress = FF_SLICE_PROGRESS_INIT;
    ff_model_statistics statistics = FF_MODEL_STATISTICS_INIT;
    const uint32_t prompt[3] = {72, 105, 33};
    uint32_t tokens[8];
    char text[8];
    size_t count = 1, size = 1, sum = 0;
    int called = 0;
    REQUIRE_VOID(ff_session_create(&session, model, &error) == FF_OK);
    CHECK(ff_session_start(session, NULL, 3, &options, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_start(NULL, prompt, 3, &options, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_poll(session, tokens, 8, &count, &error) == FF_OK && count == 0);
    options.count = 4;
    CHECK(ff_session_start(session, prompt, 3, &options, &error) == FF_OK);
    CHECK(ff_session_start(session, prompt, 3, &options, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_advance(NULL, 1000, &progress, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_advance(session, 0, &progress, &error) == FF_OK && progress.slice == 0);
    CHECK(progress.state == FF_RUN_READING);
    do {
        CHECK(ff_session_advance(session, FF_BUDGET_UNLIMITED, &progress, &error) == FF_OK);
        CHECK(ff_session_wait(session, &error) == FF_OK);
    } while (progress.state != FF_RUN_IDLE && !failures);
    CHECK(progress.produced == 4 && progress.prompt_read == 3 && progress.reason == FF_STOP_LIMIT);
    CHECK(ff_model_statistics_get(model, &statistics, &error) == FF_OK && statistics.slice_bytes > 0);
    CHECK(statistics.submissions > 0);
    CHECK(ff_session_poll(session, tokens, 3, &count, &error) == FF_OK && count == 3);
    CHECK(ff_session_poll(session, tokens, 3, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_poll_text(session, NULL, text, 8, &size, &error) == FF_ERROR_ARGUMENT);
    for (size = 1; size != 0 && !failures; sum += size)
        CHECK(ff_session_poll_text(session, tokenizer, text, 8, &size, &error) == FF_OK);
    CHECK(sum > 0);
    options.on_token = stop_at_second;
    options.payload = &called;
    CHECK(ff_session_start(session, NULL, 0, &options, &error) == FF_OK);
    do CHECK(ff_session_advance(session, 1000, &progress, &error) == FF_OK && ff_session_wait(session, &error) == FF_OK);
    while (progress.state != FF_RUN_IDLE && !failures);
    CHECK(called == 2 && progress.produced == 2 && progress.reason == FF_STOP_CALLBACK);
    options.on_token = NULL;
    CHECK(ff_session_start(session, prompt, 3, &options, &error) == FF_OK);
    CHECK(ff_session_advance(session, 1, NULL, &error) == FF_OK && ff_session_reset(session, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_cancel(NULL, &error) == FF_ERROR_ARGUMENT && ff_session_cancel(session, &error) == FF_OK);
    CHECK(ff_session_reset(session, &error) == FF_OK);
    ff_session_destroy(session);
}

static void synthetic(void) {
    ff_checkpoint *checkpoint = NULL;
    ff_model_info info = FF_MODEL_INFO_INIT;
    const char *name = NULL;
    size_t count = 0;
    while (ff_model_preset(count, &name)) ++count;
    CHECK(count > 0 && name != NULL);
    CHECK(ff_checkpoint_synthetic(&checkpoint, "7-9b", NULL, &error) == FF_ERROR_ARGUMENT && checkpoint == NULL);
    CHECK(ff_checkpoint_synthetic(&checkpoint, "7-0.4b", "no such type", &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_checkpoint_synthetic(&checkpoint, NULL, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_checkpoint_synthetic(&checkpoint, "7-0.4b", "q8_0", &error) == FF_OK);
    CHECK(ff_checkpoint_info(checkpoint, &info, &error) == FF_OK && info.layers == 24 && info.width == 1024);
    CHECK(strcmp(info.container, "synthetic") == 0 && strcmp(info.version, "7.0") == 0);
    ff_checkpoint_close(checkpoint);
}

static void background_load(ff_engine *engine, const ff_checkpoint *checkpoint) {
    ff_model_load *load = NULL;
    ff_model *model = NULL;
    ff_load_progress progress = FF_LOAD_PROGRESS_INIT;
    CHECK(ff_model_load_create(&load, NULL, checkpoint, NULL, &error) == FF_ERROR_ARGUMENT && load == NULL);
    CHECK(ff_model_load_step(NULL, 1, &progress, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_model_load_finish(&model, NULL, &error) == FF_ERROR_ARGUMENT && model == NULL);
    REQUIRE_VOID(ff_model_load_create(&load, engine, checkpoint, NULL, &error) == FF_OK);
    CHECK(ff_model_load_step(load, 1, &progress, &error) == FF_OK && progress.stage != NULL);
    CHECK(ff_model_load_step(load, 1, NULL, &error) == FF_OK);
    CHECK(ff_model_load_finish(&model, load, &error) == FF_OK && model != NULL);
    CHECK(ff_model_load_step(load, 0, &progress, &error) == FF_OK && progress.finished == 1);
    ff_model_load_destroy(load);
    ff_model_load_destroy(NULL);
    ff_model_destroy(model);
}

static void engines(ff_engine *engine) {
    ff_memory_info memory = FF_MEMORY_INFO_INIT;
    char byte = 7;
    size_t size = 99;
    CHECK(ff_engine_memory(engine, &memory, &error) == FF_OK && memory.free_bytes > 0);
    CHECK(ff_engine_memory(engine, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_engine_pipeline_cache(engine, NULL, 0, &size, &error) == FF_OK && size != 99);
    CHECK(ff_engine_pipeline_cache(engine, &byte, 1, &size, &error) == FF_OK && (size == 0) == (byte == 7));
    CHECK(ff_engine_pipeline_cache(engine, NULL, 0, NULL, &error) == FF_ERROR_ARGUMENT);
}

static void models(ff_engine *engine, const ff_checkpoint *checkpoint) {
    ff_tokenizer *tokenizer = NULL;
    ff_model *model = NULL;
    ff_model_options options = FF_MODEL_OPTIONS_INIT;
    ff_model_info info = FF_MODEL_INFO_INIT;
    ff_model_statistics statistics = FF_MODEL_STATISTICS_INIT;
    ff_launch_info launch = FF_LAUNCH_INFO_INIT;
    int told = 0;
    options.weights = "no such type";
    CHECK(ff_model_create(&model, engine, checkpoint, &options, &error) == FF_ERROR_ARGUMENT && model == NULL);
    options.weights = "q8_0";
    options.progress = cancel;
    CHECK(ff_model_create(&model, engine, checkpoint, &options, &error) == FF_ERROR_CANCELLED && model == NULL);
    options.weights = NULL;
    options.progress = no_progress;
    options.progress_payload = &told;
    CHECK(ff_model_create(&model, engine, checkpoint, &options, &error) == FF_OK && told > 0);
    if (!model) return;
    CHECK(ff_model_info_get(model, &info, &error) == FF_OK && strcmp(info.version, "7.0") == 0 && info.runnable);
    CHECK(ff_model_statistics_get(model, &statistics, &error) == FF_OK && statistics.recordings == 1);
    CHECK(ff_model_launch_count(model) == statistics.launches_per_token);
    CHECK(ff_model_launch(model, 1, &launch, &error) == FF_OK && launch.layer == 0 && launch.read_count > 0);
    CHECK(ff_model_launch(model, 9999, &launch, &error) == FF_ERROR_ARGUMENT);
    sessions(model, "c_api_test.state");
    batches(model);
    CHECK(ff_model_statistics_get(model, &statistics, &error) == FF_OK && statistics.tuned_replayed == 0);
    CHECK(statistics.tunable_replayed > 0 && statistics.tunable_replayed < statistics.launches);
    CHECK(ff_tokenizer_create(&tokenizer, "auto", checkpoint, &error) == FF_OK);
    slices(model, tokenizer);
    ff_tokenizer_destroy(tokenizer);
    ff_model_destroy(model);
    ff_model_destroy(NULL);
}

static int stop(void *payload, const char *stage, uint64_t done, uint64_t total) {
    (void)payload, (void)stage, (void)done, (void)total;
    return 1;
}

static void self_tests(ff_engine *engine) {
    ff_self_test *test = NULL;
    ff_tuning *tuning = NULL;
    ff_self_test_options options = FF_SELF_TEST_OPTIONS_INIT;
    ff_tuning_options tuning_options = FF_TUNING_OPTIONS_INIT;
    ff_variant_result variant = FF_VARIANT_RESULT_INIT;
    ff_limit_result limit = FF_LIMIT_RESULT_INIT;
    ff_tuning_result tuned = FF_TUNING_RESULT_INIT;
    const char *name = NULL, *why = NULL;
    char first[64];
    size_t i, passed = 0, denied = 7;
    options.progress = stop;
    CHECK(ff_engine_self_test(&test, engine, &options, &error) == FF_ERROR_CANCELLED && test == NULL);
    options.progress = NULL;
    options.seconds = -1;
    CHECK(ff_engine_self_test(&test, engine, &options, &error) == FF_ERROR_ARGUMENT);
    options.seconds = 0.001;
    CHECK(ff_engine_self_test(NULL, engine, &options, &error) == FF_ERROR_ARGUMENT);
    REQUIRE_VOID(ff_engine_self_test(&test, engine, &options, &error) == FF_OK);
    for (i = 0; i < ff_self_test_variant_count(test); ++i) {
        CHECK(ff_self_test_variant(test, i, &variant, &error) == FF_OK && variant.outcome != FF_OUTCOME_FAILED);
        if (variant.outcome == FF_OUTCOME_FAILED) printf("%s.%s\n", variant.kernel, variant.variant);
        passed += variant.outcome == FF_OUTCOME_PASSED;
    }
    CHECK(passed > 5 && passed < i && ff_self_test_variant(test, i, &variant, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_self_test_limit_count(test) == 3 && ff_self_test_limit(test, 0, &limit, &error) == FF_OK && limit.passed);
    CHECK(ff_self_test_limit(test, 3, &limit, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_self_test_validation_messages(test, first, sizeof first) == 0 && first[0] == '\0');
    CHECK(ff_self_test_deny(test, engine, &denied, &error) == FF_ERROR_ARGUMENT && denied == 7); /* no cache directory */
    CHECK(ff_engine_denied(engine, 0, &name, &why) == 0);
    ff_self_test_destroy(test);
    ff_self_test_destroy(NULL);
    CHECK(ff_engine_tune(&tuning, engine, NULL, &tuning_options, &error) == FF_ERROR_ARGUMENT && tuning == NULL);
    CHECK(ff_engine_forget_tuning(engine, &denied, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_tuning_count(NULL) == 0 && ff_tuning_by_timestamps(NULL) == 0);
    CHECK(ff_tuning_get(NULL, 0, &tuned, &error) == FF_ERROR_ARGUMENT);
    ff_tuning_destroy(NULL);
}

int main(int argc, char **argv) {
    ff_checkpoint *checkpoint = NULL;
    ff_engine *engine = NULL;
    ff_model_info info = FF_MODEL_INFO_INIT;
    ff_tensor_info tensor = FF_TENSOR_INFO_INIT;
    ff_device_info device = FF_DEVICE_INFO_INIT;
    ff_session_bytes bytes = FF_SESSION_BYTES_INIT;
    ff_memory_info memory = FF_MEMORY_INFO_INIT;
    ff_roofline roofline = FF_ROOFLINE_INIT;
    ff_engine_options options = FF_ENGINE_OPTIONS_INIT;
    const char *type = NULL;
    char first[256];
    int messages = 0;
    if (argc != 2) return 2;
    CHECK(strlen(ff_version()) > 0 && strlen(ff_commit()) > 0);
    devices();

    CHECK(ff_checkpoint_open(&checkpoint, "no such file", &error) == FF_ERROR_IO && checkpoint == NULL);
    CHECK(ff_checkpoint_open_memory(&checkpoint, "bytes", "nothing", 7, &error) == FF_ERROR_MODEL_FILE);
    REQUIRE(ff_checkpoint_open(&checkpoint, argv[1], &error) == FF_OK);
    CHECK(ff_checkpoint_info(checkpoint, &info, &error) == FF_OK && info.vocabulary == 256);
    CHECK(ff_checkpoint_tensor_count(checkpoint) > 0);
    CHECK(ff_checkpoint_tensor(checkpoint, 0, &tensor, &error) == FF_OK && tensor.rank == 2);
    CHECK(ff_checkpoint_session_bytes(checkpoint, &bytes, &error) == FF_OK && bytes.snapshot_bytes > 256 * 4);
    CHECK(ff_checkpoint_session_bytes(checkpoint, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_checkpoint_metadata(checkpoint, "vocab") != NULL && ff_checkpoint_metadata(checkpoint, "none") == NULL);
    CHECK(ff_checkpoint_loaded_type(checkpoint, 0, "q8_0", &type, NULL, &error) == FF_OK && type != NULL);
    CHECK(ff_checkpoint_loaded_type(checkpoint, 0, "q9", &type, NULL, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_checkpoint_loaded_type(checkpoint, 9999, NULL, &type, NULL, &error) == FF_ERROR_ARGUMENT);
    tokenizers(checkpoint);
    writing(checkpoint, "c_api_test.gguf");
    synthetic();

    options.device = getenv("FIREFINCH_TEST_DEVICE");
    options.profile = getenv("FIREFINCH_TEST_PROFILE");
    options.log = count_message;
    options.log_payload = &messages;
    options.low_priority = 1;
    options.validate = getenv("FIREFINCH_TEST_VALIDATE") == NULL || strcmp(getenv("FIREFINCH_TEST_VALIDATE"), "0") != 0;
    REQUIRE(ff_engine_create(&engine, &options, &error) == FF_OK);
    CHECK(ff_engine_device(engine, &device, &error) == FF_OK && device.name);
    CHECK(ff_engine_measure(engine, &roofline, &error) == FF_OK && roofline.read_bytes_per_second > 0);
    CHECK(roofline.multiply_adds_per_second > 0 && ff_engine_measure(engine, NULL, &error) == FF_ERROR_ARGUMENT);
    models(engine, checkpoint);
    background_load(engine, checkpoint);
    engines(engine);
    self_tests(engine);
    old_structs(engine, checkpoint);
    CHECK(ff_engine_memory(engine, &memory, &error) == FF_OK);
    CHECK(memory.allocated_bytes == 0 && memory.allocations == 0); /* all that used it is gone */
    CHECK(ff_engine_validation_messages(engine, first, sizeof first) == 0);
    ff_engine_destroy(engine);
    ff_engine_destroy(NULL);
    ff_checkpoint_close(checkpoint);
    ff_checkpoint_close(NULL);
    printf("%s: %d failures\n", argv[0], failures);
    return failures != 0;
}
