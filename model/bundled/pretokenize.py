"""The Llama-3 pre-tokenizer: cuts a text into the pieces inside which byte pairs may merge.

Python's own regular expressions know no Unicode categories, so the classes of letters (L) and
numbers (N) are made from unicodedata's table once a process; the pattern's meaning is Llama-3's.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache


def _class_of(category: str) -> str:
    """The code points of a major category, as ranges for a character class."""
    ranges: list[tuple[int, int]] = []
    for point in range(sys.maxunicode + 1):
        if unicodedata.category(chr(point))[0] != category:
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)


@lru_cache(maxsize=1)
def pattern() -> re.Pattern[str]:
    """The compiled pattern; every character of a text falls into exactly one match."""
    letters, numbers = _class_of("L"), _class_of("N")
    return re.compile(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
        rf"|[^\r\n{letters}{numbers}]?[{letters}]+"
        rf"|[{numbers}]{{1,3}}"
        rf"| ?[^\s{letters}{numbers}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def split(text: str) -> list[str]:
    """The pre-tokens of a text; joined they are the text again."""
    return pattern().findall(text)
