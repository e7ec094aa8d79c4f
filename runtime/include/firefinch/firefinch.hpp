// firefinch for C++17 and later: owners for the handles of firefinch.h, and an exception where C returns a status.
// Header only, over the C API and nothing else; the contracts (shapes, units, errors, threads) are in firefinch.h.
//
//     firefinch::Checkpoint file("model.safetensors");
//     firefinch::Engine engine;
//     firefinch::Model model(engine, file);
//     firefinch::Session session(model);
//     firefinch::Tokenizer tokenizer("auto", &file);
//     session.prefill(tokenizer.encode("Once upon a time"));
//     auto print = [&](std::uint32_t id) { return bool(std::cout << tokenizer.decode(id)); };
//     session.generate(firefinch::generate_options(), print);
//
// Objects are movable, not copyable, and must be destroyed before the objects they were made from: declare them in the
// order above. Everything that can fail throws firefinch::Error.
#ifndef FIREFINCH_HPP
#define FIREFINCH_HPP

#include <firefinch/firefinch.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace firefinch {

// what() is the sentence the library made.
class Error : public std::runtime_error {
  public:
    Error(ff_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    ff_status status() const noexcept { return status_; }

  private:
    ff_status status_;
};

namespace detail {

// Calls a function of the C API, whose last argument is the error.
template <class Function, class... Arguments>
void check(Function function, Arguments... arguments) {
    ff_error error;
    error.status = FF_OK;
    error.message[0] = '\0';
    const ff_status status = function(arguments..., &error);
    if (status != FF_OK) throw Error(status, error.message);
}

template <auto destroy>
struct Destroy {
    template <class Handle>
    void operator()(Handle *handle) const noexcept {
        destroy(handle);
    }
};
template <class Handle, auto destroy>
using Owner = std::unique_ptr<Handle, Destroy<destroy>>;

// An info or option struct with its size in place and everything else zero.
template <class Struct>
Struct sized() {
    Struct made{};
    made.struct_size = static_cast<std::uint32_t>(sizeof(Struct));
    return made;
}

// For `function(arguments..., Info *out, error)`.
template <class Info, class Function, class... Arguments>
Info fetch(Function function, Arguments... arguments) {
    Info info = sized<Info>();
    check(function, arguments..., &info);
    return info;
}

// For `function(Handle **out, arguments..., error)`.
template <class Handle, class Function, class... Arguments>
Handle *create(Function function, Arguments... arguments) {
    Handle *made = nullptr;
    check(function, &made, arguments...);
    return made;
}

} // namespace detail

// Option structs with the defaults of their _INIT macros, which warn about missing initializers where C++ asks for
// them.
inline ff_device_list_options device_list_options() {
    return detail::sized<ff_device_list_options>();
}
inline ff_engine_options engine_options() {
    return detail::sized<ff_engine_options>();
}
inline ff_model_options model_options() {
    return detail::sized<ff_model_options>();
}
inline ff_write_options write_options() {
    ff_write_options options = detail::sized<ff_write_options>();
    options.container = "gguf";
    return options;
}
inline ff_sampling sampling() {
    return FF_SAMPLING_INIT;
}
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
inline ff_generate_options generate_options() {
    return FF_GENERATE_OPTIONS_INIT;
}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

struct Named {
    std::string name, text;
};

// Shapes that Checkpoint::synthetic makes: "7-0.4b".
inline std::vector<std::string> model_presets() {
    std::vector<std::string> all;
    const char *name = nullptr;
    for (std::size_t i = 0; ff_model_preset(i, &name) != 0; ++i) all.emplace_back(name);
    return all;
}

// Trait profiles: name and description.
inline std::vector<Named> profiles() {
    std::vector<Named> all;
    const char *name = nullptr, *description = nullptr;
    for (std::size_t i = 0; ff_profile(i, &name, &description) != 0; ++i) all.push_back({name, description});
    return all;
}

class DeviceList {
  public:
    explicit DeviceList(const ff_device_list_options &options = device_list_options())
        : handle_(detail::create<ff_device_list>(ff_device_list_create, &options)) {}
    std::size_t size() const { return ff_device_list_count(get()); }
    ff_device_info operator[](std::size_t index) const {
        return detail::fetch<ff_device_info>(ff_device_list_get, get(), index);
    }
    // The entry an engine would take; nullptr: the best one.
    std::size_t choose(const char *selector) const {
        std::size_t chosen = 0;
        detail::check(ff_device_list_choose, get(), selector, &chosen);
        return chosen;
    }
    std::vector<std::pair<std::string, std::int64_t>> traits(std::size_t device) const {
        std::vector<std::pair<std::string, std::int64_t>> all;
        const char *name = nullptr;
        std::int64_t value = 0;
        for (std::size_t i = 0; ff_device_list_trait(get(), device, i, &name, &value) != 0; ++i)
            all.emplace_back(name, value);
        return all;
    }
    // Each kernel and the variant that this device gets.
    std::vector<Named> variants(std::size_t device) const {
        std::vector<Named> all;
        const char *kernel = nullptr, *variant = nullptr;
        for (std::size_t i = 0; ff_device_list_variant(get(), device, i, &kernel, &variant) != 0; ++i)
            all.push_back({kernel, variant});
        return all;
    }
    // Each kernel and why it gets that variant.
    std::vector<Named> reasons(std::size_t device) const {
        std::vector<Named> all;
        const char *kernel = nullptr, *text = nullptr;
        for (std::size_t i = 0; ff_device_list_variant(get(), device, i, &kernel, &text) != 0 &&
                                ff_device_list_reason(get(), device, i, &text) != 0;
             ++i)
            all.push_back({kernel, text});
        return all;
    }
    // What the profile's own device has and this one lacks; empty if nothing.
    std::string lacking(std::size_t device) const {
        const char *text = ff_device_list_lacking(get(), device);
        return text ? text : "";
    }
    // Variants that the device's deny list names, and why.
    std::vector<Named> denied(std::size_t device) const {
        std::vector<Named> all;
        const char *variant = nullptr, *why = nullptr;
        for (std::size_t i = 0; ff_device_list_denied(get(), device, i, &variant, &why) != 0; ++i)
            all.push_back({variant, why});
        return all;
    }
    const ff_device_list *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_device_list, ff_device_list_destroy> handle_;
};

class Checkpoint {
  public:
    explicit Checkpoint(const std::string &path)
        : handle_(detail::create<ff_checkpoint>(ff_checkpoint_open, path.c_str())) {}
    // The bytes stay the caller's and must outlive the checkpoint; `name` is used in messages.
    Checkpoint(const std::string &name, const void *bytes, std::size_t size)
        : handle_(detail::create<ff_checkpoint>(ff_checkpoint_open_memory, name.c_str(), bytes, size)) {}
    // Random weights in the shape of a published model; weights: nullptr is f16.
    static Checkpoint synthetic(const std::string &preset, const char *weights = nullptr) {
        return Checkpoint(detail::create<ff_checkpoint>(ff_checkpoint_synthetic, preset.c_str(), weights));
    }
    ff_model_info info() const { return detail::fetch<ff_model_info>(ff_checkpoint_info, get()); }
    std::size_t tensor_count() const { return ff_checkpoint_tensor_count(get()); }
    ff_tensor_info tensor(std::size_t index) const {
        return detail::fetch<ff_tensor_info>(ff_checkpoint_tensor, get(), index);
    }
    struct LoadedType {
        std::string type;
        bool fallback;
    };
    LoadedType loaded_type(std::size_t index, const std::string &weights) const {
        const char *type = nullptr;
        int fallback = 0;
        detail::check(ff_checkpoint_loaded_type, get(), index, weights.c_str(), &type, &fallback);
        return {type, fallback != 0};
    }
    ff_session_bytes session_bytes() const {
        return detail::fetch<ff_session_bytes>(ff_checkpoint_session_bytes, get());
    }
    const char *metadata(const char *key) const { return ff_checkpoint_metadata(get(), key); } // may be nullptr
    void merge_lora(const std::string &path, std::optional<double> alpha = std::nullopt) {
        detail::check(ff_checkpoint_merge_lora, handle_.get(), path.c_str(), alpha ? &*alpha : nullptr);
    }
    const ff_checkpoint *get() const { return handle_.get(); }

