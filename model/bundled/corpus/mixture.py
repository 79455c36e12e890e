"""The training mixture: which share of the text is of which sort, as a stream of documents.

`documents(seed, held_out)` is deterministic: the same seed gives the same documents on any
machine and Python 3. Shards with different seeds are independent draws.
"""

from __future__ import annotations

import random
from typing import Iterator

from . import dialogue, echo, stories

# Sort and weight by documents. By characters: plain stories 36 %, told ones 22 %, talk 22 %,
# sums 9 %, project 8 %, world 3 %.
SORTS = {"story": 18, "told_story": 16, "talk": 28, "project": 14, "world": 8, "sums": 26}
ECHO_WEIGHT = 45


def _story_document(rng: random.Random, held_out: bool) -> list[str]:
    count = rng.choice((1, 1, 1, 2, 3))
    told = [stories.story(rng, held_out).text for _ in range(count)]
    return [dialogue.BOS, "\n\n".join(told), dialogue.EOS]


def one_document(rng: random.Random, held_out: bool, sort: str) -> list[str]:
    """One document of a sort, as segments."""
    if sort == "story":
        return _story_document(rng, held_out)
    if sort == "told_story":
        turns = dialogue.story_turns(rng, held_out)
    elif sort == "talk":
        turns = dialogue.talk_turns(rng, held_out, rng.randrange(1, 6))
    elif sort == "echo":
        turns = [echo.turn(rng) for _ in range(rng.randrange(1, 5))]
    elif sort == "sums":
        turns = [dialogue.sum_turn(rng, held_out) for _ in range(rng.randrange(1, 5))]
    else:
        count = rng.randrange(1, 4)
        turns = [dialogue.fact_turn(rng, held_out, sort == "project") for _ in range(count)]
    return dialogue.document(turns, rng)


def documents(seed: int, held_out: bool, with_echo: bool = False) -> Iterator[list[str]]:
    """An endless stream of documents; `with_echo` adds those that train copying alone."""
    rng = random.Random(seed * 2 + int(held_out))
    sorts = {**SORTS, "echo": ECHO_WEIGHT} if with_echo else SORTS
    names, weights = list(sorts), list(sorts.values())
    while True:
        yield one_document(rng, held_out, rng.choices(names, weights)[0])
