/* firefinch: RWKV language models on any GPU with a Vulkan driver.
 *
 * The rules of this header
 * - C99. Every function that can fail returns an ff_status and takes a caller-owned ff_error, which may be NULL.
 *   Outputs come first and are untouched when a call fails, unless its comment says otherwise.
 * - Structs that may grow begin with `struct_size`; start from their _INIT macro. Fields are only ever appended, and a
 *   status number never changes its meaning. Structs that others contain keep their size: they have `reserved` words,
 *   which are zero.
 * - The library never prints, exits, installs a signal handler, reads the environment or throws. It keeps no global
 *   state of its own: two engines in one process are independent.
 * - Strings are UTF-8. A `const char *` in an info struct belongs to the object it was asked of and lives as long.
 * - Objects are created before and destroyed after the objects made from them: engine, model, session. Destroy
 *   functions accept NULL.
 * - Shapes are row-major, slowest axis first: L layers, S slots, T tokens, C width, H heads, N head size, V vocabulary.
 *
 * This version covers RWKV 4 to 7a. Unstable until 1.0.
 */
#ifndef FIREFINCH_H
#define FIREFINCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(FIREFINCH_SHARED)
#ifdef FIREFINCH_BUILDING
#define FF_API __declspec(dllexport)
#else
#define FF_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define FF_API __attribute__((visibility("default")))
#else
#define FF_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---------------------------------------------------------------------------------------------------- */

typedef enum ff_status {
    FF_OK = 0,
    FF_ERROR_ARGUMENT = -1,             /* something passed in is out of range */
    FF_ERROR_IO = -2,                   /* a file cannot be opened, read or written */
    FF_ERROR_MODEL_FILE = -3,           /* a file's content is damaged or inconsistent */
    FF_ERROR_UNSUPPORTED = -4,          /* understood, but this build or device cannot do it */
    FF_ERROR_OUT_OF_HOST_MEMORY = -5,
    FF_ERROR_OUT_OF_DEVICE_MEMORY = -6, /* more than the device, or the budget, has */
    FF_ERROR_NO_DEVICE = -7,            /* no Vulkan driver, or none that matches */
    FF_ERROR_DEVICE = -8,               /* a Vulkan call failed */
    FF_ERROR_DEVICE_LOST = -9,          /* the engine's objects can only be destroyed */
    FF_ERROR_CANCELLED = -10,           /* a callback asked to stop */
    FF_ERROR_INTERNAL = -11             /* a mistake of the library's own: please report the message */
} ff_status;

typedef struct ff_error {
    ff_status status;
    char message[1024]; /* one sentence: what, where, expected, found, what to do */
} ff_error;

/* Version of the library at run time, "0.1.0", and the commit it was built from ("unknown" outside a checkout). */
FF_API const char *ff_version(void);
FF_API const char *ff_commit(void);

/* level: 0 debug, 1 info, 2 warning, 3 error. May be called from any thread, of an engine from one at a time. */
typedef void (*ff_log_callback)(void *payload, int level, const char *message);
/* Long work says how far it is, in units of its stage (bytes, pipelines). Return nonzero to stop it: the call then
 * fails with FF_ERROR_CANCELLED and leaves nothing behind. */
typedef int (*ff_progress_callback)(void *payload, const char *stage, uint64_t done, uint64_t total);

/* ---- devices --------------------------------------------------------------------------------------------------- */

typedef enum ff_device_type {
    FF_DEVICE_DISCRETE = 0,
    FF_DEVICE_INTEGRATED = 1,
    FF_DEVICE_VIRTUAL = 2,
    FF_DEVICE_SOFTWARE = 3,
    FF_DEVICE_OTHER = 4
} ff_device_type;

typedef struct ff_device_info {
    uint32_t struct_size;
    const char *name, *driver, *driver_info;
    const char *uuid;        /* 32 hexadecimal digits */
    uint32_t vendor_id, device_id, driver_version, api_version;
    ff_device_type type;
    uint64_t memory_bytes;   /* of the largest device-local heap */
    const char *traits;      /* one line for people; ff_device_list_trait has each for itself */
} ff_device_info;
#define FF_DEVICE_INFO_INIT {sizeof(ff_device_info), 0, 0, 0, 0, 0, 0, 0, 0, FF_DEVICE_OTHER, 0, 0}

/* What Vulkan devices there are, best first; two drivers of one GPU are one entry. The list is a picture taken when it
 * was made. One thread at a time. */
typedef struct ff_device_list ff_device_list;
typedef struct ff_device_list_options {
    uint32_t struct_size;
    const char *profile; /* traits are shown as this profile masks them; NULL: native */
    ff_log_callback log;
    void *log_payload;
    int captured; /* 1: not this machine's devices but the one that `profile` was captured from; none if it was not */
    const char *cache_directory; /* variants are shown as its deny lists leave them; NULL: there are none */
} ff_device_list_options;
#define FF_DEVICE_LIST_OPTIONS_INIT {sizeof(ff_device_list_options), 0, 0, 0, 0, 0}

FF_API ff_status ff_device_list_create(ff_device_list **out, const ff_device_list_options *options, ff_error *error);
FF_API void ff_device_list_destroy(ff_device_list *list);
FF_API size_t ff_device_list_count(const ff_device_list *list);
FF_API ff_status ff_device_list_get(const ff_device_list *list, size_t index, ff_device_info *out, ff_error *error);
/* Which entry an engine would take for `selector` (see ff_engine_options.device). */
FF_API ff_status ff_device_list_choose(const ff_device_list *list, const char *selector, size_t *out, ff_error *error);
/* Traits and limits by name, booleans as 0 and 1; index from 0 until the call returns 0. */
FF_API int ff_device_list_trait(const ff_device_list *list, size_t device, size_t index, const char **name,
                                int64_t *value);
/* The variant of every kernel that these traits choose for f16 weights, then, of those kernels that read them, for a block
 * format: their names begin with "q4_k". Index from 0 until the call returns 0. */
FF_API int ff_device_list_variant(const ff_device_list *list, size_t device, size_t index, const char **kernel,
                                  const char **variant);
/* Why that variant, in a few words: with the same indices. */
FF_API int ff_device_list_reason(const ff_device_list *list, size_t device, size_t index, const char **reason);
/* What the device that the profile was captured from has, and this one lacks: a profile only takes away. Empty if nothing, or
 * if the profile is no device's; NULL if there is no such device. */
FF_API const char *ff_device_list_lacking(const ff_device_list *list, size_t device);
/* Variants that the device's deny list names, and why ("element 7: ..."); index from 0 until the call returns 0. */
FF_API int ff_device_list_denied(const ff_device_list *list, size_t device, size_t index, const char **variant,
                                 const char **why);