  private:
    explicit Checkpoint(ff_checkpoint *handle) : handle_(handle) {}
    detail::Owner<ff_checkpoint, ff_checkpoint_close> handle_;
};

// What ff_checkpoint_write wrote, or with no path would write.
class WriteReport {
  public:
    WriteReport(const Checkpoint &checkpoint, const std::optional<std::string> &path, const ff_write_options &options)
        : handle_(write(checkpoint, path, options)) {}
    std::uint64_t bytes() const { return ff_write_report_bytes(get()); }
    std::size_t tensor_count() const { return ff_write_report_count(get()); }
    ff_written_tensor tensor(std::size_t index) const {
        return detail::fetch<ff_written_tensor>(ff_write_report_tensor, get(), index);
    }
    const ff_write_report *get() const { return handle_.get(); }

  private:
    static ff_write_report *write(const Checkpoint &checkpoint, const std::optional<std::string> &path,
                                  const ff_write_options &options) {
        ff_write_report *made = nullptr;
        detail::check(ff_checkpoint_write, checkpoint.get(), path ? path->c_str() : nullptr, &options, &made);
        return made;
    }

    detail::Owner<ff_write_report, ff_write_report_destroy> handle_;
};

class Tokenizer {
  public:
    explicit Tokenizer(const std::string &kind, const Checkpoint *checkpoint = nullptr)
        : handle_(detail::create<ff_tokenizer>(ff_tokenizer_create, kind.c_str(),
                                               checkpoint == nullptr ? nullptr : checkpoint->get())) {}
    std::string name() const { return ff_tokenizer_name(get()); }
    std::uint32_t vocabulary() const { return ff_tokenizer_vocabulary(get()); }
    std::optional<std::uint32_t> special(ff_token_role role) const {
        std::uint32_t id = 0;
        return ff_tokenizer_special(get(), role, &id) != 0 ? std::optional(id) : std::nullopt;
    }
    std::vector<std::uint32_t> encode(std::string_view text) const {
        std::vector<std::uint32_t> ids(text.size()); // an id is seldom less than a byte
        std::size_t count = encode_into(text, ids);
        const bool all = count <= ids.size();
        ids.resize(count);
        if (!all) encode_into(text, ids);
        return ids;
    }
    // The bytes of one id, which may end inside a UTF-8 character.
    std::string decode(std::uint32_t id) const {
        std::string text(128, '\0');
        std::size_t size = decode_into(id, text);
        const bool all = size <= text.size();
        text.resize(size);
        if (!all) decode_into(id, text);
        return text;
    }
    const ff_tokenizer *get() const { return handle_.get(); }

