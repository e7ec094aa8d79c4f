#include "runtime/engine/sliced_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace ff::engine {
namespace {

// With one slice in flight beside the one that runs the device does not wait for the host; a host that is frames ahead
// of the device may have more of them.
constexpr std::size_t kMostSlices = 4;
constexpr std::uint32_t kMostPromptSteps = 16; // of a slice
constexpr std::uint32_t kMostMeasured = 64;    // launches of a slice that are measured one by one
constexpr std::uint64_t kMeasureEvery = 64;    // slices
constexpr std::uint64_t kMostWideSteps = shader::kWideQueueLength - 1;
// What must be in the ring beyond a token that is read singly, so that the step does not take it for the last.
constexpr std::size_t kPromptAhead = 1;
static_assert(Session::kMaxInFlight <= shader::kProducedLength &&
              kMostWideSteps * model::kPromptRows + kPromptAhead <= shader::kPromptLength);

} // namespace

Session::Run::Run(Session &session, std::vector<std::uint32_t> prompt, std::optional<GenerateOptions> options)
    : session_(session), model_(*session.model_), prompt_(std::move(prompt)), options_(std::move(options)) {
    if (!options_) return;
    const std::uint32_t asked = options_->in_flight ? options_->in_flight : kDefaultInFlight;
    // A caller who may stop after a token must not be overtaken by a step that reads the next one.
    in_flight_ = options_->on_token ? 1 : std::clamp(asked, 1U, kMaxInFlight);
}

Result<std::unique_ptr<Session::Run>> Session::Run::start(Session &session, std::vector<std::uint32_t> prompt,
                                                          std::optional<GenerateOptions> options) {
    std::unique_ptr<Run> run(new Run(session, std::move(prompt), std::move(options)));
    run->wide_ = run->prompt_.empty() ? 0 : session.wide_share(run->prompt_.size());
    FF_TRY_ASSIGN(run->lane_,
                  run->model_.lanes().take({.reads_prompts = run->wide_ > 0, .keeps_hidden = session.keeps_hidden_}));
    FF_TRY(run->pin());
    run->lane_->clear(session.slot());
    volatile shader::ControlEntry &entry = run->lane_->entry();
    entry.parity = session.entry().parity;
    if (run->options_) begin_generating(entry, *run->options_);
    return run;
}

Result<void> Session::Run::pin() {
    StatePager &pager = model_.pager();
    FF_TRY_ASSIGN(pinned_, pager.pin_without_eviction(session_.number_));
    if (!pinned_) { // another session has to leave, which must not be at work
        const std::lock_guard lock(model_.mutex());
        FF_TRY(pager.bring_in(session_.number_));
        pager.pin(session_.number_);
        pinned_ = true;
    }
    return pager.wait(); // slices may run on another queue
}

void Session::Run::give_back() {
    model_.lanes().give(std::move(lane_));
    if (std::exchange(pinned_, false)) model_.pager().unpin(session_.number_);
}

Session::Run::~Run() {
    if (!lane_) return;
    for (const Slice &slice : slices_) {
        if (slice.value) (void)model_.timeline().wait(slice.value);
        if (slice.mark) lane_->clock().give(slice.mark);
    }
    give_back();
}

bool Session::Run::put_prompt(std::size_t until) {
    volatile shader::ControlEntry &entry = lane_->entry();
    // The device counts what finished steps have read.
    if (until - entry.prompt_read > shader::kPromptLength) return false;
    for (; put_ < until; ++put_) entry.prompt[put_ % shader::kPromptLength] = prompt_[put_];
    entry.prompt_end = static_cast<std::uint32_t>(put_);
    return true;
}

void Session::Run::begin(SlicedStep &step, std::uint32_t rows, bool samples, bool answers) {
    step_.step = &step;
    step_.at = 0;
    step_.rows = rows;
    step_.samples = samples;
    step_.learns = true;
    std::vector<LaunchCosts::Class> &classes = classes_[{&step, rows, answers}];
    for (auto i = static_cast<std::uint32_t>(classes.size()); i < step.count(); ++i)
        classes.push_back(model_.costs().class_of(step.launch(i), std::max(rows, 1U), answers));
    step_.classes = &classes;
}

bool Session::Run::begin_prompt_step() {
    const bool wide = begun_ < wide_;
    const std::size_t most = model_.loaded().prompt_plan().rows; // a slice cannot be shorter than a launch
    const std::size_t rows = wide ? std::min({session_.wide_rows(), most, wide_ - begun_}) : 1;
    const bool last = begun_ + rows == prompt_.size();
    if (wide) {
        if (wide_begun_ - wide_finished_ == kMostWideSteps || !put_prompt(begun_ + rows)) return false;
        const ControlBlock::Run run{0, static_cast<std::uint32_t>(rows), !last};
        lane_->control().enqueue_wide(wide_begun_++, std::span(&run, 1));
    } else if (!put_prompt(std::min(begun_ + 1 + kPromptAhead, prompt_.size()))) {
        return false;
    }
    begun_ += rows;
    if (last && options_) ++asked_;
    begin(wide ? *lane_->prompt() : lane_->decode(), static_cast<std::uint32_t>(rows), last && options_, last);
    return true;
}

