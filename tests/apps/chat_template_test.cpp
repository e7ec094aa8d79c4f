// Chat templates and what they are written in, looked at directly; thoughts told apart wherever the text is cut.
#include "chat_template.h"
#include "failure.h"
#include "lora.h"
#include "perplexity_score.h"
#include "thinking.h"
#include "utf8.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace program;

namespace {

std::string rendered(const std::string &source) {
    const jinja::Value::List messages = {jinja::Value::Map{{"role", "user"}, {"content", " Hi "}},
                                         jinja::Value::Map{{"role", "assistant"}, {"content", "Yo"}}};
    return jinja::Template(source).render({{"messages", messages}, {"yes", true}, {"text", "a,b,c"}});
}

std::string refusal(const std::string &source) {
    try {
        rendered(source);
    } catch (const jinja::TemplateError &error) {
        return error.what();
    }
    return "";
}

const std::vector<Message> kTalk = {{"system", "Be kind."}, {"user", "Hi"}, {"assistant", " Hello."}, {"user", "Bye"}};
const std::string kBegin(ChatTemplate::kEndOfText);

// In the manner of llama.cpp's llama-cpp-rwkv-world.jinja.
const char *const kLlamaLike = R"({%- if not add_generation_prompt is defined -%}
    {%- set add_generation_prompt = true -%}
{%- endif -%}
{%- set ns = namespace(system='') -%}
{%- for message in messages -%}
    {%- if message['role'] == 'system' -%}{%- set ns.system = message['content'] -%}{%- endif -%}
{%- endfor -%}
{{bos_token}}
{%- if ns.system != '' -%}{{- 'System: ' + ns.system + '\n\n' -}}{%- endif -%}
{%- for message in messages -%}
    {%- if message['role'] == 'user' -%}
        {{- 'User: ' + message['content']|trim + '\n\n' -}}
    {%- endif -%}
    {%- if message['role'] == 'assistant' and message['content'] is  not none -%}
        {%- set content = message['content'] -%}
        {%- if '</think>' in content -%}{%- set content = content.split('</think>')[-1] -%}{%- endif -%}
        {{- 'Assistant: ' + content|trim + '\n\n' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- 'Assistant:' -}}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- ' <think>\n</think>' }}{%- endif %}
    {%- if enable_thinking is defined and enable_thinking is true %}{{- ' <think>' }}{%- endif %}
{%- endif -%})";

// Fed in pieces of `size` bytes.
Thinking::Piece thought(const std::string &text, std::size_t size) {
    Thinking thinking;
    Thinking::Piece all;
    const auto add = [&](const Thinking::Piece &piece) {
        all.thought += piece.thought;
        all.answer += piece.answer;
    };
    for (std::size_t at = 0; at < text.size(); at += size) add(thinking.feed(std::string_view(text).substr(at, size)));
    add(thinking.finish());
    return all;
}

} // namespace

TEST_CASE("apps jinja: what chat templates use") {
    CHECK(rendered("{% for m in messages %}{{ loop.index0 }}{{ m.role }}{{ m['content']|trim }}"
                   "{% if not loop.last %}, {% endif %}{% endfor %}") == "0userHi, 1assistantYo");
    CHECK(rendered("{% for m in messages[1:] if m.role != 'user' %}{{ m.content ~ loop.length }}{% endfor %}") ==
          "Yo1");
    CHECK(rendered("{{ messages[-1].content }}{{ messages[0].content.strip() }}{{ messages[7] }}") == "YoHi");
    CHECK(rendered(
              "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}") ==
          "2");
    CHECK(rendered("{% set x = 1 %}{% for m in messages %}{% set x = 2 %}{% endfor %}{{ x }}") == "1");
    CHECK(rendered("{{ 'a' if yes else 'b' }}{{ 'a' if no }}{{ not no }}") == "aTrue");
    CHECK(rendered("{% if no is defined %}1{% elif 'b' in text and 'x' not in text %}2{% else %}3{% endif %}") == "2");
    CHECK(rendered("{{ text.split(',')|length }}{{ text|replace(',', '')|upper }}{{ text.startswith('a') }}") ==
          "3ABCTrue");
    CHECK(rendered("{{ 7 // 2 * 2 + 1 % 3 }}{{ -7 % 3 }}{{ 2 > 1 or 1 / 0 }}") == "72True");
    CHECK(rendered("{{ none is none }}{{ yes is not true }}{{ x|default('d') }}{{ [1, 2]|join('-') }}") ==
          "TrueFalsed1-2");
    CHECK(rendered("a  {%- if yes -%}  b  {%- endif -%}  c {{- 'd' -}} e") == "abcde");
    CHECK(rendered("a\n  {% if yes %}\n  b\n  {% endif %}\n{# note #}\nc {{ '\\n' }}\n") == "a\n  b\nc \n");
    CHECK(rendered("{ 'x' } {{ '}}' }} {% set t = '%}' %}{{ t }}") == "{ 'x' } }} %}");
}