/* Trait profiles (native, floor, ..., and those of captured devices); index from 0 until the call returns 0. */
FF_API int ff_profile(size_t index, const char **name, const char **description);

/* ---- checkpoints: model files, looked at without a device --------------------------------------------------------- */

typedef struct ff_checkpoint ff_checkpoint; /* may be read by several threads at once */

typedef struct ff_model_info {
    uint32_t struct_size;
    const char *version;     /* "4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7a" */
    uint32_t layers, width, attention_width, heads, head_size, ffn_width, vocabulary;
    uint32_t rank_w, rank_a, rank_v, rank_g, rank_mix; /* low-rank sizes; 0 where the version has none */
    uint64_t parameters;
    uint64_t bytes;          /* of all tensors as stored */
    const char *container;   /* "safetensors", "pth", "gguf", "rwkv.cpp"; "synthetic": no file */
    const char *tokenizer;   /* what "auto" takes: "file" (a vocabulary in the model file), "bytes", "world", "20b", or
                                "" if nothing fits */
    int runnable;            /* 0: described, but this build cannot run the version */
} ff_model_info;
#define FF_MODEL_INFO_INIT {sizeof(ff_model_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

typedef struct ff_tensor_info {
    uint32_t struct_size;
    const char *name, *dtype;
    const uint64_t *shape; /* [rank] */
    size_t rank;
    uint64_t bytes;
} ff_tensor_info;
#define FF_TENSOR_INFO_INIT {sizeof(ff_tensor_info), 0, 0, 0, 0, 0}

/* Opens a .safetensors, .pth, .gguf or rwkv.cpp .bin file, recognised by content. Fails with FF_ERROR_IO or FF_ERROR_MODEL_FILE. */
FF_API ff_status ff_checkpoint_open(ff_checkpoint **out, const char *path, ff_error *error);
/* The same from memory that stays valid while the checkpoint lives; `name` is used in messages. */
FF_API ff_status ff_checkpoint_open_memory(ff_checkpoint **out, const char *name, const void *bytes, size_t size,
                                           ff_error *error);
/* A model of random weights in the shape of a published one, its tensors made as they are read: for measuring speed
 * without a file. The same values each time. preset: a name of ff_model_preset. weights: a type of ff_weight_type, NULL:
 * "f16"; of a block type are the layers' matrices and the head, the rest is f16. Fails with FF_ERROR_ARGUMENT, listing
 * the names there are. */
FF_API ff_status ff_checkpoint_synthetic(ff_checkpoint **out, const char *preset, const char *weights, ff_error *error);
/* Shapes of published models, "7-0.4b"; index from 0 until the call returns 0. */
FF_API int ff_model_preset(size_t index, const char **name);
FF_API void ff_checkpoint_close(ff_checkpoint *checkpoint);
/* Fails with FF_ERROR_MODEL_FILE (a tensor is missing, unknown or of another shape: the message names it) or
 * FF_ERROR_UNSUPPORTED (7b, 8). The tensors can be listed all the same. */
FF_API ff_status ff_checkpoint_info(const ff_checkpoint *checkpoint, ff_model_info *out, ff_error *error);
FF_API size_t ff_checkpoint_tensor_count(const ff_checkpoint *checkpoint);
FF_API ff_status ff_checkpoint_tensor(const ff_checkpoint *checkpoint, size_t index, ff_tensor_info *out,
                                      ff_error *error);
/* The type that a tensor is kept as when a model is loaded with these weights (see ff_model_options). *fallback, which may
 * be NULL, is 1 where its rows are no whole blocks of what it would have got. */
FF_API ff_status ff_checkpoint_loaded_type(const ff_checkpoint *checkpoint, size_t index, const char *weights,
                                           const char **type, int *fallback, ff_error *error);
/* A string the file carries about itself; NULL if there is none of that name. */
FF_API const char *ff_checkpoint_metadata(const ff_checkpoint *checkpoint, const char *key);

/**
 * Merges a LoRA adapter (RWKV-LM-LoRA and RWKV-PEFT: pairs lora_A [rank, in] and lora_B [out, rank], and whole tensors
 * that replace the checkpoint's): W + alpha / rank * B A (arXiv 2106.09685), while the checkpoint is read. May be called
 * again with another adapter.
 *
 * alpha    NULL: the factor is 1
 *
 * Not while another thread uses the checkpoint. Fails with FF_ERROR_IO, FF_ERROR_MODEL_FILE (half of a pair, a tensor
 * that the checkpoint lacks, shapes that do not fit: the message names it) or FF_ERROR_ARGUMENT; the checkpoint is then
 * as before.
 */
FF_API ff_status ff_checkpoint_merge_lora(ff_checkpoint *checkpoint, const char *path, const double *alpha,
                                          ff_error *error);

/* ---- writing checkpoints ------------------------------------------------------------------------------------------- */

typedef struct ff_tensor_type {
    const char *pattern; /* an official tensor name, in which * stands for any text: "blocks.*.att.key.weight" */
    const char *type;    /* of ff_weight_type */
} ff_tensor_type;

typedef struct ff_write_options {
    uint32_t struct_size;
    const char *container; /* "gguf" or "safetensors" */
    const char *weights;   /* "as-stored" (NULL), or a type of ff_weight_type: layers' matrices get it, the head no fewer
                              than six bits, tables 16, what is small or sensitive stays */
    const ff_tensor_type *tensor_types; /* [tensor_type_count] exceptions to that; the first pattern that fits decides */
    size_t tensor_type_count;
    const char *name;      /* of the model, in the file; NULL: the checkpoint's own, or its file's */
    const struct ff_tokenizer *tokenizer; /* gguf: a vocabulary to write along; NULL: what the checkpoint brings */
    ff_progress_callback progress;        /* in bytes */
    void *progress_payload;
} ff_write_options;
#define FF_WRITE_OPTIONS_INIT {sizeof(ff_write_options), "gguf", 0, 0, 0, 0, 0, 0, 0}

/* What was, or would be, written. Immutable. */
typedef struct ff_write_report ff_write_report;
typedef struct ff_written_tensor {
    uint32_t struct_size;
    const char *name, *from, *to; /* official name, stored type, written type */
    int fallback;                 /* 1: its rows are no whole blocks of what it would have got */
    uint64_t bytes;               /* as written */
} ff_written_tensor;
#define FF_WRITTEN_TENSOR_INIT {sizeof(ff_written_tensor), 0, 0, 0, 0, 0}