bool Session::Run::begin_step() {
    if (cancelled_ || halted_) return false;
    if (begun_ < prompt_.size()) return begin_prompt_step();
    if (!options_ || closed_ || asked_ - delivered_ >= in_flight_) return false;
    const bool samples = asked_ < options_->count;
    if (samples)
        ++asked_;
    else
        closed_ = true;
    begin(lane_->decode(), 0, samples, true);
    step_.learns = asked_ > 1; // the first has no token to read where there was no prompt
    return true;
}

void Session::Run::take_launches(Slice &slice, double budget_us) {
    const LaunchCosts &costs = model_.costs();
    const std::uint32_t first = step_.at;
    if (slice.classes.empty())
        slice.singly = costs.wants_measuring(step_.classes->at(first)) || (slice_number_ + 1) % kMeasureEvery == 0;
    const std::uint32_t most = !slice.singly ? step_.step->count() : lane_->clock().available() ? kMostMeasured : 1;
    for (; step_.at < step_.step->count() && step_.at - first < most; ++step_.at) {
        const LaunchCosts::Class next = step_.classes->at(step_.at);
        const double cost = costs.microseconds(next);
        if (!slice.classes.empty()) {
            if (slice.expected_us + cost > budget_us) break;
            if (!slice.singly && costs.wants_measuring(next)) break; // by itself, in the next slice
        }
        slice.expected_us += cost;
        slice.classes.push_back(next);
    }
    if (step_.at == first) return;
    slice.pieces.push_back({step_.step, first, step_.at});
    slice.learns = slice.learns && step_.learns;
}

Session::Run::Slice Session::Run::choose(std::uint64_t budget_us) {
    Slice slice;
    if (over() || budget_us == 0 || slices_.size() >= kMostSlices) return slice;
    const double budget = budget_us == kUnlimited ? std::numeric_limits<double>::max()
                                                  : static_cast<double>(budget_us) / model_.costs().margin();
    for (std::uint32_t steps = 0;; ++steps) {
        // Of the tokens that may be in flight half are in a slice, so that the device does not wait for the host.
        const std::uint64_t most =
            begun_ < prompt_.size() ? kMostPromptSteps : std::max<std::uint64_t>(1, in_flight_ / 2);
        if (!step_.step && (steps >= most || !begin_step())) break;
        take_launches(slice, budget);
        if (step_.at < step_.step->count()) break;
        slice.rows += step_.rows;
        slice.samples += step_.samples ? 1 : 0;
        slice.wide_steps += step_.step == lane_->prompt() ? 1 : 0;
        step_.step = nullptr;
        if (slice.singly) break;
    }
    if (!slice.pieces.empty()) slice.number = ++slice_number_;
    return slice;
}

// Of a slice that was chosen: its launches count as submitted, so if they were not, the state cannot be gone on from.
Result<SliceProgress> Session::Run::keep(Slice slice, Result<void> submitted) {
    if (!submitted.ok()) {
        (void)model_.timeline().wait(model_.timeline().submitted());
        slices_.clear();
        end(false);
        return submitted.error();
    }
    const SliceProgress made = progress(slice);
    if (slice.value) last_submission_ = slice.value;
    if (slice.number) slices_.push_back(std::move(slice));
    return made;
}

Result<SliceProgress> Session::Run::advance(std::uint64_t budget_us, const gpu::SubmitOrder &order) {
    FF_TRY(collect());
    Slice slice = choose(budget_us);
    Result<void> submitted;
    if (slice.number)
        submitted = submit(slice, order);
    else if (!order.wait.empty() || !order.signal.empty()) // what waits for this call must not wait for ever
        FF_TRY(model_.timeline().submit_together({}, order));
    return keep(std::move(slice), std::move(submitted));
}

Result<SliceProgress> Session::Run::record(VkCommandBuffer commands, std::uint64_t budget_us) {
    FF_TRY(collect());
    Slice slice = choose(budget_us);
    Result<void> recorded;
    if (slice.number) recorded = record_into(commands, slice);
    return keep(std::move(slice), std::move(recorded));
}

void Session::Run::retire(std::uint64_t number) {
    for (Slice &slice : slices_)
        if (slice.value == 0 && slice.number <= number) slice.retired = true;
}

Result<bool> Session::Run::has_finished(const Slice &slice) {
    if (slice.value == 0) return slice.retired;
    FF_TRY_ASSIGN(const std::uint64_t completed, model_.timeline().completed());
    return completed >= slice.value;
}

