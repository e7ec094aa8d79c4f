#include "loader/formats/unpickler.h"

#include "loader/checked.h"
#include "loader/formats/pickle_opcodes.h"
#include "loader/formats/torch_globals.h"
#include "loader/text.h"

#include <fmt/format.h>

namespace ff::loader {

namespace {

using Kind = PickleValue::Kind;
using namespace pickle_opcode;

class Machine {
  public:
    Machine(const std::string &path, std::span<const std::byte> bytes) : path_(path), bytes_(bytes) {}

    Result<PickleDocument> run() {
        FF_TRY_ASSIGN(const auto first, number<std::uint8_t>());
        if (first != kProto) return fail("does not begin as a binary pickle");
        FF_TRY_ASSIGN(const auto protocol, number<std::uint8_t>());
        if (protocol < 2 || protocol > 5)
            return Error{Status::unsupported,
                         fmt::format("{}: data.pkl uses pickle protocol {}, expected 2 to 5; save it "
                                     "again with torch's default",
                                     printable(path_), protocol)};
        while (true) {
            instruction_ = at_;
            FF_TRY_ASSIGN(const auto opcode, number<std::uint8_t>());
            if (opcode == kStop) break;
            FF_TRY(execute(opcode));
        }
        FF_TRY_ASSIGN(document_.root, pop());
        return std::move(document_);
    }

  private:
    Error fail(const std::string &what) const {
        return Error{Status::model_file, fmt::format("{}: data.pkl {} (at byte {}); the file is damaged, get it again",
                                                     printable(path_), what, instruction_)};
    }
    Error too_large(std::string_view what) const {
        return Error{Status::model_file, fmt::format("{}: data.pkl has more than {} {}, which no checkpoint needs",
                                                     printable(path_), kPickleObjectLimit, what)};
    }
    // Puts the file's name before a sentence of torch_globals.
    Error about(Error error) const {
        const std::string_view verb = error.status == Status::unsupported ? "data.pkl" : "in data.pkl,";
        error.message = fmt::format("{}: {} {}", printable(path_), verb, error.message);
        return error;
    }

    // -- reading --------------------------------------------------------------------------------------------------

    template <class T>
    Result<T> number() {
        if (!fits(at_, sizeof(T), bytes_.size())) return fail("ends inside an instruction");
        const T value = load_le<T>(bytes_, at_);
        at_ += sizeof(T);
        return value;
    }

    Result<std::string_view> text(std::uint64_t size) {
        if (!fits(at_, size, bytes_.size())) return fail(fmt::format("ends inside a text of {} bytes", size));
        const std::string_view found(reinterpret_cast<const char *>(bytes_.data()) + at_,
                                     static_cast<std::size_t>(size));
        at_ += size;
        return found;
    }

    template <class Length>
    Result<void> push_text(Kind kind) {
        FF_TRY_ASSIGN(const Length length, number<Length>());
        FF_TRY_ASSIGN(const std::string_view found, text(length));
        return push({.kind = kind, .text = found});
    }

    Result<std::string_view> line() {
        const std::string_view rest(reinterpret_cast<const char *>(bytes_.data()) + at_, bytes_.size() - at_);
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) return fail("ends inside a name");
        at_ += end + 1;
        return rest.substr(0, end);
    }

    Result<std::int64_t> long1() {
        FF_TRY_ASSIGN(const auto size, number<std::uint8_t>());
        if (size > 8) return fail(fmt::format("has an integer of {} bytes, expected at most 8", size));
        FF_TRY_ASSIGN(const std::string_view digits, text(size));
        std::uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? UINT64_MAX : 0; // sign extension
        for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
        return static_cast<std::int64_t>(value);
    }

    // -- the stack ------------------------------------------------------------------------------------------------

    Result<void> push(const PickleValue &value) {
        if (stack_.size() >= kPickleObjectLimit) return too_large("values on its stack");
        stack_.push_back(value);
        return {};
    }
    Result<void> push_integer(std::int64_t value) { return push({.kind = Kind::integer, .integer = value}); }

    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

