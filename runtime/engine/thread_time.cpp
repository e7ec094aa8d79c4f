#include "runtime/engine/thread_time.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <ctime>
#endif

namespace ff::engine {

double thread_seconds() {
#ifdef _WIN32
    FILETIME created, exited, kernel, user;
    if (!GetThreadTimes(GetCurrentThread(), &created, &exited, &kernel, &user)) return 0;
    const auto ticks = [](const FILETIME &t) {
        return double(t.dwHighDateTime) * 4294967296.0 + double(t.dwLowDateTime);
    };
    return (ticks(kernel) + ticks(user)) * 1e-7;
#else
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#endif
}

} // namespace ff::engine