  private:
    std::size_t encode_into(std::string_view text, std::vector<std::uint32_t> &ids) const {
        std::size_t count = 0;
        detail::check(ff_tokenizer_encode, get(), text.data(), text.size(), ids.data(), ids.size(), &count);
        return count;
    }
    std::size_t decode_into(std::uint32_t id, std::string &text) const {
        std::size_t size = 0;
        detail::check(ff_tokenizer_decode, get(), id, text.data(), text.size(), &size);
        return size;
    }

    detail::Owner<ff_tokenizer, ff_tokenizer_destroy> handle_;
};

class Engine {
  public:
    explicit Engine(const ff_engine_options &options = engine_options())
        : handle_(detail::create<ff_engine>(ff_engine_create, &options)) {}
    ff_device_info device() const { return detail::fetch<ff_device_info>(ff_engine_device, get()); }
    ff_memory_info memory() const { return detail::fetch<ff_memory_info>(ff_engine_memory, get()); }
    // What the device does at best; while nothing else uses it.
    ff_roofline measure() { return detail::fetch<ff_roofline>(ff_engine_measure, get()); }
    // How many messages the validation layers have sent, and the first of them.
    std::uint64_t validation_messages(std::string *first = nullptr) const {
        char text[1024] = "";
        const std::uint64_t count = ff_engine_validation_messages(get(), text, sizeof text);
        if (first != nullptr) *first = text;
        return count;
    }
    // For ff_engine_options.pipeline_cache of a later start; empty where the driver keeps none.
    std::vector<unsigned char> pipeline_cache() const {
        std::vector<unsigned char> data;
        std::size_t size = 0;
        do { // another thread may compile in between
            data.resize(size);
            detail::check(ff_engine_pipeline_cache, get(), static_cast<void *>(data.data()), data.size(), &size);
        } while (size > data.size());
        data.resize(size);
        return data;
    }
    // Variants that its deny list keeps it from using, and why.
    std::vector<Named> denied() const {
        std::vector<Named> all;
        const char *variant = nullptr, *why = nullptr;
        for (std::size_t i = 0; ff_engine_denied(get(), i, &variant, &why) != 0; ++i) all.push_back({variant, why});
        return all;
    }
    ff_engine *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_engine, ff_engine_destroy> handle_;
};

inline ff_self_test_options self_test_options() {
    return FF_SELF_TEST_OPTIONS_INIT;
}

// Whether an engine's device computes rightly.
class SelfTest {
  public:
    explicit SelfTest(Engine &engine, const ff_self_test_options &options = self_test_options())
        : handle_(detail::create<ff_self_test>(ff_engine_self_test, engine.get(), &options)) {}
    std::size_t variant_count() const { return ff_self_test_variant_count(get()); }
    ff_variant_result variant(std::size_t index) const {
        return detail::fetch<ff_variant_result>(ff_self_test_variant, get(), index);
    }
    std::size_t limit_count() const { return ff_self_test_limit_count(get()); }
    ff_limit_result limit(std::size_t index) const {
        return detail::fetch<ff_limit_result>(ff_self_test_limit, get(), index);
    }
    std::uint64_t validation_messages(std::string *first = nullptr) const {
        char text[1024] = "";
        const std::uint64_t count = ff_self_test_validation_messages(get(), text, sizeof text);
        if (first != nullptr) *first = text;
        return count;
    }
    // Writes the deny list of the engine's device; how many variants are on it.
    std::size_t deny(Engine &engine) const {
        std::size_t denied = 0;
        detail::check(ff_self_test_deny, get(), engine.get(), &denied);
        return denied;
    }
    const ff_self_test *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_self_test, ff_self_test_destroy> handle_;
};

inline ff_tuning_options tuning_options() {
    return detail::sized<ff_tuning_options>();
}

// The best numbers for a model's kernels on an engine's device, measured and kept.
class Tuning {
  public:
    Tuning(Engine &engine, const Checkpoint &checkpoint, const ff_tuning_options &options = tuning_options())
        : handle_(detail::create<ff_tuning>(ff_engine_tune, engine.get(), checkpoint.get(), &options)) {}
    bool by_timestamps() const { return ff_tuning_by_timestamps(get()) != 0; }
    std::size_t size() const { return ff_tuning_count(get()); }
    ff_tuning_result operator[](std::size_t index) const {
        return detail::fetch<ff_tuning_result>(ff_tuning_get, get(), index);
    }
    const ff_tuning *get() const { return handle_.get(); }
    // Forgets what is kept for the device; how many numbers that were.
    static std::size_t forget(Engine &engine) {
        std::size_t forgotten = 0;
        detail::check(ff_engine_forget_tuning, engine.get(), &forgotten);
        return forgotten;
    }

