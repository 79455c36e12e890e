"""Byte-level BPE: training, encoding, decoding, and the Hugging Face tokenizer.json form.

Ids: the 256 bytes in GPT-2's order, then the merges in the order learned, then the specials under
Llama-3's names. Digits take part in no merge, so every digit is a token of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Iterable

import pretokenize

BOS, EOS, EOT = "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"
SPECIALS = (BOS, EOS, EOT)


def byte_letters() -> list[str]:
    """The printable stand-in of each byte value, as GPT-2 made them."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {value: chr(value) for value in own}
    spare = 256
    for value in range(256):
        if value not in letters:
            letters[value] = chr(spare)
            spare += 1
    return [letters[value] for value in range(256)]


_LETTERS = byte_letters()
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}


def to_letters(text: str) -> str:
    """A text's UTF-8 bytes as stand-in letters."""
    return "".join(_LETTERS[value] for value in text.encode("utf-8"))


class Tokenizer:
    """A trained vocabulary: tokens[id] in stand-in letters, merges in order of rank."""

    def __init__(self, tokens: list[str], merges: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.merges = merges
        self.ids = {token: at for at, token in enumerate(tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._cache: dict[str, list[int]] = {}

    def _encode_piece(self, piece: str) -> list[int]:
        letters = to_letters(piece)
        if letters in self.ids:  # ignore_merges: a whole pre-token that is a token is taken as it is
            return [self.ids[letters]]
        parts = list(letters)
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self.merges)) for pair in zip(parts, parts[1:])]
            best = min(ranks)
            if best == len(self.merges):
                break
            at = ranks.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [self.ids[part] for part in parts]

    def encode(self, text: str) -> list[int]:
        """The ids of a plain text; no special token is added or recognised."""
        out: list[int] = []
        for piece in pretokenize.split(text):
            ids = self._cache.get(piece)
            if ids is None:
                ids = self._cache[piece] = self._encode_piece(piece)
            out += ids
        return out

    def encode_document(self, segments: Iterable[str]) -> list[int]:
        """The ids of a document: a segment that is a special is one id, any other plain text."""
        out: list[int] = []
        for segment in segments:
            if segment in SPECIALS:
                out.append(self.ids[segment])
            else:
                out += self.encode(segment)
        return out

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; specials are written by name, broken UTF-8 becomes U+FFFD."""
        data = bytearray()
        for at in ids:
            token = self.tokens[at]
            data += token.encode() if token in SPECIALS else bytes(_VALUES[c] for c in token)
        return data.decode("utf-8", errors="replace")

    def save(self, path: Path) -> None:
        """Writes tokenizer.json as Llama-3's are: BPE, byte level, ignore_merges, BOS added."""
        regex = (
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
        added = [
            {"id": self.ids[name], "content": name, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": True}
            for name in SPECIALS
        ]
        vocab = {token: at for at, token in enumerate(self.tokens) if token not in SPECIALS}
        bos = {"SpecialToken": {"id": BOS, "type_id": 0}}
        template = {
            "type": "TemplateProcessing",
            "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {BOS: {"id": BOS, "ids": [self.ids[BOS]], "tokens": [BOS]}},
        }
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        document = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
                byte_level,
            ]},
            "post_processor": template,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": True, "vocab": vocab, "merges": [" ".join(pair) for pair in self.merges]},
        }
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Tokenizer:
    """Reads a tokenizer.json that `save` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    by_id = {at: token for token, at in document["model"]["vocab"].items()}
    by_id.update({entry["id"]: entry["content"] for entry in document["added_tokens"]})
    merges = [tuple(pair.split(" ")) for pair in document["model"]["merges"]]
    return Tokenizer([by_id[at] for at in range(len(by_id))], merges)


def train(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learns merges until the vocabulary has `vocab_size` tokens, specials included.

    Ties between equally frequent pairs go to the pair that sorts first, so that the result does
    not depend on the order of a hash. A text too poor for that many merges is an error.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(pretokenize.split(text))
    words = [(list(to_letters(word)), count) for word, count in counts.items() if not word.isdigit()]
    tokens = sorted(_LETTERS, key=lambda letter: (ord(letter) >= 256, ord(letter)))
    merges: list[tuple[str, str]] = []
    pairs: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], set[int]] = {}
    for at, (parts, count) in enumerate(words):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += count
            where.setdefault(pair, set()).add(at)
    while len(tokens) + len(SPECIALS) < vocab_size:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if best is None or pairs[best] <= 0:
            raise ValueError(f"the text yields {len(tokens)} tokens, fewer than {vocab_size} asked for")
        joined = best[0] + best[1]
        merges.append(best)
        tokens.append(joined)
        for at in sorted(where[best]):
            parts, count = words[at]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= count
            i = 0
            while i + 1 < len(parts):
                if (parts[i], parts[i + 1]) == best:
                    parts[i : i + 2] = [joined]
                i += 1
            for pair in zip(parts, parts[1:]):
                pairs[pair] += count
                where.setdefault(pair, set()).add(at)
        del pairs[best]
    return Tokenizer(tokens + list(SPECIALS), merges)
