/* The packed vocabularies, byte for byte. The paths are set by CMake. */
#if defined(__APPLE__)
#define SYMBOL(name) _##name
    .section __TEXT,__const
#else
#define SYMBOL(name) name
#if defined(_WIN32)
    .section .rdata,"dr"
#else
    .section .rodata
#endif
#endif
#if defined(__ELF__)
#define PRIVATE(name) .hidden name
#elif defined(__APPLE__)
#define PRIVATE(name) .private_extern SYMBOL(name)
#else
#define PRIVATE(name)
#endif
    .globl SYMBOL(firefinch_world_vocabulary)
    .globl SYMBOL(firefinch_world_vocabulary_end)
    .globl SYMBOL(firefinch_20b_vocabulary)
    .globl SYMBOL(firefinch_20b_vocabulary_end)
    PRIVATE(firefinch_world_vocabulary)
    PRIVATE(firefinch_world_vocabulary_end)
    PRIVATE(firefinch_20b_vocabulary)
    PRIVATE(firefinch_20b_vocabulary_end)
    .balign 64
SYMBOL(firefinch_world_vocabulary):
    .incbin FIREFINCH_WORLD_VOCABULARY
SYMBOL(firefinch_world_vocabulary_end):
    .byte 0
    .balign 64
SYMBOL(firefinch_20b_vocabulary):
    .incbin FIREFINCH_20B_VOCABULARY
SYMBOL(firefinch_20b_vocabulary_end):
    .byte 0
#if defined(__ELF__)
    .section .note.GNU-stack,"",%progbits
#endif