/**
 * Writes the checkpoint as another file, which appears under its name when it is complete. GGUF files of RWKV-6 and -7
 * are as llama.cpp wants them.
 *
 * path     NULL: nothing is written, only the report made
 * report   may be NULL; to be destroyed by the caller
 *
 * Fails with FF_ERROR_IO, FF_ERROR_MODEL_FILE, FF_ERROR_ARGUMENT (a type there is not, a pattern that no tensor's name
 * fits, a block type for safetensors), FF_ERROR_UNSUPPORTED (a value does not fit its type) or FF_ERROR_CANCELLED.
 */
FF_API ff_status ff_checkpoint_write(const ff_checkpoint *checkpoint, const char *path, const ff_write_options *options,
                                     ff_write_report **report, ff_error *error);
FF_API void ff_write_report_destroy(ff_write_report *report);
FF_API uint64_t ff_write_report_bytes(const ff_write_report *report); /* of the whole file */
FF_API size_t ff_write_report_count(const ff_write_report *report);
FF_API ff_status ff_write_report_tensor(const ff_write_report *report, size_t index, ff_written_tensor *out,
                                        ff_error *error);

/* ---- tokenizers -------------------------------------------------------------------------------------------------- */

typedef struct ff_tokenizer ff_tokenizer; /* immutable: any number of threads */

/* kind: "auto", "file", "bytes", "world", "20b", or the path of a vocabulary file (rwkv_vocab_v20230424.txt or a
 * tokenizer.json like 20B's). `checkpoint` (may be NULL for the others) decides for "auto" and brings the vocabulary for
 * "file". Fails with FF_ERROR_UNSUPPORTED where nothing fits, FF_ERROR_IO or FF_ERROR_MODEL_FILE. */
FF_API ff_status ff_tokenizer_create(ff_tokenizer **out, const char *kind, const ff_checkpoint *checkpoint,
                                     ff_error *error);
FF_API void ff_tokenizer_destroy(ff_tokenizer *tokenizer);
FF_API const char *ff_tokenizer_name(const ff_tokenizer *tokenizer);
FF_API uint32_t ff_tokenizer_vocabulary(const ff_tokenizer *tokenizer);

/* Tokens that mean something beside their text. */
typedef enum ff_token_role {
    FF_TOKEN_END_OF_TEXT = 0, /* ends a document: World's and 20B's 0, or what the file names */
    FF_TOKEN_END_OF_TURN = 1  /* ends a turn of a chat, where the file names one */
} ff_token_role;
/* Returns 0 if the tokenizer has no such token. */
FF_API int ff_tokenizer_special(const ff_tokenizer *tokenizer, ff_token_role role, uint32_t *id);
/* text [size] bytes -> ids. *count receives how many there are; `ids` (may be NULL) the first `capacity` of them. */
FF_API ff_status ff_tokenizer_encode(const ff_tokenizer *tokenizer, const char *text, size_t size, uint32_t *ids,
                                     size_t capacity, size_t *count, ff_error *error);
/* The bytes of one id, which may end inside a UTF-8 character. *size receives how many there are; `text` (may be NULL)
 * the first `capacity` of them, without a terminator. */
FF_API ff_status ff_tokenizer_decode(const ff_tokenizer *tokenizer, uint32_t id, char *text, size_t capacity,
                                     size_t *size, ff_error *error);

/* ---- engine: one device -------------------------------------------------------------------------------------------- */

typedef struct ff_engine ff_engine; /* any number of threads */

typedef struct ff_engine_options {
    uint32_t struct_size;
    const char *device;           /* index, part of a name, or UUID; NULL: best by type and memory */
    const char *profile;          /* traits to do without, see ff_profile; NULL: native */
    uint64_t device_memory_bytes; /* budget of device memory: what would go beyond it fails with
                                     FF_ERROR_OUT_OF_DEVICE_MEMORY; 0: what is free */
    const char *cache_directory;  /* compiled pipelines are kept here; NULL: nowhere */
    const char *shader_directory; /* compile shaders from these sources (builds with shader reload); NULL: embedded */
    int validate;                 /* Vulkan validation with synchronization validation */
    ff_log_callback log;
    void *log_payload;
    const struct ff_vulkan_device *vulkan_device; /* run on this device of the program's own (firefinch_vulkan.h); `device`
                                                     and `validate` must then be unset. NULL: make one */
    const void *pipeline_cache;   /* [pipeline_cache_size] bytes that ff_engine_pipeline_cache gave another time, used
                                     instead of the cache directory's; those of another device or driver are ignored */
    size_t pipeline_cache_size;
    uint32_t compile_threads;     /* that compile pipelines; 0: one for each processor core */
    int low_priority;             /* 1: the queue of a device made here yields to graphics and the desktop, where the driver
                                     knows priorities */
    int ignore_deny_list;         /* use variants that a self-test found wrong as well, see ff_engine_self_test */
    int no_first_test;            /* no self-test of a second at the first use of a device with a driver; there is one only
                                     with a cache directory and for vendors that firefinch has not been tried on */
    int ignore_tuning;            /* run kernels with the table's numbers, not with those of ff_engine_tune */
} ff_engine_options;
#define FF_ENGINE_OPTIONS_INIT {sizeof(ff_engine_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Fails with FF_ERROR_NO_DEVICE, FF_ERROR_ARGUMENT, FF_ERROR_UNSUPPORTED, FF_ERROR_DEVICE.
 * A variant on the device's deny list is not chosen, of which a warning is logged; where nothing can take its place, making a
 * model fails with FF_ERROR_UNSUPPORTED and names it. */
FF_API ff_status ff_engine_create(ff_engine **out, const ff_engine_options *options, ff_error *error);
FF_API void ff_engine_destroy(ff_engine *engine);
FF_API ff_status ff_engine_device(const ff_engine *engine, ff_device_info *out, ff_error *error);
/* The pipelines compiled so far, for ff_engine_options.pipeline_cache of a later start. *size receives how many bytes there
 * are (0: the driver keeps none); `data` (may be NULL) the first `capacity` of them. */
FF_API ff_status ff_engine_pipeline_cache(const ff_engine *engine, void *data, size_t capacity, size_t *size,
                                          ff_error *error);

typedef struct ff_memory_info {
    uint32_t struct_size;
    uint32_t allocations;      /* pieces of memory held now, of any kind */
    uint64_t allocated_bytes;  /* of them in device memory: never above the budget */
    uint64_t free_bytes;       /* that could still be taken, as the driver says and within the budget */
} ff_memory_info;
#define FF_MEMORY_INFO_INIT {sizeof(ff_memory_info), 0, 0, 0}
FF_API ff_status ff_engine_memory(const ff_engine *engine, ff_memory_info *out, ff_error *error);

