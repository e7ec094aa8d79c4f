// Processor time of the calling thread, for honest host figures: waiting for the device costs none.
#pragma once

namespace ff::engine {

double thread_seconds();

} // namespace ff::engine