  private:
    detail::Owner<ff_tuning, ff_tuning_destroy> handle_;
};

class Model {
  public:
    Model(const Engine &engine, const Checkpoint &checkpoint, const ff_model_options &options = model_options())
        : handle_(detail::create<ff_model>(ff_model_create, engine.get(), checkpoint.get(), &options)) {}
    ff_model_info info() const { return detail::fetch<ff_model_info>(ff_model_info_get, get()); }
    ff_model_statistics statistics() const {
        return detail::fetch<ff_model_statistics>(ff_model_statistics_get, get());
    }
    std::size_t launch_count() const { return ff_model_launch_count(get()); }
    ff_launch_info launch(std::size_t index) const {
        return detail::fetch<ff_launch_info>(ff_model_launch, get(), index);
    }
    ff_model *get() const { return handle_.get(); }

  private:
    friend class ModelLoad;
    explicit Model(ff_model *handle) : handle_(handle) {}
    detail::Owner<ff_model, ff_model_destroy> handle_;
};

// A model that is loaded in the background.
class ModelLoad {
  public:
    ModelLoad(const Engine &engine, const Checkpoint &checkpoint, const ff_model_options &options = model_options())
        : handle_(detail::create<ff_model_load>(ff_model_load_create, engine.get(), checkpoint.get(), &options)) {}
    // Lets so many more bytes be uploaded; returns without waiting.
    ff_load_progress step(std::uint64_t bytes) {
        return detail::fetch<ff_load_progress>(ff_model_load_step, get(), bytes);
    }
    Model finish() { return Model(detail::create<ff_model>(ff_model_load_finish, get())); } // waits; once
    ff_model_load *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_model_load, ff_model_load_destroy> handle_;
};

class Session;

// A state in host memory, which any session of such a model can go back to.
class Snapshot {
  public:
    explicit Snapshot(Session &session);
    // What encode() gave, or the content of a state file.
    Snapshot(const Model &model, const void *bytes, std::size_t size)
        : handle_(detail::create<ff_snapshot>(ff_snapshot_decode, model.get(), bytes, size)) {}
    std::uint64_t bytes() const { return ff_snapshot_bytes(get()); }
    std::vector<unsigned char> encode() const {
        std::size_t size = 0;
        detail::check(ff_snapshot_encode, get(), nullptr, std::size_t{0}, &size);
        std::vector<unsigned char> bytes(size);
        detail::check(ff_snapshot_encode, get(), static_cast<void *>(bytes.data()), bytes.size(), &size);
        return bytes;
    }
    const ff_snapshot *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_snapshot, ff_snapshot_destroy> handle_;
};

// What Session::profile found, a kernel at a time.
class ProfileReport {
  public:
    explicit ProfileReport(ff_profile_report *handle) : handle_(handle) {}
    std::size_t size() const { return ff_profile_report_count(get()); }
    ff_kernel_cost operator[](std::size_t index) const {
        return detail::fetch<ff_kernel_cost>(ff_profile_report_kernel, get(), index);
    }
    const ff_profile_report *get() const { return handle_.get(); }

