#include <firefinch/firefinch.hpp>

#include <cstdio>

int main(int argc, char **argv) {
    try {
        firefinch::Checkpoint("no such file");
    } catch (const firefinch::Error &error) {
        if (argc != 2 || error.status() != FF_ERROR_IO) return 1;
    }
    const firefinch::Checkpoint checkpoint(argv[1]);
    std::printf("%s %s\n", ff_version(), checkpoint.info().tokenizer);
}
