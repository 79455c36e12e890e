"""Writes what training reads: tokenizer.json and rows of token ids, from the corpus generator.

A row is `context + 1` ids. Documents are packed from a row's start, so that every row begins with
<|begin_of_text|> as every prompt does; the last document of a row is cut where the row ends.
Shards have seeds of their own, so that the result does not depend on how many processes made it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
from array import array
from pathlib import Path

import tokenizer
from corpus import mixture
from shape import Shape

TOKENIZER_SEED, TOKENIZER_DOCUMENTS = 1, 6000
TRAIN_SEED, HELD_OUT_SEED = 1000, 2
SHARD_ROWS = 1000
ECHO_SHARDS = range(8, 15)  # whose mixture holds echo documents: train.py's steps 1000 to 1875


def make_tokenizer(vocab: int) -> tokenizer.Tokenizer:
    """The tokenizer of the bundled model; only training text is looked at."""
    documents = itertools.islice(mixture.documents(TOKENIZER_SEED, False), TOKENIZER_DOCUMENTS)
    texts = (part for document in documents for part in document if part not in tokenizer.SPECIALS)
    return tokenizer.train(texts, vocab)


def make_rows(work: tuple[Path, int, bool, bool, int, int]) -> tuple[bytes, int]:
    """One shard: (rows as little-endian uint16, characters of text used)."""
    path, seed, held_out, with_echo, rows, width = work
    coder = tokenizer.load(path)
    out, row, characters = array("H"), array("H"), 0
    for document in mixture.documents(seed, held_out, with_echo):
        row.extend(coder.encode_document(document))
        characters += sum(map(len, document))
        if len(row) >= width:
            out.extend(row[:width])
            row = array("H")
            if len(out) == rows * width:
                return out.tobytes(), characters
    raise AssertionError("the document stream is endless")


def prepare(folder: Path, shape: Shape, tokens: int, processes: int) -> None:
    """Writes tokenizer.json, train.bin, held_out.bin and data.json into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    make_tokenizer(shape.vocab).save(path)
    width = shape.context + 1
    shards = -(-tokens // (SHARD_ROWS * shape.context))
    works = [
        (path, TRAIN_SEED + at, False, at in ECHO_SHARDS, SHARD_ROWS, width) for at in range(shards)
    ]
    characters = 0
    with multiprocessing.Pool(processes) as pool, open(folder / "train.bin", "wb") as out:
        for data, used in pool.imap(make_rows, works):
            out.write(data)
            characters += used
    data, _ = make_rows((path, HELD_OUT_SEED, True, False, 200, width))
    (folder / "held_out.bin").write_bytes(data)
    facts = {"rows": shards * SHARD_ROWS, "row_tokens": width, "characters": characters}
    (folder / "data.json").write_text(json.dumps(facts, indent=1) + "\n")


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--tokens", type=int, default=20_000_000)
    arguments.add_argument("--processes", type=int, default=2)
    given = arguments.parse_args()
    prepare(given.folder, Shape(), given.tokens, given.processes)


if __name__ == "__main__":
    main()