/* What the device does at best, measured. */
typedef struct ff_roofline {
    uint32_t struct_size;
    double read_bytes_per_second;     /* of a buffer of its own memory, larger than its caches where memory allows */
    double multiply_adds_per_second;  /* float32; a multiplication and an addition are one */
    double matrix_multiply_adds_per_second; /* of float16 with float32 sums, by cooperative matrices; 0: none, or slow ones */
} ff_roofline;
#define FF_ROOFLINE_INIT {sizeof(ff_roofline), 0, 0, 0}

/* Reads a buffer of 1 GiB, or a quarter of the free memory if that is less (256 MiB with a software driver), and
 * multiplies and adds in registers: the best of several runs, by the device's clock where it has one. The results are
 * checked. To be called while nothing else uses the device; blocks for about a second. Fails with
 * FF_ERROR_OUT_OF_DEVICE_MEMORY, FF_ERROR_DEVICE (a result is wrong) or FF_ERROR_DEVICE_LOST. */
FF_API ff_status ff_engine_measure(ff_engine *engine, ff_roofline *out, ff_error *error);
/* Messages of the validation layers so far; the first one is copied to `first` (may be NULL). */
FF_API uint64_t ff_engine_validation_messages(const ff_engine *engine, char *first, size_t capacity);

/* Variants that the engine's deny list keeps it from using, "head.f16_subgroup", and why; index from 0 until the call
 * returns 0. */
FF_API int ff_engine_denied(const ff_engine *engine, size_t index, const char **variant, const char **why);

/* ---- self-test: whether a device computes rightly ------------------------------------------------------------------- */

/* What a self-test found. Immutable. */
typedef struct ff_self_test ff_self_test;

typedef struct ff_self_test_options {
    uint32_t struct_size;
    double seconds;   /* no further model is begun after this time; 0: everything is tested */
    int limits;       /* try the device's memory limits as well */
    ff_progress_callback progress; /* kernel variants, then limits */
    void *progress_payload;
} ff_self_test_options;
#define FF_SELF_TEST_OPTIONS_INIT {sizeof(ff_self_test_options), 0, 1, 0, 0}

typedef enum ff_outcome { FF_OUTCOME_PASSED = 0, FF_OUTCOME_FAILED = 1, FF_OUTCOME_NOT_TESTED = 2 } ff_outcome;

typedef struct ff_variant_result {
    uint32_t struct_size;
    const char *kernel, *variant;
    ff_outcome outcome;
    uint32_t launches;      /* that were compared */
    const char *where;      /* of the first difference: "7.0 with q4_k weights, decode step, layer 1" */
    const char *output;     /* what differs; "" where `trouble` says what happened instead */
    uint64_t element;       /* of it, the first that differs */
    double expected, found; /* by float64, by the device */
    const char *trouble;    /* "" or a sentence: no pipeline, the device was lost, something else was overwritten */
} ff_variant_result;
#define FF_VARIANT_RESULT_INIT {sizeof(ff_variant_result), 0, 0, FF_OUTCOME_NOT_TESTED, 0, 0, 0, 0, 0, 0, 0}

typedef struct ff_limit_result {
    uint32_t struct_size;
    const char *name;               /* "largest allocation" */
    uint64_t claimed_bytes;         /* by the driver */
    uint64_t tried_bytes;           /* less where so much was not free */
    int passed;
    const char *trouble;            /* "" or why not */
} ff_limit_result;
#define FF_LIMIT_RESULT_INIT {sizeof(ff_limit_result), 0, 0, 0, 0, 0}

/**
 * Runs every kernel variant that the engine's device could choose for some model, in the steps of little random models,
 * and compares what each launch leaves behind with a reference in float64. Devices of its own are made for it with the
 * engine's options; what is compiled is kept in the folder `doctor` of the cache directory. Blocks, for seconds to minutes.
 *
 * Fails with FF_ERROR_CANCELLED, or as ff_engine_create does; a device that computes wrongly is no failure of the call.
 */
FF_API ff_status ff_engine_self_test(ff_self_test **out, ff_engine *engine, const ff_self_test_options *options,
                                     ff_error *error);
FF_API void ff_self_test_destroy(ff_self_test *test);
FF_API size_t ff_self_test_variant_count(const ff_self_test *test);
FF_API ff_status ff_self_test_variant(const ff_self_test *test, size_t index, ff_variant_result *out, ff_error *error);
FF_API size_t ff_self_test_limit_count(const ff_self_test *test);
FF_API ff_status ff_self_test_limit(const ff_self_test *test, size_t index, ff_limit_result *out, ff_error *error);
/* Messages that the validation layers sent meanwhile, if the engine has them; the first is copied to `first`. */
FF_API uint64_t ff_self_test_validation_messages(const ff_self_test *test, char *first, size_t capacity);
/* Writes the device's deny list: the variants that failed, and of those denied before the ones that were not tested, for lack
 * of time or because the engine's profile leaves them out. Engines made from now on with this cache directory do without them.
 * *denied, which may be NULL, is the number of these; entries of another build's shaders stay, and do not count. Fails with
 * FF_ERROR_ARGUMENT (the engine has no cache directory) or FF_ERROR_IO. */
FF_API ff_status ff_self_test_deny(const ff_self_test *test, ff_engine *engine, size_t *denied, ff_error *error);

/* ---- tuning: the numbers that are best on a device ------------------------------------------------------------------ */

/* What was measured. Immutable. */
typedef struct ff_tuning ff_tuning;

typedef struct ff_tuning_options {
    uint32_t struct_size;
    const char *weights;           /* as in ff_model_options */
    ff_progress_callback progress; /* rounds: the model is loaded anew for each */
    void *progress_payload;
} ff_tuning_options;
#define FF_TUNING_OPTIONS_INIT {sizeof(ff_tuning_options), 0, 0, 0}

typedef struct ff_tuning_result {
    uint32_t struct_size;
    const char *key;            /* a kernel variant and a shape: "head.f16_subgroup, 65536 x 2048, staged" */
    const char *before, *after; /* the numbers of the table, and the best: "128 4" */
    double microseconds_before, microseconds_after; /* of all such launches of a step: medians */
    int better;                 /* beyond noise, and again when it was measured once more: it is kept */
    uint32_t candidates;        /* that were measured, the table's among them */
    const char *trouble;        /* "", or why what is faster is not kept: the model computes something else with it */
} ff_tuning_result;
#define FF_TUNING_RESULT_INIT {sizeof(ff_tuning_result), 0, 0, 0, 0, 0, 0, 0, 0}

