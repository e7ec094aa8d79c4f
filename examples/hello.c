/* hello MODEL [TEXT]: loads a model, reads a text and prints what comes next. */
#include <firefinch/firefinch.h>

#include <stdio.h>
#include <string.h>

static int print(void *tokenizer, uint32_t token) {
    char text[256];
    size_t size = 0;
    if (ff_tokenizer_decode(tokenizer, token, text, sizeof text, &size, NULL) != FF_OK) return 1;
    return fwrite(text, 1, size, stdout) != size;
}

int main(int argc, char **argv) {
    const char *prompt = argc > 2 ? argv[2] : "Once upon a time";
    ff_checkpoint *file = NULL;
    ff_tokenizer *tokenizer = NULL;
    ff_engine *engine = NULL;
    ff_model *model = NULL;
    ff_session *session = NULL;
    ff_generate_options options = FF_GENERATE_OPTIONS_INIT;
    ff_error error;
    uint32_t ids[1024];
    size_t count = 0;
    int failed = argc < 2 || ff_checkpoint_open(&file, argv[1], &error) ||
                 ff_tokenizer_create(&tokenizer, "auto", file, &error) || ff_engine_create(&engine, NULL, &error) ||
                 ff_model_create(&model, engine, file, NULL, &error) || ff_session_create(&session, model, &error) ||
                 ff_tokenizer_encode(tokenizer, prompt, strlen(prompt), ids, 1024, &count, &error) ||
                 ff_session_prefill(session, ids, count < 1024 ? count : 1024, NULL, &error);
    options.count = 64;
    options.on_token = print;
    options.payload = tokenizer;
    failed = failed || ff_session_generate(session, &options, NULL, &error);
    if (failed) fprintf(stderr, "%s\n", argc < 2 ? "usage: hello MODEL [TEXT]" : error.message);
    ff_session_destroy(session);
    ff_model_destroy(model);
    ff_engine_destroy(engine);
    ff_tokenizer_destroy(tokenizer);
    ff_checkpoint_close(file);
    return failed;
}