    Result<PickleValue> pop() {
        if (stack_.size() <= floor()) return fail("takes a value that is not there");
        const PickleValue value = stack_.back();
        stack_.pop_back();
        return value;
    }

    Result<PickleValue> top(Kind kind) {
        if (stack_.size() <= floor()) return fail("uses a value that is not there");
        if (stack_.back().kind != kind)
            return fail(fmt::format("has {} where it needs {}", name_of(stack_.back().kind), name_of(kind)));
        return stack_.back();
    }

    // Everything above the last mark, which goes too.
    Result<std::vector<PickleValue>> pop_to_mark() {
        if (marks_.empty()) return fail("closes a group that was never opened");
        const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<PickleValue> items(begin, stack_.end());
        stack_.erase(begin, stack_.end());
        marks_.pop_back();
        return items;
    }

    // -- containers -----------------------------------------------------------------------------------------------

    Result<void> count_items(std::size_t count) {
        items_ += count; // count is at most the stack's size, so this cannot wrap
        if (items_ > kPickleObjectLimit) return too_large("items in its containers");
        return {};
    }

    Result<void> push_sequence(Kind kind, std::vector<PickleValue> items) {
        FF_TRY(count_items(items.size()));
        if (document_.sequences.size() >= kPickleObjectLimit) return too_large("tuples and lists");
        document_.sequences.push_back(std::move(items));
        return push({.kind = kind, .index = static_cast<std::uint32_t>(document_.sequences.size() - 1)});
    }

    Result<void> push_tuple(std::size_t size) {
        std::vector<PickleValue> items(size);
        for (std::size_t i = size; i-- > 0;) {
            FF_TRY_ASSIGN(items[i], pop());
        }
        return push_sequence(Kind::tuple, std::move(items));
    }

    Result<void> push_dict(const std::vector<PickleValue> &items) {
        if (document_.dicts.size() >= kPickleObjectLimit) return too_large("dictionaries");
        document_.dicts.emplace_back();
        const auto index = static_cast<std::uint32_t>(document_.dicts.size() - 1);
        FF_TRY(set_items(index, items));
        return push({.kind = Kind::dict, .index = index});
    }

    Result<void> set_items(std::uint32_t dict, const std::vector<PickleValue> &items) {
        if (items.size() % 2 != 0) return fail("has a dictionary key without a value");
        FF_TRY(count_items(items.size()));
        for (std::size_t i = 0; i < items.size(); i += 2) document_.dicts[dict].emplace_back(items[i], items[i + 1]);
        return {};
    }

    Result<void> append(std::uint32_t list, const std::vector<PickleValue> &items) {
        FF_TRY(count_items(items.size()));
        auto &target = document_.sequences[list];
        target.insert(target.end(), items.begin(), items.end());
        return {};
    }

    // -- the memo -------------------------------------------------------------------------------------------------

    Result<void> put(std::uint64_t index) {
        if (index >= kPickleObjectLimit) return too_large("remembered values");
        if (stack_.size() <= floor()) return fail("remembers a value that is not there");
        if (index >= memo_.size()) {
            memo_.resize(static_cast<std::size_t>(index) + 1);
            remembered_.resize(memo_.size(), false);
        }
        memo_[static_cast<std::size_t>(index)] = stack_.back();
        if (!remembered_[static_cast<std::size_t>(index)]) ++memoized_;
        remembered_[static_cast<std::size_t>(index)] = true;
        return {};
    }

    Result<void> get(std::uint64_t index) {
        if (index >= memo_.size() || !remembered_[static_cast<std::size_t>(index)])
            return fail(fmt::format("recalls value {}, which it never stored", index));
        return push(memo_[static_cast<std::size_t>(index)]);
    }

    // -- names and calls ------------------------------------------------------------------------------------------

    Result<void> push_global(std::string_view module, std::string_view name) {
        auto found = find_torch_global(module, name);
        if (!found.ok()) return about(std::move(found).error());
        return push({.kind = Kind::global, .global = *found});
    }