/**
 * Measures what the tuning table allows for every kernel and shape of a model's decode steps, by the device's clock where its
 * queue has timestamps and else by the time of whole steps, and for its longest prompts' products by the time of a prompt. Keeps
 * what is better than the table beyond noise, and leaves the model's logits as they are but for the order of sums, for this
 * device and driver in the cache directory: models that are made with engines created from then on use it.
 *
 * To be called while nothing else uses the device. Fails as ff_model_create does, and with FF_ERROR_ARGUMENT (no cache
 * directory) or FF_ERROR_IO.
 */
FF_API ff_status ff_engine_tune(ff_tuning **out, ff_engine *engine, const ff_checkpoint *checkpoint,
                                const ff_tuning_options *options, ff_error *error);
FF_API void ff_tuning_destroy(ff_tuning *tuning);
FF_API int ff_tuning_by_timestamps(const ff_tuning *tuning);
FF_API size_t ff_tuning_count(const ff_tuning *tuning);
FF_API ff_status ff_tuning_get(const ff_tuning *tuning, size_t index, ff_tuning_result *out, ff_error *error);
/* Forgets what is kept for the device; *forgotten, which may be NULL, is how many numbers that were. */
FF_API ff_status ff_engine_forget_tuning(ff_engine *engine, size_t *forgotten, ff_error *error);

/* ---- model: weights on a device ------------------------------------------------------------------------------------- */

typedef struct ff_model ff_model; /* any number of threads */

typedef struct ff_model_options {
    uint32_t struct_size;
    const char *weights;   /* "as-stored" (NULL), or a type of ff_weight_type: matrices whose rows are not whole
                              blocks of it, low-rank ones and the embedding stay as they are */
    uint32_t max_sessions; /* sessions there can be at once; 0: 4 */
    ff_progress_callback progress;
    void *progress_payload;
    uint64_t state_memory_bytes; /* device memory for sessions' states: as many as fit are kept there, at least one, and
                                    two for the library's own use; the others wait in host memory (see
                                    ff_session_evict). 0: room for max_sessions */
} ff_model_options;
#define FF_MODEL_OPTIONS_INIT {sizeof(ff_model_options), 0, 0, 0, 0, 0}

/* Types that weights can be kept as ("f32", "f16", "bf16", "q8_0", ...); index from 0 until the call returns 0. */
FF_API int ff_weight_type(size_t index, const char **name);

/* Uploads the weights, compiles the pipelines and records the command buffer of a decode step. The checkpoint may be
 * closed afterwards. Fails with FF_ERROR_UNSUPPORTED (a version this build cannot run), FF_ERROR_MODEL_FILE,
 * FF_ERROR_OUT_OF_DEVICE_MEMORY (checked before anything is allocated) or FF_ERROR_CANCELLED. */
FF_API ff_status ff_model_create(ff_model **out, ff_engine *engine, const ff_checkpoint *checkpoint,
                                 const ff_model_options *options, ff_error *error);
FF_API void ff_model_destroy(ff_model *model);

/* A model that is loaded in the background, by a thread of its own: for a program that goes on drawing meanwhile. One
 * thread at a time. */
typedef struct ff_model_load ff_model_load;
typedef struct ff_load_progress {
    uint32_t struct_size;
    int finished;            /* 1: ff_model_load_finish gives the model at once */
    const char *stage;       /* "loading weights", then "compiling pipelines" where some are left; a literal */
    uint64_t done, total;    /* of the stage: bytes as stored, or pipelines */
} ff_load_progress;
#define FF_LOAD_PROGRESS_INIT {sizeof(ff_load_progress), 0, 0, 0, 0}

/* Arguments and failures are those of ff_model_create, most of which come from ff_model_load_step. The checkpoint may be
 * closed at once; memory that it was opened on must stay. options->progress is called on the loading thread. */
FF_API ff_status ff_model_load_create(ff_model_load **out, ff_engine *engine, const ff_checkpoint *checkpoint,
                                      const ff_model_options *options, ff_error *error);
/* Lets `bytes` more of the weights, as stored, be uploaded, and returns without waiting. They go in pieces of at most 1 MiB
 * (a row, where that is more); a piece that was begun is completed. Conversion of a piece is shared out to all processor
 * cores. Pipelines are compiled without regard to steps, by ff_engine_options.compile_threads threads. Fails with what the
 * load has failed with, again each time. out may be NULL. */
FF_API ff_status ff_model_load_step(ff_model_load *load, uint64_t bytes, ff_load_progress *out, ff_error *error);
/* Lifts the limit, waits until all is loaded, and hands over the model, once. The load is still to be destroyed. */
FF_API ff_status ff_model_load_finish(ff_model **out, ff_model_load *load, ff_error *error);
/* At any time: what was loaded is given back, after the piece or the pipelines that are under way. */
FF_API void ff_model_load_destroy(ff_model_load *load);

FF_API ff_status ff_model_info_get(const ff_model *model, ff_model_info *out, ff_error *error);

typedef struct ff_model_statistics {
    uint32_t struct_size;
    uint64_t device_bytes;        /* weights, states, scratch */
    uint64_t bytes_read_per_token;/* weights and state a decode step must move */
    uint32_t launches_per_token, barriers_per_token;
    uint32_t recordings;          /* how often a decode step's command buffer was recorded */
    uint32_t pipelines;           /* of a decode step */
    int pipeline_cache_hit;       /* the cache of this device and driver had them, as far as its size tells */
    double load_seconds, pipeline_seconds; /* pipelines are made while weights are loaded */
    uint64_t slice_bytes;         /* that sessions which run in slices work in, or the next ones will */
    uint32_t resident_sessions;   /* sessions whose states can be on the device at once */
    uint64_t states_in, states_out; /* how often a session's state came back from host memory, and went there */
    uint32_t tuned_launches;      /* of a decode step, with numbers that ff_engine_tune measured */
    uint32_t tunable_launches;    /* of a decode step, for which it could */
    uint64_t submissions;         /* calls of vkQueueSubmit since the model was made */
    uint64_t launches;            /* that these replayed, but for sessions that run in slices */
    uint64_t tuned_replayed, tunable_replayed; /* of `launches`, prompts and batches included: those with numbers that
                                                  ff_engine_tune measured, and those that have any to choose */
} ff_model_statistics;
#define FF_MODEL_STATISTICS_INIT {sizeof(ff_model_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
FF_API ff_status ff_model_statistics_get(const ff_model *model, ff_model_statistics *out, ff_error *error);

