#include <firefinch/firefinch.h>

#include <stdio.h>

int main(int argc, char **argv) {
    ff_checkpoint *checkpoint = NULL;
    ff_model_info info = FF_MODEL_INFO_INIT;
    ff_error error;
    if (argc != 2 || ff_checkpoint_open(&checkpoint, argv[1], &error) != FF_OK ||
        ff_checkpoint_info(checkpoint, &info, &error) != FF_OK) {
        fprintf(stderr, "%s\n", argc != 2 ? "one model, please" : error.message);
        return 1;
    }
    printf("%s %s\n", ff_version(), info.tokenizer);
    ff_checkpoint_close(checkpoint);
    return 0;
}
