"""Repeating: "say this again" with random words and numbers, where every word of the reply is a copy.

Stories need copying too (a name, a colour, a digit of a sum), but there one word in ten depends on
it, and a small model can put it off for millions of tokens. Here each word does.
"""

from __future__ import annotations

import random

from . import words

_POOL = sorted(
    {*words.GIRLS, *words.BOYS, *words.PETS, *words.ANIMAL_KINDS, *words.COLOURS, *words.TOYS,
     *words.ADJECTIVES, *words.CRAFT_STUFF, *words.SMALL_ANIMALS, *words.BREAKABLES, *words.ELDERS}
)
_ASK = ["Repeat: {}", "Say: {}", "Repeat after me: {}", "Please repeat: {}", "Write this again: {}", "Say this: {}"]


def _item(rng: random.Random) -> str:
    return str(rng.randrange(10 ** rng.randrange(1, 4))) if rng.random() < 0.3 else rng.choice(_POOL)


def turn(rng: random.Random) -> tuple[str, str]:
    """A request to repeat two to twenty words, and the same words."""
    joint = rng.choice((" ", " ", ", "))
    said = joint.join(_item(rng) for _ in range(rng.randrange(2, 21)))
    return rng.choice(_ASK).format(said), said