/* One launch of the recorded decode step. */
typedef struct ff_launch_info {
    uint32_t struct_size;
    const char *kernel, *variant;
    int32_t layer;                   /* -1: before, after or between layers */
    const char *const *reads;        /* [read_count] tensors and buffers, by name */
    size_t read_count;
    const char *const *writes;       /* [write_count] */
    size_t write_count;
    uint64_t bytes;                  /* that it must move */
    int barrier_before;
    uint32_t groups[3];
} ff_launch_info;
#define FF_LAUNCH_INFO_INIT {sizeof(ff_launch_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0, 0}}
FF_API size_t ff_model_launch_count(const ff_model *model);
FF_API ff_status ff_model_launch(const ff_model *model, size_t index, ff_launch_info *out, ff_error *error);

/* What one session of a model takes: the same however much it has read. */
typedef struct ff_session_bytes {
    uint32_t struct_size;
    uint64_t device_bytes;   /* of a session on the device: what ff_model_options.state_memory_bytes is cut into */
    uint64_t control_bytes;  /* of any session, in memory that device and host share */
    uint64_t host_bytes;     /* of a session whose state is in host memory */
    uint64_t snapshot_bytes; /* ff_snapshot_bytes, when something was read */
    uint64_t file_bytes;     /* of ff_session_save and ff_snapshot_encode, when something was read */
} ff_session_bytes;
#define FF_SESSION_BYTES_INIT {sizeof(ff_session_bytes), 0, 0, 0, 0, 0}
/* Needs no device. Fails as ff_checkpoint_info does. */
FF_API ff_status ff_checkpoint_session_bytes(const ff_checkpoint *checkpoint, ff_session_bytes *out, ff_error *error);

/* ---- session: one conversation's state -------------------------------------------------------------------------------- */

/* One thread at a time; sessions of one model may be used from different threads, and take turns on the device. */
typedef struct ff_session ff_session;

/* The zero state, which takes no place on the device yet. Fails with FF_ERROR_OUT_OF_DEVICE_MEMORY when max_sessions are
 * in use. */
FF_API ff_status ff_session_create(ff_session **out, ff_model *model, ff_error *error);
FF_API void ff_session_destroy(ff_session *session); /* waits for what it has submitted */
FF_API ff_status ff_session_reset(ff_session *session, ff_error *error); /* back to the zero state */
/* A session of the same model that goes on from where this one is, and shares nothing with it: one copy, on the device
 * where that has room, else in host memory. Fails as ff_session_create does. */
FF_API ff_status ff_session_fork(ff_session **out, ff_session *session, ff_error *error);

/* How many tokens of a prompt are read in one step: 0 lets the library choose (the default), 1 reads one after the other,
 * as generation does. Results agree within the rounding of float32. */
FF_API ff_status ff_session_set_chunk(ff_session *session, uint32_t tokens, ff_error *error);

/**
 * Reads `count` tokens into the session's state.
 *
 * tokens   [count] ids, each below the model's vocabulary
 * logits   [V] float32 after the last token, unnormalised; may be NULL
 *
 * Blocks until the device has finished. Fails with FF_ERROR_ARGUMENT (an id is out of range, or count is 0: nothing was
 * read) or FF_ERROR_DEVICE_LOST.
 */
FF_API ff_status ff_session_prefill(ff_session *session, const uint32_t *tokens, size_t count, float *logits,
                                    ff_error *error);
/* The same with the logits after every token: logits [count, V]. */
FF_API ff_status ff_session_evaluate(ff_session *session, const uint32_t *tokens, size_t count, float *logits,
                                     ff_error *error);

typedef struct ff_logit_bias {
    uint32_t token;
    float bias; /* added to the token's logit; finite */
} ff_logit_bias;

/* In this order: bias, penalties, temperature, top_k, typical_p, top_p, min_p. A tie with the last token kept is kept. */
typedef struct ff_sampling {
    uint32_t struct_size;
    float temperature;       /* 0: the most probable token, lowest id on a tie */
    uint32_t top_k;          /* 0: all */
    float top_p;             /* 1: all; the smallest set of tokens whose probability reaches top_p */
    float presence;          /* subtracted from the logit of every token that was produced before */
    float frequency;         /* times the token's decayed count, subtracted as well */
    float penalty_decay;     /* what a count is multiplied by at each produced token; 1: counts never fade */
    uint64_t seed;           /* same seed, same device, same build: same tokens */
    float min_p;             /* 0: all; tokens at least min_p times as probable as the most probable one */
    float typical_p;         /* 1: all; the smallest set of tokens that reaches this probability, those first whose
                                information is closest to the distribution's entropy (arXiv 2202.00666) */
    const ff_logit_bias *logit_bias; /* [logit_bias_count], at most 256; of a token named twice the sum */
    size_t logit_bias_count;
    uint64_t reserved[4];
} ff_sampling;
#define FF_SAMPLING_INIT {sizeof(ff_sampling), 1.0f, 0, 1.0f, 0.0f, 0.0f, 0.996f, 0, 0.0f, 1.0f, 0, 0, {0, 0, 0, 0}}

typedef enum ff_stop_reason { FF_STOP_LIMIT = 0, FF_STOP_TOKEN = 1, FF_STOP_CALLBACK = 2 } ff_stop_reason;

/* Called for each produced token, in order, on the calling thread. Return nonzero to stop after this one. */
typedef int (*ff_token_callback)(void *payload, uint32_t token);

typedef struct ff_generate_options {
    uint32_t struct_size;
    uint64_t count;              /* tokens to produce at most, 1 or more */
    ff_sampling sampling;
    const uint32_t *stop_tokens; /* [stop_token_count], at most 16; the one that stops is not delivered */
    size_t stop_token_count;
    uint32_t in_flight;          /* decode steps submitted ahead of the one being delivered; 0: the library's choice */
    ff_token_callback on_token;  /* may be NULL */
    void *payload;
    uint64_t reserved[4];
} ff_generate_options;
#define FF_GENERATE_OPTIONS_INIT {sizeof(ff_generate_options), 256, FF_SAMPLING_INIT, 0, 0, 0, 0, 0, {0, 0, 0, 0}}

typedef struct ff_generate_result {
    uint32_t struct_size;
    uint64_t produced;           /* tokens delivered */
    ff_stop_reason reason;
    double seconds;              /* from the call to the last token */
    uint64_t steps;              /* decode steps submitted */
    uint64_t submissions;        /* calls of vkQueueSubmit */
    double host_seconds;         /* processor time of this thread outside waiting and the callback */
} ff_generate_result;
#define FF_GENERATE_RESULT_INIT {sizeof(ff_generate_result), 0, FF_STOP_LIMIT, 0, 0, 0, 0}

/**
 * Produces tokens from the state: samples from the logits after the last token read, feeds the sample back, and so on,
 * all on the device. When it returns, the state has read every delivered token and nothing else (a stop token that
 * ended it was not read), so prefill, generate and save go on from there.
 *
 * Fails with FF_ERROR_ARGUMENT when nothing was read yet (there are no logits to sample from), count is 0, or a
 * sampling value is out of range. out may be NULL.
 */