Result<void> Session::Run::learn(Slice &slice) {
    LaunchCosts &costs = model_.costs();
    const bool learns = slice.learns && !halted_ && !cancelled_; // else a part of it may have had no work
    double took = slice.waited_us;
    if (slice.each) {
        FF_TRY_ASSIGN(const std::vector<double> at, slice.each->read_microseconds());
        took = at.back();
        for (std::size_t i = 0; learns && i < slice.classes.size(); ++i)
            costs.measured(slice.classes[i], at[i + 1] - at[i]);
    } else {
        if (slice.mark) {
            FF_TRY_ASSIGN(took, SliceClock::microseconds(*slice.mark));
            lane_->clock().give(slice.mark);
        }
        if (learns && took > 0) {
            if (slice.singly)
                costs.measured(slice.classes.front(), took);
            else
                costs.measured(slice.classes, took);
        }
    }
    ++finished_slices_;
    finished_us_ += took;
    longest_us_ = std::max(longest_us_, took);
    return {};
}

Result<void> Session::Run::collect() {
    while (!over() && !slices_.empty()) {
        Slice &slice = slices_.front();
        FF_TRY_ASSIGN(const bool finished, has_finished(slice));
        if (!finished) break;
        read_ += slice.rows;
        sampled_ += slice.samples;
        wide_finished_ += slice.wide_steps;
        // A step that has finished sampled its token, unless that was one to stop at.
        halted_ = halted_ || (!cancelled_ && lane_->entry().produced < sampled_);
        FF_TRY(learn(slice));
        slices_.pop_front();
    }
    if (over()) return {};
    if (halted_) {
        step_.step = nullptr; // of what is in it nothing has work
        reason_ = StopReason::stop_token;
    }
    if (!cancelled_) deliver(std::min<std::uint64_t>(sampled_, lane_->entry().produced));
    if (slices_.empty() && !step_.step) settle();
    return {};
}

void Session::Run::deliver(std::uint64_t produced) {
    while (delivered_ < produced) {
        const std::uint32_t token = lane_->entry().tokens[delivered_++ % shader::kProducedLength];
        if (!options_->on_token) {
            tokens_.push_back(token);
        } else if (!options_->on_token(token)) {
            cancel();
            return;
        }
    }
}

void Session::Run::settle() {
    volatile shader::ControlEntry &entry = lane_->entry();
    if (cancelled_) {
        if (entry.pending != 0 && entry.produced == delivered_) { // it was delivered, so it is read
            entry.stop_request = 0;
            entry.generating = 0;
            begin(lane_->decode(), 0, false, true);
            return;
        }
        deliver(entry.produced - entry.pending); // and what was read is delivered
        read_ = entry.prompt_read;
    } else if (begun_ < prompt_.size() || (options_ && !closed_ && !halted_)) {
        return;
    }
    end(read_ == 0 ? session_.has_logits_ : read_ == prompt_.size());
}

void Session::Run::end(bool has_logits) {
    session_.begin_from(lane_->entry().parity, has_logits);
    step_.step = nullptr;
    give_back();
}

void Session::Run::cancel() {
    if (over() || cancelled_) return;
    cancelled_ = true;
    reason_ = StopReason::callback;
    lane_->entry().stop_request = 1; // steps that have not begun on the device do nothing
    if (step_.at == 0) step_.step = nullptr;
}

// Whether another step could be begun, or a begun one gone on with, before anything finishes.
bool Session::Run::has_more() const {
    if (step_.step) return true;
    if (over() || cancelled_ || halted_) return false;
    return begun_ < prompt_.size() || (options_ && !closed_ && asked_ - delivered_ < in_flight_);
}

Result<void> Session::Run::wait() {
    if (slices_.size() >= 2 || (!slices_.empty() && !has_more())) {
        const Slice &slice = slices_.front();
        if (slice.value == 0 && !slice.retired)
            return Error{
                Status::argument,
                fmt::format("slice {} is in a command buffer of the host's: say with ff_session_retire when it "
                            "has finished",
                            slice.number)};
        if (slice.value) FF_TRY(model_.timeline().wait(slice.value));
    }
    return collect();
}

Result<void> Session::Run::finish() {
    while (true) {
        FF_TRY(advance(kUnlimited, {}));
        if (over()) return {};
        FF_TRY(wait());
    }
}

SliceProgress Session::Run::progress(const Slice &slice) {
    SliceProgress made;
    made.state = over()                                              ? RunState::idle
                 : cancelled_                                        ? RunState::ending
                 : begun_ < prompt_.size() || read_ < prompt_.size() ? RunState::reading
                                                                     : RunState::generating;
    made.slice = slice.number;
    made.value = slice.value;
    made.launches = static_cast<std::uint32_t>(slice.classes.size());
    made.expected_us = slice.expected_us;
    made.finished = std::exchange(finished_slices_, 0);
    made.finished_us = std::exchange(finished_us_, 0);
    made.longest_us = std::exchange(longest_us_, 0);
    made.prompt_read = read_;
    made.produced = delivered_;
    made.reason = reason_;
    if (step_.step) {
        made.next_launch = step_.at;
        made.step_launches = step_.step->count();
    }
    return made;
}

} // namespace ff::engine
