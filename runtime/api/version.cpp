#include "runtime/include/firefinch/firefinch.h"

const char *ff_version(void) {
    return FIREFINCH_VERSION;
}
const char *ff_commit(void) {
    return FIREFINCH_COMMIT;
}