FF_API ff_status ff_session_generate(ff_session *session, const ff_generate_options *options, ff_generate_result *out,
                                     ff_error *error);

/* ---- batch: many sessions in one step ---------------------------------------------------------------------------------- */

/* One thread at a time, which may not use its model's other sessions from a callback. */
typedef struct ff_batch ff_batch;

/* Steps for up to max_sessions (at most 128) sessions, of which each reads a token of every session that generates, and
 * prompts besides: compiles and records them, and allocates what they work in. Fails with FF_ERROR_ARGUMENT or
 * FF_ERROR_OUT_OF_DEVICE_MEMORY. */
FF_API ff_status ff_batch_create(ff_batch **out, ff_model *model, uint32_t max_sessions, ff_error *error);
/* Removes the sessions that have not ended, as ff_batch_remove does: their on_end is not called. */
FF_API void ff_batch_destroy(ff_batch *batch);

typedef struct ff_batch_request {
    uint32_t struct_size;
    const uint32_t *tokens;       /* [token_count] read first; copied. May be none where the session has read before */
    size_t token_count;
    ff_generate_options generate; /* in_flight is not used */
    /* Called when the session has ended, from ff_batch_run with generate.payload; may be NULL. Of the result, seconds,
     * submissions and host_seconds are 0: they are the batch's. */
    void (*on_end)(void *payload, const ff_generate_result *result);
} ff_batch_request;
#define FF_BATCH_REQUEST_INIT {sizeof(ff_batch_request), 0, 0, FF_GENERATE_OPTIONS_INIT, 0}

/* Lets a session take part, from the next step on until it has ended; meanwhile it cannot be used otherwise. A session
 * that is destroyed meanwhile goes when it has ended. Fails with FF_ERROR_ARGUMENT as ff_session_prefill and
 * ff_session_generate do, and when the batch is full, or the session is in one or of another model. */
FF_API ff_status ff_batch_add(ff_batch *batch, ff_session *session, const ff_batch_request *request, ff_error *error);
/* Ends a session's part between two runs: it has read what was delivered, or a part of its prompt. out may be NULL. */
FF_API ff_status ff_batch_remove(ff_batch *batch, ff_session *session, ff_generate_result *out, ff_error *error);

typedef struct ff_batch_progress {
    uint32_t struct_size;
    uint32_t active;         /* sessions that have not ended */
    uint64_t steps;          /* of this run, as all that follows */
    uint64_t prompt_tokens;  /* read */
    uint64_t produced;       /* tokens delivered, of all sessions */
    uint64_t submissions, launches;
    double seconds, host_seconds;
} ff_batch_progress;
#define FF_BATCH_PROGRESS_INIT {sizeof(ff_batch_progress), 0, 0, 0, 0, 0, 0, 0, 0}

/**
 * Runs until every session has ended, or for `steps` steps (0: no limit). A session's tokens are those it would produce
 * alone: which others take part changes at most the rounding of its logits (by the number of sessions, and where a
 * prompt is read in the same step).
 *
 * Fails with FF_ERROR_DEVICE_LOST. out may be NULL.
 */
FF_API ff_status ff_batch_run(ff_batch *batch, uint64_t steps, ff_batch_progress *out, ff_error *error);

/* ---- slices: a session that runs a little every frame ------------------------------------------------------------------ */

/* docs/embedding.md is the guide. In short: ff_session_start says what to read and generate, ff_session_advance submits as
 * much of it as fits into a budget of device time and does not wait for the device, and ff_session_poll gives what has
 * come of it. A slice ends between any two launches, also inside a token, and the next goes on there. Any number of
 * sessions may run at once, and be advanced in any order: each has its own memory for what is half done.
 *
 * While a session runs, ff_session_prefill, _evaluate, _generate, _profile, _fork, _reset, _restore, _save, _load and
 * ff_snapshot_create, and batches, fail with FF_ERROR_ARGUMENT; when it is idle again, its state has read the prompt and
 * every token produced, and nothing else. */

#define FF_BUDGET_UNLIMITED UINT64_MAX

typedef enum ff_run_state {
    FF_RUN_IDLE = 0,       /* nothing is begun, or all of it is over */
    FF_RUN_READING = 1,    /* a prompt */
    FF_RUN_GENERATING = 2,
    FF_RUN_ENDING = 3      /* cancelled: what the device has begun is read to its end */
} ff_run_state;

/**
 * Begins a run: reads `tokens`, then generates. Nothing is submitted yet. The same tokens come as from ff_session_prefill
 * and ff_session_generate.
 *
 * tokens     [count] copied; may be none where the session has read before
 * generate   NULL: the prompt is read and that is all. With on_token, which ff_session_advance, _poll and _wait call on
 *            their thread, the next token is begun when the callback has returned for the last one, so that it can stop
 *            exactly there; a call then produces one token at most, and ff_session_poll none. Without, up to in_flight
 *            tokens are submitted beyond those that the host has seen.
 *
 * Allocates what the session works in, unless a run that is over has left it: activations of a step (ff_model_statistics.
 * slice_bytes says how much all have), and those of a chunk of prompt where `tokens` are many; a model's first long prompt
 * compiles pipelines as well. Fails with FF_ERROR_OUT_OF_DEVICE_MEMORY, or FF_ERROR_ARGUMENT as ff_session_prefill and
 * ff_session_generate do, and where a run that was not cancelled is not over: nothing has changed then. One that was is
 * waited for.
 */
FF_API ff_status ff_session_start(ff_session *session, const uint32_t *tokens, size_t count,
                                  const ff_generate_options *generate, ff_error *error);

typedef struct ff_slice_progress {
    uint32_t struct_size;
    ff_run_state state;
    uint64_t slice;         /* number of the slice that this call made, from 1 in each run; 0: none */
    uint32_t launches;      /* in it */
    uint32_t next_launch;   /* of the step that it ended in; 0: it ended with a step */
    uint32_t step_launches; /* that this step has */
    uint32_t finished;      /* slices that have finished since the last call */
    double expected_us;     /* that this slice will take, as far as is known */
    double finished_us;     /* that the finished ones took of the device, together; 0: not measured */
    double longest_us;      /* that the longest of them took */
    uint64_t prompt_read;   /* tokens of the prompt, read by finished slices */
    uint64_t produced;      /* tokens that can be, or were, polled */
    ff_stop_reason reason;  /* when the run is over; FF_STOP_CALLBACK: by a callback or ff_session_cancel */
} ff_slice_progress;
#define FF_SLICE_PROGRESS_INIT {sizeof(ff_slice_progress), FF_RUN_IDLE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, FF_STOP_LIMIT}