  private:
    detail::Owner<ff_profile_report, ff_profile_report_destroy> handle_;
};

class Session {
  public:
    explicit Session(const Model &model) : handle_(detail::create<ff_session>(ff_session_create, model.get())) {}
    void reset() { detail::check(ff_session_reset, get()); }
    void set_chunk(std::uint32_t tokens) { detail::check(ff_session_set_chunk, get(), tokens); }
    // Another session that goes on from here and shares nothing with this one.
    Session fork() { return Session(detail::create<ff_session>(ff_session_fork, get())); }
    void restore(const Snapshot &snapshot) { detail::check(ff_session_restore, get(), snapshot.get()); }
    // logits [V] after the last token, or nullptr
    void prefill(const std::uint32_t *tokens, std::size_t count, float *logits = nullptr) {
        detail::check(ff_session_prefill, get(), tokens, count, logits);
    }
    void prefill(const std::vector<std::uint32_t> &tokens, float *logits = nullptr) {
        prefill(tokens.data(), tokens.size(), logits);
    }
    // logits [count, V]
    void evaluate(const std::uint32_t *tokens, std::size_t count, float *logits) {
        detail::check(ff_session_evaluate, get(), tokens, count, logits);
    }
    // on_token(id) is called for each produced token and returns false to stop after it; what it throws stops as well
    // and arrives here. The callback fields of `options` are set by this function.
    template <class OnToken>
    ff_generate_result generate(ff_generate_options options, OnToken &&on_token) {
        struct Payload {
            OnToken &call;
            std::exception_ptr thrown;
        } payload{on_token, nullptr};
        options.payload = &payload;
        options.on_token = [](void *opaque, std::uint32_t token) -> int {
            auto &self = *static_cast<Payload *>(opaque);
            try {
                return self.call(token) ? 0 : 1;
            } catch (...) {
                self.thrown = std::current_exception();
                return 1;
            }
        };
        const auto result = detail::fetch<ff_generate_result>(ff_session_generate, get(), &options);
        if (payload.thrown) std::rethrow_exception(payload.thrown);
        return result;
    }
    // In slices; nullptr: the prompt is read and nothing generated.
    void start(const std::vector<std::uint32_t> &prompt, const ff_generate_options *generate) {
        detail::check(ff_session_start, get(), prompt.data(), prompt.size(), generate);
    }
    ff_slice_progress advance(std::uint64_t budget_us) {
        return detail::fetch<ff_slice_progress>(ff_session_advance, get(), budget_us);
    }
    // What was produced since the last call.
    std::vector<std::uint32_t> poll() {
        std::vector<std::uint32_t> all;
        for (std::size_t count = 1; count != 0;) {
            std::uint32_t tokens[64];
            detail::check(ff_session_poll, get(), tokens, std::size(tokens), &count);
            all.insert(all.end(), tokens, tokens + count);
        }
        return all;
    }
    std::string poll_text(const Tokenizer &tokenizer) {
        std::string all;
        for (std::size_t size = 1; size != 0;) {
            char text[256];
            detail::check(ff_session_poll_text, get(), tokenizer.get(), text, sizeof text, &size);
            all.append(text, size);
        }
        return all;
    }
    void wait() { detail::check(ff_session_wait, get()); }
    void cancel() { detail::check(ff_session_cancel, get()); }
    // What the kernels of a decode step cost, over `steps` of them; the session is afterwards as before.
    ProfileReport profile(std::uint32_t steps) {
        return ProfileReport(detail::create<ff_profile_report>(ff_session_profile, get(), steps));
    }
    void prefetch() { detail::check(ff_session_prefetch, get()); }
    void evict() { detail::check(ff_session_evict, get()); }
    bool resident() const { return ff_session_resident(get()) != 0; }
    void save(const std::string &path) { detail::check(ff_session_save, get(), path.c_str()); }
    void load(const std::string &path) { detail::check(ff_session_load, get(), path.c_str()); }
    ff_session *get() const { return handle_.get(); }

