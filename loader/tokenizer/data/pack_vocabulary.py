#!/usr/bin/env python3
"""Makes world.bin and 20b.bin from the published vocabularies; loader/tokenizer/packed_vocabulary.h has the format.

  pack_vocabulary.py rwkv_vocab_v20230424.txt 20B_tokenizer.json
"""
import ast
import json
import struct
import sys
from itertools import groupby
from pathlib import Path


def shared(a, b):
    """How many bytes a and b begin with in common."""
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return count


def pack_world(path):
    tokens = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        identifier, rest = line.split(" ", 1)
        literal, length = rest.rsplit(" ", 1)
        token = ast.literal_eval(literal)
        token = token.encode() if isinstance(token, str) else token
        assert int(identifier) == number and int(length) == len(token), line
        tokens.append(token)
    assert tokens == sorted(tokens, key=lambda token: (len(token), token)), "ids are expected to follow length and bytes"
    out = b"ffvw" + struct.pack("<I", len(tokens))
    for length, group in groupby(tokens, len):
        group = list(group)
        out += struct.pack("<BH", length, len(group))
        before = b""
        for token in group:
            same = shared(before, token)
            out += bytes([same]) + token[same:]
            before = token
    return out


def byte_alphabet():
    """GPT-2's: each byte as one visible character."""
    hidden = 0x100
    characters = {}
    for byte in range(256):
        visible = 0x20 < byte < 0x7F or (byte > 0xA0 and byte != 0xAD)
        characters[chr(byte if visible else hidden)] = byte
        hidden += not visible
    return characters


def pack_20b(path):
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    vocabulary, merges = tokenizer["model"]["vocab"], tokenizer["model"]["merges"]
    alphabet = byte_alphabet()
    singles = sorted((vocabulary[character], byte) for character, byte in alphabet.items() if character in vocabulary)
    first = singles[0][0]
    assert [identifier for identifier, _ in singles] == list(range(first, first + len(singles)))
    out = b"ffvb" + struct.pack("<HH", first, len(singles)) + bytes(byte for _, byte in singles)
    out += struct.pack("<I", len(merges))
    for number, merge in enumerate(merges):
        left, right = merge.split(" ")
        assert vocabulary[left + right] == first + len(singles) + number, merge
        out += struct.pack("<HH", vocabulary[left], vocabulary[right])
    out += struct.pack("<H", len(tokenizer["added_tokens"]))
    for token in tokenizer["added_tokens"]:
        content = token["content"].encode()
        out += struct.pack("<HBB", token["id"], token["normalized"], len(content)) + content
    return out


def main():
    world, twenty = (Path(argument) for argument in sys.argv[1:3])
    here = Path(__file__).resolve().parent
    (here / "world.bin").write_bytes(pack_world(world))
    (here / "20b.bin").write_bytes(pack_20b(twenty))


if __name__ == "__main__":
    main()