/**
 * Submits the next launches of the run that together should take no more than `budget_us` of the device's time, one at
 * least. Does not wait for the device, unless that has no timestamps: then some slices are waited for, to learn what they
 * take. Submits nothing where the budget is 0, four slices are unfinished, or the next step waits for tokens to come.
 *
 * How long launches take is measured while they run, for all sessions of a model together: the first slices are short.
 * With FF_BUDGET_UNLIMITED, calls in turn with ff_session_wait run as fast as ff_session_generate.
 *
 * Fails with FF_ERROR_DEVICE_LOST; after another failure the session can be reset or restored. out may be NULL.
 */
FF_API ff_status ff_session_advance(ff_session *session, uint64_t budget_us, ff_slice_progress *out, ff_error *error);

/* The tokens produced since the last call, at most `capacity`; *count receives how many. Never waits. They stay until the
 * next start. */
FF_API ff_status ff_session_poll(ff_session *session, uint32_t *tokens, size_t capacity, size_t *count, ff_error *error);
/* The same as text [size] bytes, without a terminator; whole characters, as far as the tokens are UTF-8. Use one of both. */
FF_API ff_status ff_session_poll_text(ff_session *session, const ff_tokenizer *tokenizer, char *text, size_t capacity,
                                      size_t *size, ff_error *error);

/* Waits until the oldest unfinished slice has finished, if there are two or nothing more can be submitted before. For tools
 * and tests: calls in turn with ff_session_advance keep the device busy and end. */
FF_API ff_status ff_session_wait(ff_session *session, ff_error *error);

/* Ends the run without waiting. What the device has begun (the rest of a token, or of a chunk of prompt) is read to its
 * end by further calls of ff_session_advance, until the state is FF_RUN_IDLE; or at once by the next call that needs the
 * session idle, which waits. The state is then that after the last whole token: it has read `prompt_read` tokens of the
 * prompt and all tokens that can be, or were, polled. Does nothing where nothing runs. */
FF_API ff_status ff_session_cancel(ff_session *session, ff_error *error);

/* What the launches of a decode step cost, by kernel. Immutable. */
typedef struct ff_profile_report ff_profile_report;
typedef struct ff_kernel_cost {
    uint32_t struct_size;
    const char *kernel, *variant;
    uint32_t calls_per_token;
    double microseconds; /* of all these calls together, by the device's clock: the median over the steps */
    uint64_t bytes;      /* that they must move, together */
} ff_kernel_cost;
#define FF_KERNEL_COST_INIT {sizeof(ff_kernel_cost), 0, 0, 0, 0, 0}

/**
 * Generates `steps` tokens (greedily) with a timestamp after every launch. Launches that could overlap are timed one
 * after the other, and each time holds the gap before the launch: the sum is more than a step takes without timestamps.
 *
 * The session is afterwards as before. Fails with FF_ERROR_ARGUMENT (steps is 0, or more than 65536), FF_ERROR_UNSUPPORTED
 * (the device's compute queue has no timestamps) or FF_ERROR_DEVICE_LOST.
 */
FF_API ff_status ff_session_profile(ff_profile_report **out, ff_session *session, uint32_t steps, ff_error *error);
FF_API void ff_profile_report_destroy(ff_profile_report *report);
/* In the order in which the step first launches them. */
FF_API size_t ff_profile_report_count(const ff_profile_report *report);
FF_API ff_status ff_profile_report_kernel(const ff_profile_report *report, size_t index, ff_kernel_cost *out,
                                          ff_error *error);

/* The state as a safetensors file (docs/state.md), written to a temporary file and renamed. */
FF_API ff_status ff_session_save(ff_session *session, const char *path, ff_error *error);
/* Such a file, or a state-tuned .pth or .safetensors (blocks.N.att.time_state [H, N, N] for every layer; versions 5 to
 * 7a), after which nothing was read yet. Fails with FF_ERROR_MODEL_FILE when the file holds the state of another version
 * or shape, naming both: the session is as before the call. */
FF_API ff_status ff_session_load(ff_session *session, const char *path, ff_error *error);

/* Where a session's state is. Under ff_model_options.state_memory_bytes there can be more sessions than the device has
 * room for: a session that is used comes to the device by itself, and the one that was not used for longest goes to host
 * memory for it. It goes on with the same bits. These two say beforehand who will be used next, and who will not be for
 * some time. A session in a batch, or that runs in slices, stays on the device.
 *
 * ff_session_prefetch: starts bringing the state to the device; waits only where another one has to leave. Fails with
 * FF_ERROR_OUT_OF_DEVICE_MEMORY when all that are there are in batches or run in slices.
 * ff_session_evict: takes it to host memory, and waits for that. Fails with FF_ERROR_OUT_OF_HOST_MEMORY.
 * Both fail with FF_ERROR_ARGUMENT for a session in a batch or that runs in slices, or FF_ERROR_DEVICE_LOST; the state is
 * then where it was. */
FF_API ff_status ff_session_prefetch(ff_session *session, ff_error *error);
FF_API ff_status ff_session_evict(ff_session *session, ff_error *error);
FF_API int ff_session_resident(const ff_session *session); /* 1: on the device */

/* A session's state in host memory: what a step back, or a save game, needs. Immutable, and independent of the session,
 * model and engine it came from. Any session of a model of the same version, shape and vocabulary takes it, any number of
 * times: on another device, or of other weight types. */
typedef struct ff_snapshot ff_snapshot;
FF_API ff_status ff_snapshot_create(ff_snapshot **out, ff_session *session, ff_error *error);
FF_API void ff_snapshot_destroy(ff_snapshot *snapshot);
FF_API uint64_t ff_snapshot_bytes(const ff_snapshot *snapshot);
/* Fails with FF_ERROR_ARGUMENT when the snapshot is of a model of another version or shape. */
FF_API ff_status ff_session_restore(ff_session *session, const ff_snapshot *snapshot, ff_error *error);
/* The file that ff_session_save writes, into memory: for a save game of the caller's own. *size receives how many bytes
 * it has; `bytes` (may be NULL) the first `capacity` of them. */
FF_API ff_status ff_snapshot_encode(const ff_snapshot *snapshot, void *bytes, size_t capacity, size_t *size,
                                    ff_error *error);
/* What ff_session_load takes, from memory, for sessions of such a model. Fails as that does. */
FF_API ff_status ff_snapshot_decode(ff_snapshot **out, const ff_model *model, const void *bytes, size_t size,
                                    ff_error *error);

#ifdef __cplusplus
}
#endif

#endif