  private:
    explicit Session(ff_session *handle) : handle_(handle) {}
    detail::Owner<ff_session, ff_session_destroy> handle_;
};

inline Snapshot::Snapshot(Session &session) : handle_(detail::create<ff_snapshot>(ff_snapshot_create, session.get())) {}

// Many sessions in one step.
class Batch {
  public:
    using OnToken = std::function<bool(std::uint32_t)>; // false stops the session after this token
    using OnEnd = std::function<void(const ff_generate_result &)>;

    Batch(const Model &model, std::uint32_t max_sessions)
        : handle_(detail::create<ff_batch>(ff_batch_create, model.get(), max_sessions)) {}
    // The callback fields of `options` are set by this function. What on_token throws stops its session, what either
    // throws arrives from run().
    void add(Session &session, const std::vector<std::uint32_t> &prompt, ff_generate_options options, OnToken on_token,
             OnEnd on_end = {}) {
        auto member = std::make_unique<Member>(Member{this, std::move(on_token), std::move(on_end)});
        options.payload = member.get();
        options.on_token = [](void *opaque, std::uint32_t token) -> int {
            auto &self = *static_cast<Member *>(opaque);
            bool goes_on = false;
            self.batch->guarded([&] { goes_on = self.on_token(token); });
            return goes_on ? 0 : 1;
        };
        ff_batch_request request = FF_BATCH_REQUEST_INIT;
        request.tokens = prompt.data();
        request.token_count = prompt.size();
        request.generate = options;
        request.on_end = [](void *opaque, const ff_generate_result *result) {
            auto &self = *static_cast<Member *>(opaque);
            if (self.on_end) self.batch->guarded([&] { self.on_end(*result); });
            self.batch->members_.remove_if([&](const auto &member) { return member.get() == &self; });
        };
        detail::check(ff_batch_add, get(), session.get(), &request);
        members_.push_back(std::move(member));
    }
    ff_generate_result remove(Session &session) {
        return detail::fetch<ff_generate_result>(ff_batch_remove, get(), session.get());
    }
    // Until every session has ended, or for `steps` steps.
    ff_batch_progress run(std::uint64_t steps = 0) {
        const auto progress = detail::fetch<ff_batch_progress>(ff_batch_run, get(), steps);
        if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
        return progress;
    }
    ff_batch *get() const { return handle_.get(); }
    Batch(const Batch &) = delete; // callbacks have its address
    Batch &operator=(const Batch &) = delete;

  private:
    struct Member {
        Batch *batch;
        OnToken on_token;
        OnEnd on_end;
    };
    template <class Call>
    void guarded(Call &&call) {
        try {
            call();
        } catch (...) {
            if (!thrown_) thrown_ = std::current_exception();
        }
    }

    std::list<std::unique_ptr<Member>> members_; // a removed one stays until the batch goes
    std::exception_ptr thrown_;
    detail::Owner<ff_batch, ff_batch_destroy> handle_;
};

} // namespace firefinch

#endif
