// firefinch chat: a conversation, its history in the model's state.
#include "chat_commands.h"
#include "chat_model.h"
#include "chat_view.h"
#include "commands.h"
#include "demo_model.h"
#include "failure.h"
#include "line_reader.h"
#include "open.h"

#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

namespace program {
namespace {

constexpr SamplingDefaults kDemoDefaults{.temperature = kDemoTemperature, .top_p = kDemoTopP};

struct Options {
    WorkOptions work;
    SamplingOptions sampling;
    std::string form = "auto", think, system, load_state, save_state;
    std::vector<std::string> stops;
    std::uint64_t count = 1024, undo_depth = 16;
    bool hide_thinking = false;

    Think thinking() const {
        return think.empty() ? Think::unsaid : think == "on" ? Think::on : think == "fake" ? Think::fake : Think::off;
    }
};

SamplingDefaults defaults_of(const Options &options) {
    if (options.work.demo()) return kDemoDefaults;
    return options.thinking() == Think::on ? kReasoningDefaults : kTalkDefaults;
}

class Chat {
  public:
    Chat(Conversation &conversation, LineReader &lines, ChatViewOptions view, Terminal &terminal)
        : conversation_(conversation), lines_(lines), view_(view), terminal_(terminal) {}

    // Until the input ends or /quit. Throws Interrupted for Ctrl-C where it is not a reply that it stops.
    void run() {
        while (!view_.reader_gone()) {
            const std::string prompt =
                conversation_.branch() == "main" ? "> " : fmt::format("{} > ", printable(conversation_.branch()));
            const std::optional<std::string> line = lines_.read(prompt);
            if (!line) break;
            if (line->find_first_not_of(" \t\r\n") == std::string::npos) continue; // says nothing
            const bool command = line->starts_with('/') && !line->starts_with("//");
            if (!command)
                turn([&](const Delivery::Sink &sink) {
                    return conversation_.say(line->starts_with("//") ? line->substr(1) : *line, sink);
                });
            else if (!run_chat_command(*line, conversation_, terminal_, [this](const auto &make) { turn(make); }))
                break;
        }
    }

  private:
    // In a chat with a person Ctrl-C ends the reply and nothing else.
    void turn(const std::function<Reply(const Delivery::Sink &)> &make) {
        try {
            const Reply reply = make(view_.begin(conversation_.form().opening()));
            view_.end();
            view_.report(reply, conversation_.branch());
            if (terminal_.verbose())
                terminal_.note(fmt::format(
                    "{} tokens read, {} produced, {:.1f} tokens/s; ended by: {}; seed {}", reply.prompt_tokens,
                    reply.result.produced,
                    reply.result.seconds > 0 ? static_cast<double>(reply.result.produced) / reply.result.seconds : 0.0,
                    reply.reason, reply.seed));
        } catch (const Interrupted &) { // while the text was read; the conversation is as before it
            if (!lines_.interactive()) throw;
        }
        if (!interrupted()) return;
        if (!lines_.interactive()) throw Interrupted();
        forget_interrupt();
    }

    Conversation &conversation_;
    LineReader &lines_;
    ChatView view_;
    Terminal &terminal_;
};

int run(const Options &options, const Environment &environment) {
    const WorkOptions &work = options.work;
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);
    const firefinch::Checkpoint checkpoint = open_checkpoint(work.model, work.loras);
    const firefinch::Tokenizer tokenizer(work.tokenizer, &checkpoint);
    ChatTemplate form = choose_template(options.form, options.thinking(), work.model, checkpoint);
    LineReader lines(!work.output.json);

    const firefinch::Engine engine = open_engine(work.device, environment, terminal);
    bool ended_by_interrupt = false;
    {
        const firefinch::Model model = open_model(engine, checkpoint, work.weights, terminal);
        firefinch::Session session(model);
        if (!options.load_state.empty()) session.load(options.load_state);
        ConversationOptions wanted;
        wanted.system = options.system;
        wanted.stops = options.stops;
        wanted.sampling = options.sampling.sampling(defaults_of(options));
        wanted.most_tokens = options.count;
        wanted.undo_depth = static_cast<std::size_t>(options.undo_depth);
        wanted.end_of_text = end_of_text(work.demo(), tokenizer);
        wanted.from_state = !options.load_state.empty();
        Conversation conversation(session, tokenizer, std::move(form), wanted, terminal);
        if (lines.interactive())
            terminal.note(fmt::format("{} on {}; /help lists the commands, Ctrl-D ends the chat\n",
                                      printable(model_name(work.model)), engine.device().name));
        ChatViewOptions view;
        view.json = work.output.json;
        view.interactive = lines.interactive();
        view.hide_thinking = options.hide_thinking;
        view.colour = environment.colour;
        try {
            Chat(conversation, lines, view, terminal).run();
        } catch (const Interrupted &) {
            ended_by_interrupt = true;
        }
        if (lines.interactive()) Output().write("\n"); // behind the prompt
        if (!options.save_state.empty()) session.save(options.save_state);
    }
    check_validation(engine, work.device);
    return ended_by_interrupt ? kInterrupted : kDone;
}

void add_conversation_options(CLI::App &app, Options &options) {
    app.add_option("--system", options.system, "A text before the conversation: who the model is, what it is to do")
        ->type_name("TEXT");
    app.add_option(
           "--template", options.form,
           "How turns are written: auto, world, g1, demo, file (the template in the model file), or a file with a "
           "Jinja template [auto]")
        ->type_name("NAME|FILE");
    app.add_option("--think", options.think,
                   "Let the model think before it replies: on, off, or fake, an empty thought [the template's own way]")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"on", "off", "fake"}));
    app.add_flag("--hide-thinking", options.hide_thinking, "Do not show thoughts");
    add_whole(app, "-n,--count", options.count, "Tokens of a reply at most [1024]", 1, 4294967294U);
    app.add_option("--stop", options.stops, "A reply ends before this text as well; may be given several times")
        ->type_name("TEXT")
        ->allow_extra_args(false)
        ->check(CLI::Validator([](const std::string &text) { return text.empty() ? "the text is empty" : ""; }, ""));
    add_whole(app, "--undo-depth", options.undo_depth,
              "Turns that /undo can take back; each keeps a state in memory [16]", 1, 65536);
    app.add_option("--load-state", options.load_state, "Begin from this state")->type_name("FILE");
    app.add_option("--save-state", options.save_state, "Write the state when the chat ends")->type_name("FILE");
}

} // namespace

Command add_chat(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("chat", "Talk with a model; in a pipe each line is a turn");
    add_conversation_options(*app, *options);
    options->sampling.add(*app,
                          {{"", kTalkDefaults}, {"--think on", kReasoningDefaults}, {"demo model", kDemoDefaults}});
    add_work_options(*app, options->work);
    app->footer(
        fmt::format("In the chat:\n{}\n\n"
                    "Examples:\n"
                    "  firefinch chat                                     with Romeo, by the embedded demo model\n"
                    "  firefinch chat -m rwkv7-g1-2.9b.pth --think on\n"
                    "  firefinch chat -m model.gguf --system 'You are a pirate.' --save-state pirate.state\n"
                    "  printf 'hello\\nhow are you\\n' | firefinch chat -m model.pth --seed 1",
                    kChatHelp));
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
