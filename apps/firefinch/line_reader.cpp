#include "line_reader.h"

#include "failure.h"
#include "files.h"
#include "system.h"
#include "terminal.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#if FIREFINCH_LIBEDIT
#include <clocale>
#include <cstdio>
#include <cwchar>

#include <histedit.h>
#endif

namespace program {

#if FIREFINCH_LIBEDIT
struct LineReader::Editor {
    Editor() {
        // libedit turns characters to and from bytes by the locale; in "C" it would have ASCII only.
        if (std::setlocale(LC_CTYPE, "") == nullptr || std::strcmp(std::setlocale(LC_CTYPE, nullptr), "C") == 0)
            std::setlocale(LC_CTYPE, "C.UTF-8");
        line = el_init("firefinch", stdin, stdout, stderr);
        past = history_init();
        HistEvent event;
        history(past, &event, H_SETSIZE, 1000);
        el_set(line, EL_CLIENTDATA, this);
        el_set(line, EL_PROMPT, prompt_of);
        el_set(line, EL_EDITOR, "emacs");
        el_set(line, EL_HIST, history, past);
        el_set(line, EL_GETCFN, read_character);
    }
    ~Editor() {
        history_end(past);
        el_end(line);
    }

    static char *prompt_of(EditLine *line) {
        void *self = nullptr;
        el_get(line, EL_CLIENTDATA, &self);
        return static_cast<Editor *>(self)->prompt.data();
    }

    // libedit's own reads again after a signal; this one lets Ctrl-C end the line.
    static int read_character(EditLine *, wchar_t *out) {
        std::mbstate_t state{};
        for (char byte = 0;;) {
            const std::ptrdiff_t got = read_some(static_cast<int>(Stream::input), &byte, 1);
            if (got < 0 && errno == EINTR && !interrupted()) continue;
            if (got <= 0) return static_cast<int>(got);
            const std::size_t size = std::mbrtowc(out, &byte, 1, &state);
            if (size == static_cast<std::size_t>(-1)) state = std::mbstate_t{}; // no character: skipped
            if (size <= 1) return 1;
        }
    }

    std::optional<std::string> read(const std::string &shown) {
        prompt = shown;
        int count = 0;
        const char *text = el_gets(line, &count);
        if (interrupted()) throw Interrupted();
        if (text == nullptr || count <= 0) return std::nullopt;
        std::string got(text, static_cast<std::size_t>(count));
        HistEvent event;
        if (got.find_first_not_of(" \t\n") != std::string::npos) history(past, &event, H_ENTER, got.c_str());
        if (got.ends_with('\n')) got.pop_back();
        return got;
    }

    EditLine *line = nullptr;
    History *past = nullptr;
    std::string prompt;
};
#else
struct LineReader::Editor {
    std::optional<std::string> read(const std::string &) { return std::nullopt; } // never made
};
#endif

LineReader::LineReader(bool talk) : interactive_(talk && is_terminal(Stream::input) && is_terminal(Stream::output)) {
#if FIREFINCH_LIBEDIT
    if (interactive_) editor_ = std::make_unique<Editor>();
#endif
}

LineReader::~LineReader() = default;

bool LineReader::interactive() const {
    return interactive_;
}

std::optional<std::string> LineReader::read_plain() {
    for (;;) {
        if (const std::size_t end = ahead_.find('\n'); end != std::string::npos) {
            std::string line = ahead_.substr(0, end);
            ahead_.erase(0, end + 1);
            return line;
        }
        if (ended_) {
            if (ahead_.empty()) return std::nullopt;
            return std::exchange(ahead_, {}); // a last line without a new line
        }
        char piece[4096];
        const std::ptrdiff_t got = read_some(static_cast<int>(Stream::input), piece, sizeof piece);
        if (interrupted()) throw Interrupted();
        if (got > 0)
            ahead_.append(piece, static_cast<std::size_t>(got));
        else if (got == 0)
            ended_ = true;
        else if (errno != EINTR)
            throw Failure(fmt::format("standard input: cannot be read: {}", std::strerror(errno)));
    }
}

std::optional<std::string> LineReader::read(const std::string &prompt) {
    if (!interactive_) return read_plain();
    std::string all;
    for (std::string shown = prompt;; shown = "... ") {
        if (!editor_) Output().write(shown);
        const std::optional<std::string> line = editor_ ? editor_->read(shown) : read_plain();
        if (!line) return all.empty() ? std::nullopt : std::optional(all);
        all += *line;
        if (!all.ends_with('\\')) return all;
        all.back() = '\n';
    }
}

} // namespace program
