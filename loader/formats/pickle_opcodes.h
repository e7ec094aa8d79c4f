// The instructions of a pickle that the unpickler knows; names as in CPython's pickletools.
#pragma once

#include <cstdint>

namespace ff::loader::pickle_opcode {

// clang-format off
enum : std::uint8_t {
    // values
    kNone = 'N', kNewTrue = 0x88, kNewFalse = 0x89, kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M', kLong1 = 0x8A, kBinFloat = 'G',
    kShortBinUnicode = 0x8C, kBinUnicode = 'X', kBinUnicode8 = 0x8D, kShortBinBytes = 'C', kBinBytes = 'B', kBinBytes8 = 0x8E,
    // the stack
    kMark = '(', kPop = '0', kPopMark = '1', kDup = '2',
    // containers
    kEmptyTuple = ')', kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87, kTuple = 't', kEmptyList = ']', kList = 'l', kAppend = 'a',
    kAppends = 'e', kEmptyDict = '}', kDict = 'd', kSetItem = 's', kSetItems = 'u',
    // the memo
    kBinPut = 'q', kLongBinPut = 'r', kMemoize = 0x94, kBinGet = 'h', kLongBinGet = 'j',
    // names and calls
    kGlobal = 'c', kStackGlobal = 0x93, kReduce = 'R', kBuild = 'b', kBinPersId = 'Q',
    // the stream
    kProto = 0x80, kFrame = 0x95, kStop = '.',
};
// clang-format on

} // namespace ff::loader::pickle_opcode