TEST_CASE("apps jinja: what is not supported is named with its line") {
    CHECK(refusal("a\nb {{ messages | tojson }}").rfind("line 2: the filter 'tojson'", 0) == 0);
    CHECK(refusal("{% macro m() %}{% endmacro %}").find("'macro'") != std::string::npos);
    CHECK(refusal("{{ strftime_now('%Y') }}").find("'strftime_now'") != std::string::npos);
    CHECK(refusal("{{ raise_exception('only two roles') }}").find("only two roles") != std::string::npos);
    CHECK(refusal("{% for k, v in messages %}{% endfor %}").find("pairs") != std::string::npos);
    CHECK(refusal("\n\n{% if yes %}").rfind("line 3: an if is not closed", 0) == 0);
    CHECK(refusal("{{ 'a' + 1 }}").find("~") != std::string::npos);
    CHECK(!refusal("{{ }}").empty());
    CHECK(!refusal("{{ 'a }}").empty());
    CHECK(!refusal("{{ nobody.name }}").empty());
    CHECK(!refusal("{% endfor %}").empty());
}

TEST_CASE("apps jinja: hostile templates end") {
    const auto repeated = [](const std::string &text, int count) {
        std::string all;
        for (int i = 0; i < count; ++i) all += text;
        return all;
    };
    CHECK(refusal("{{ " + repeated("(", 100000) + "1 }}").find("deep") != std::string::npos);
    CHECK(refusal("{{ 1" + repeated(" + 1", 100000) + " }}").find("deep") != std::string::npos);
    CHECK(refusal("{{ 'a'" + repeated("|trim", 100000) + " }}").find("deep") != std::string::npos);
    CHECK(refusal("{{ " + repeated("not ", 100000) + "1 }}").find("deep") != std::string::npos);
    CHECK(refusal(repeated("{% if yes %}", 10000)).find("deep") != std::string::npos);
    const std::string list = "{% set l = '" + repeated("a ", 2000) + "'.split() %}";
    CHECK(refusal(list + "{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}")
              .find("steps") != std::string::npos);
    CHECK(refusal(list + "{% set n = namespace(x='ab') %}{% for a in l %}{% set n.x = n.x + n.x %}{% endfor %}")
              .find("16 MiB") != std::string::npos);
    CHECK(
        refusal(list + "{% set n = namespace(x=1) %}{% for a in l %}{% set n.x = [n.x] %}{% endfor %}").find("deep") !=
        std::string::npos);
    CHECK(refusal("{% set n = namespace() %}{% set n.n = n %}").find("namespace") != std::string::npos);
}

TEST_CASE("apps template: World's form, G1's thoughts, the demo model's plays") {
    const std::string world = kBegin + "System: Be kind.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: Bye\n\nAssistant:";
    const ChatTemplate plain = *ChatTemplate::named("world", Think::unsaid);
    CHECK(plain.render(kTalk, true) == world);
    CHECK(plain.turn_end() == "\n\n");
    CHECK(plain.stops() == std::vector<std::string>{"\n\n", "\n\nUser:"});
    CHECK(plain.message_text("\r\n a\r\n\r\nb\n\n\nc \n") == "a\nb\nc");
    CHECK(plain.message_text("a" + kBegin + "b") == "ab");
    const ChatTemplate on = *ChatTemplate::named("g1", Think::on), fake = *ChatTemplate::named("g1", Think::fake);
    CHECK(on.render(kTalk, true) == world + " <think");
    CHECK(on.opening() == " <think");
    CHECK(on.stops() == std::vector<std::string>{"\n\nUser:"}); // a thought has paragraphs
    CHECK(fake.render(kTalk, true) == world + " <think>\n</think");
    const ChatTemplate demo = *ChatTemplate::named("demo", Think::unsaid);
    CHECK(demo.render({{"user", "Hi"}}, true) == kBegin + "JULIET:\nHi\n\nROMEO:\n");
    CHECK(!ChatTemplate::named("nobody", Think::unsaid));
}

