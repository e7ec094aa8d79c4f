/* What the files of c_api_test share. */
#ifndef FIREFINCH_API_TESTS_H
#define FIREFINCH_API_TESTS_H

#include <firefinch/firefinch.h>

extern int failures;
extern ff_error error;

void check(int holds, const char *what, int line);
#define CHECK(what) check((what), #what, __LINE__)
#define REQUIRE(what)                                                                                                  \
    do {                                                                                                               \
        CHECK(what);                                                                                                   \
        if (failures) return 1;                                                                                        \
    } while (0)

#define REQUIRE_VOID(what)                                                                                             \
    do {                                                                                                               \
        CHECK(what);                                                                                                   \
        if (failures) return;                                                                                          \
    } while (0)

void old_structs(ff_engine *engine, const ff_checkpoint *checkpoint);

#endif
