/* The demo model's file, byte for byte. FIREFINCH_DEMO_MODEL is its path, set by CMake. */
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
    .globl SYMBOL(firefinch_demo_model)
    .globl SYMBOL(firefinch_demo_model_end)
    .balign 64
SYMBOL(firefinch_demo_model):
    .incbin FIREFINCH_DEMO_MODEL
SYMBOL(firefinch_demo_model_end):
    .byte 0
#if defined(__ELF__)
    .section .note.GNU-stack,"",%progbits
#endif