TEST_CASE("apps template: one like llama.cpp's for RWKV World") {
    const ChatTemplate plain("test", kLlamaLike, Think::unsaid);
    CHECK(plain.render(kTalk, true) ==
          kBegin + "System: Be kind.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: Bye\n\nAssistant:");
    CHECK(plain.turn_end() == "\n\n");
    CHECK(plain.stops() == std::vector<std::string>{"\n\n", "\n\nUser:"});
    CHECK(ChatTemplate("test", kLlamaLike, Think::on).opening() == " <think>");
    CHECK(ChatTemplate("test", kLlamaLike, Think::off).opening() == " <think>\n</think>");
    const ChatTemplate marks(
        "test",
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        Think::unsaid);
    CHECK(marks.turn_end() == "<|im_end|>\n");
    CHECK(marks.stops() == std::vector<std::string>{"<|im_end|>", "<|im_end|>\n<|im_start|>user"});
    CHECK_THROWS_AS(ChatTemplate("test", "{{ raise_exception('no') }}", Think::unsaid), Failure);
    CHECK_THROWS_AS(ChatTemplate("test", "{% if %}", Think::unsaid), Failure);
}

TEST_CASE("apps thinking: thought and answer, wherever the text is cut") {
    for (const std::size_t size : {1U, 2U, 3U, 5U, 100U}) {
        CAPTURE(size);
        const Thinking::Piece both = thought(" <think>so < </think it is</think>\n\nYes <think>.", size);
        CHECK(both.thought == "so < </think it is");
        CHECK(both.answer == "\n\nYes <think>.");
        CHECK(thought(" <thin air", size).answer == " <thin air");
        CHECK(thought("\n<think>never ends</thi", size).thought == "never ends</thi");
        CHECK(thought(" ", size).answer == " ");
        CHECK(thought("<think></think>", size).thought.empty());
    }
}

TEST_CASE("apps text: what follows the last colon is alpha if it is a number") {
    CHECK(parse_lora("a.pth").path == "a.pth");
    CHECK(!parse_lora("a.pth").alpha);
    CHECK(parse_lora("a.pth:16").path == "a.pth");
    CHECK(*parse_lora("a:b:0.5").alpha == 0.5);
    CHECK(parse_lora("a:b:0.5").path == "a:b");
    for (const std::string whole : {"C:\\a.pth", "a:", "a:1x", "a:nan", ":5"}) CHECK(parse_lora(whole).path == whole);
}

TEST_CASE("apps text: a text is cut between characters") {
    CHECK(whole_characters("a\u20acb", 10) == "a\u20acb");
    CHECK(whole_characters("a\u20acb", 4) == "a\u20ac");
    CHECK(whole_characters("a\u20acb", 3) == "a");
    CHECK(whole_characters("a\u20acb", 1) == "a");
    CHECK(whole_characters("\x80\x80", 1) == "\x80"); // no character
}

TEST_CASE("apps scores: surprise and divergence in double precision") {
    const std::vector<float> even(1000, 5.0f);
    CHECK(score_token(even, 3).nats == doctest::Approx(std::log(1000.0)).epsilon(1e-14));
    CHECK(score_token(even, 3).best == 0);
    std::vector<float> sure(4, 0.0f);
    sure[2] = 800.0f; // exp of it is no double
    CHECK(score_token(sure, 2).nats == 0.0);
    CHECK(score_token(sure, 1).nats == 800.0);
    CHECK(score_token(sure, 1).best == 2);
    const std::vector<float> p = {0.0f, std::log(3.0f)}, q = {0.0f, 0.0f}; // 1/4, 3/4 and halves
    const double want = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
    CHECK(kl_divergence(p, score_token(p, 0).log_sum_exp, q, score_token(q, 0).log_sum_exp) ==
          doctest::Approx(want).epsilon(1e-6));
}
