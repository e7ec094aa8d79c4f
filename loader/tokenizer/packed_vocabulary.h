// The published vocabularies as the library carries them: data/world.bin and data/20b.bin, which
// data/pack_vocabulary.py makes. Numbers are little-endian.
//
// World: "ffvw", u32 tokens. Then tokens by length, shortest first, in groups: u8 length, u16 how many; for each, in
// the order of bytes: u8 how many bytes it shares with the one before it in the group, and the rest of its bytes. Ids
// count from 1.
//
// 20B: "ffvb", u16 id of the first byte, u16 how many bytes have an id, and they, ids counting up; u32 merges, and for
// each u16 left and u16 right, ids counting on, earlier ones going first; u16 added tokens, and for each u16 id, u8 1
// if it is looked for after NFC, u8 length, its bytes.
#pragma once

#include "loader/tokenizer/neox_vocabulary.h"
#include "loader/tokenizer/text_table.h"

#include <span>

namespace ff::loader {

// Both fail with model_file where anything is not as said above; `name` begins the message.
Result<TextTable> unpack_world(const std::string &name, std::span<const std::byte> packed);
Result<NeoxVocabulary> unpack_20b(const std::string &name, std::span<const std::byte> packed);

// What is compiled in.
std::span<const std::byte> packed_world();
std::span<const std::byte> packed_20b();

} // namespace ff::loader
