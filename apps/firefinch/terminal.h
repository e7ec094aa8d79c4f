// What the program says beside its result: notes, progress and colour on stderr, and the signals of a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace program {

// The first Ctrl-C only sets a flag, the second ends the program; writing to a closed pipe is an error, not a signal.
void install_signal_handlers();
bool interrupted();
// What Ctrl-C was pressed for has ended, and the program goes on.
void forget_interrupt();

class Terminal {
  public:
    Terminal(bool quiet, bool verbose, bool colour);
    ~Terminal(); // a bar that is still there is wiped away
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;

    bool verbose() const { return verbose_; }
    bool speaks() const { return speaks_; }
    // Notes are for people: only on a terminal unless -v, and never with -q.
    void note(std::string_view line);
    // What the user asked to be told, and warnings: also where stderr is no terminal, but not with -q.
    void tell(std::string_view text);
    // What went wrong while the program goes on; always.
    void complain(std::string_view sentence);
    // A part of a text that goes on on standard output, in a fainter colour. Only where both are the same terminal.
    void echo(std::string_view text);
    // A bar on a terminal; elsewhere, with -v, one line when a stage is complete.
    void progress(std::string_view stage, std::uint64_t done, std::uint64_t total);
    void end_progress();

    // Payloads of the C API's callbacks; the progress callback stops the work once Ctrl-C was pressed.
    static void log_callback(void *terminal, int level, const char *message);
    static int progress_callback(void *terminal, const char *stage, std::uint64_t done, std::uint64_t total);

  private:
    void wipe_bar(); // with the mutex held

    const bool quiet_, verbose_, on_terminal_, speaks_, colour_;
    std::mutex mutex_; // the library logs from any thread
    bool bar_drawn_ = false;
    std::chrono::steady_clock::time_point bar_time_{};
    std::string finished_stage_;
};

} // namespace program
