#include "terminal.h"

#include "failure.h"
#include "system.h"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>

#include <fmt/format.h>

namespace program {
namespace {

volatile std::sig_atomic_t interrupt_seen = 0;

void on_interrupt(int) {
    interrupt_seen = 1;
}

constexpr int kWarning = 2; // of the library's log levels: 0 debug, 1 info, 2 warning, 3 error

} // namespace

void install_signal_handlers() {
    install_interrupt_handler(on_interrupt);
}

bool interrupted() {
    return interrupt_seen != 0;
}

void forget_interrupt() {
    interrupt_seen = 0;
    install_signal_handlers(); // the handler went with the signal
}

Terminal::Terminal(bool quiet, bool verbose, bool colour)
    : quiet_(quiet), verbose_(verbose), on_terminal_(is_terminal(Stream::error)),
      speaks_(!quiet && (on_terminal_ || verbose)), colour_(colour && on_terminal_) {}

Terminal::~Terminal() {
    end_progress();
}

void Terminal::wipe_bar() {
    if (bar_drawn_) fmt::print(stderr, "\r\x1b[K");
    bar_drawn_ = false;
}

void Terminal::note(std::string_view line) {
    if (!speaks_) return;
    const std::lock_guard lock(mutex_);
    wipe_bar();
    fmt::print(stderr, "{}\n", line);
}

void Terminal::tell(std::string_view text) {
    if (quiet_) return;
    const std::lock_guard lock(mutex_);
    wipe_bar();
    fmt::print(stderr, "{}\n", text);
}

void Terminal::complain(std::string_view sentence) {
    const std::lock_guard lock(mutex_);
    wipe_bar();
    fmt::print(stderr, "firefinch: {}\n", printable(sentence));
}

void Terminal::echo(std::string_view text) {
    if (!speaks_ || !on_terminal_ || !is_terminal(Stream::output)) return;
    const std::lock_guard lock(mutex_);
    wipe_bar();
    fmt::print(stderr, "{}{}{}", colour_ ? "\x1b[2m" : "", text, colour_ ? "\x1b[0m" : "");
}

void Terminal::progress(std::string_view stage, std::uint64_t done, std::uint64_t total) {
    if (!speaks_ || total == 0) return;
    const std::lock_guard lock(mutex_);
    if (!on_terminal_) {
        if (done < total || stage == finished_stage_) return;
        finished_stage_ = stage;
        fmt::print(stderr, "{}: done\n", stage);
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (done < total && now - bar_time_ < std::chrono::milliseconds(50)) return;
    bar_time_ = now;
    bar_drawn_ = true;
    constexpr std::size_t kCells = 30;
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<std::size_t>(part * static_cast<double>(kCells));
    fmt::print(stderr, "\r\x1b[K{:<12} [{:#<{}}{:.<{}}] {:3.0f} %", stage, "", full, "", kCells - full, part * 100);
}

void Terminal::end_progress() {
    const std::lock_guard lock(mutex_);
    wipe_bar();
    finished_stage_.clear();
}

void Terminal::log_callback(void *terminal, int level, const char *message) {
    auto &self = *static_cast<Terminal *>(terminal);
    if (level >= kWarning) self.tell(fmt::format("warning: {}", message)); // in a log file as well
    else if (self.verbose() && level >= 1) self.note(message);
}

int Terminal::progress_callback(void *terminal, const char *stage, std::uint64_t done, std::uint64_t total) {
    static_cast<Terminal *>(terminal)->progress(stage, done, total);
    return interrupted() ? 1 : 0;
}

} // namespace program