    Result<void> stack_global() {
        FF_TRY_ASSIGN(const PickleValue name, pop());
        FF_TRY_ASSIGN(const PickleValue module, pop());
        if (name.kind != Kind::text || module.kind != Kind::text)
            return fail("names a global by something else than text");
        return push_global(module.text, name.text);
    }

    Result<void> reduce() {
        FF_TRY_ASSIGN(const PickleValue arguments, pop());
        FF_TRY_ASSIGN(const PickleValue callable, pop());
        if (callable.kind != Kind::global) return fail(fmt::format("calls {}", name_of(callable.kind)));
        auto made = call_torch_global(document_, callable.global, arguments);
        if (!made.ok()) return about(std::move(made).error());
        return push(*made);
    }

    Result<void> persistent_id() {
        FF_TRY_ASSIGN(const PickleValue id, pop());
        auto storage = load_torch_storage(document_, id);
        if (!storage.ok()) return about(std::move(storage).error());
        return push(*storage);
    }

    Result<void> execute(std::uint8_t opcode);

    const std::string &path_;
    std::span<const std::byte> bytes_;
    std::uint64_t at_ = 0, instruction_ = 0;
    std::vector<PickleValue> stack_, memo_;
    std::vector<bool> remembered_;
    std::vector<std::size_t> marks_;
    std::size_t items_ = 0, memoized_ = 0; // memoized_: values in the memo, which is MEMOIZE's next index
    PickleDocument document_;
};

Result<void> Machine::execute(std::uint8_t opcode) {
    switch (opcode) {
    case kNone:
        return push({});
    case kNewTrue:
        return push({.kind = Kind::boolean, .integer = 1});
    case kNewFalse:
        return push({.kind = Kind::boolean, .integer = 0});
    case kBinInt: {
        FF_TRY_ASSIGN(const auto value, number<std::int32_t>());
        return push_integer(value);
    }
    case kBinInt1: {
        FF_TRY_ASSIGN(const auto value, number<std::uint8_t>());
        return push_integer(value);
    }
    case kBinInt2: {
        FF_TRY_ASSIGN(const auto value, number<std::uint16_t>());
        return push_integer(value);
    }
    case kLong1: {
        FF_TRY_ASSIGN(const std::int64_t value, long1());
        return push_integer(value);
    }
    case kBinFloat: { // a value that only a wrapper's other entries can hold: kept as a kind, not as a number
        FF_TRY(number<std::uint64_t>());
        return push({.kind = Kind::real});
    }
    case kShortBinUnicode:
        return push_text<std::uint8_t>(Kind::text);
    case kBinUnicode:
        return push_text<std::uint32_t>(Kind::text);
    case kBinUnicode8:
        return push_text<std::uint64_t>(Kind::text);
    case kShortBinBytes:
        return push_text<std::uint8_t>(Kind::bytes);
    case kBinBytes:
        return push_text<std::uint32_t>(Kind::bytes);
    case kBinBytes8:
        return push_text<std::uint64_t>(Kind::bytes);

    case kMark:
        if (marks_.size() >= kPickleObjectLimit) return too_large("open groups");
        marks_.push_back(stack_.size());
        return {};
    case kPop: // on an empty group it takes the mark itself
        if (!marks_.empty() && stack_.size() == marks_.back())
            marks_.pop_back();
        else
            FF_TRY(pop());
        return {};
    case kPopMark:
        FF_TRY(pop_to_mark());
        return {};
    case kDup:
        if (stack_.size() <= floor()) return fail("repeats a value that is not there");
        return push(PickleValue(stack_.back()));

    case kEmptyTuple:
        return push_tuple(0);
    case kTuple1:
        return push_tuple(1);
    case kTuple2:
        return push_tuple(2);
    case kTuple3:
        return push_tuple(3);
    case kEmptyList:
        return push_sequence(Kind::list, {});
    case kEmptyDict:
        return push_dict({});
    case kTuple:
    case kList: {
        FF_TRY_ASSIGN(std::vector<PickleValue> items, pop_to_mark());
        return push_sequence(opcode == kTuple ? Kind::tuple : Kind::list, std::move(items));
    }
    case kDict: {
        FF_TRY_ASSIGN(const std::vector<PickleValue> items, pop_to_mark());
        return push_dict(items);
    }
    case kAppend: {
        FF_TRY_ASSIGN(const PickleValue item, pop());
        FF_TRY_ASSIGN(const PickleValue list, top(Kind::list));
        return append(list.index, {item});
    }
    case kAppends: {
        FF_TRY_ASSIGN(const std::vector<PickleValue> items, pop_to_mark());
        FF_TRY_ASSIGN(const PickleValue list, top(Kind::list));
        return append(list.index, items);
    }
    case kSetItem: {
        FF_TRY_ASSIGN(const PickleValue value, pop());
        FF_TRY_ASSIGN(const PickleValue key, pop());
        FF_TRY_ASSIGN(const PickleValue dict, top(Kind::dict));
        return set_items(dict.index, {key, value});
    }
    case kSetItems: {
        FF_TRY_ASSIGN(const std::vector<PickleValue> items, pop_to_mark());
        FF_TRY_ASSIGN(const PickleValue dict, top(Kind::dict));
        return set_items(dict.index, items);
    }

    case kBinPut: {
        FF_TRY_ASSIGN(const auto index, number<std::uint8_t>());
        return put(index);
    }
    case kLongBinPut: {
        FF_TRY_ASSIGN(const auto index, number<std::uint32_t>());
        return put(index);
    }
    case kMemoize:
        return put(memoized_);
    case kBinGet: {
        FF_TRY_ASSIGN(const auto index, number<std::uint8_t>());
        return get(index);
    }
    case kLongBinGet: {
        FF_TRY_ASSIGN(const auto index, number<std::uint32_t>());
        return get(index);
    }

    case kGlobal: {
        FF_TRY_ASSIGN(const std::string_view module, line());
        FF_TRY_ASSIGN(const std::string_view name, line());
        return push_global(module, name);
    }
    case kStackGlobal:
        return stack_global();
    case kReduce:
        return reduce();
    case kBinPersId:
        return persistent_id();
    case kBuild: { // nn.Module.state_dict() hangs _metadata on its OrderedDict; it says nothing about the tensors
        FF_TRY_ASSIGN(const PickleValue state, pop());
        if (state.kind != Kind::dict) return fail(fmt::format("sets attributes from {}", name_of(state.kind)));
        FF_TRY(top(Kind::dict));
        return {};
    }
    case kFrame: { // only a hint for buffering
        FF_TRY_ASSIGN(const auto length, number<std::uint64_t>());
        if (!fits(at_, length, bytes_.size())) return fail("ends inside a frame");
        return {};
    }
    default:
        return Error{
            Status::unsupported,
            fmt::format("{}: data.pkl uses pickle instruction 0x{:02x} at byte {}, which a checkpoint of tensors "
                        "has no need for; save the plain state dict",
                        printable(path_), opcode, instruction_)};
    }
}

} // namespace

std::string_view name_of(PickleValue::Kind kind) {
    switch (kind) {
    case Kind::none:
        return "None";
    case Kind::boolean:
        return "a boolean";
    case Kind::integer:
        return "an integer";
    case Kind::real:
        return "a float";
    case Kind::text:
        return "a text";
    case Kind::bytes:
        return "a byte string";
    case Kind::tuple:
        return "a tuple";
    case Kind::list:
        return "a list";
    case Kind::dict:
        return "a dictionary";
    case Kind::global:
        return "a name";
    case Kind::storage:
        return "a storage";
    case Kind::tensor:
        return "a tensor";
    }
    return "?";
}

Result<PickleDocument> unpickle(const std::string &path, std::span<const std::byte> bytes) {
    return Machine(path, bytes).run();
}

} // namespace ff::loader
