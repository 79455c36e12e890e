"""A small template language: the only way the corpus package writes sentences.

    [a|b|c]   one of the alternatives, chosen evenly; alternatives nest and may be empty
    {slot}    the value of a slot; {Slot} the same with its first letter in upper case

A template is parsed once and rendered many times. An unknown slot is a KeyError, a bracket that
does not close a ValueError: a fault in the text is found by the first run, not by a reader.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Mapping, Tuple, Union

# A node is a literal, a ("slot", name, capital) or a ("pick", (sequence, ...)).
Node = Union[str, tuple]
Sequence_ = Tuple[Node, ...]


def _parse(text: str, at: int, depth: int) -> tuple[list[Sequence_], int]:
    """Parses alternatives from `at` to the bracket that closes them (or the end at depth 0)."""
    alternatives: list[Sequence_] = []
    nodes: list[Node] = []
    literal = ""
    while at < len(text):
        c = text[at]
        if c in "[{|]":
            if literal and not (c == "|" and depth == 0):
                nodes.append(literal)
                literal = ""
        if c == "[":
            inner, at = _parse(text, at + 1, depth + 1)
            nodes.append(("pick", tuple(inner)))
        elif c == "{":
            end = text.index("}", at)
            name = text[at + 1 : end]
            nodes.append(("slot", name.lower(), name[0].isupper()))
            at = end + 1
        elif c == "|" and depth > 0:
            alternatives.append(tuple(nodes))
            nodes = []
            at += 1
        elif c == "]":
            if depth == 0:
                raise ValueError(f"template closes a bracket it never opened: {text!r}")
            alternatives.append(tuple(nodes))
            return alternatives, at + 1
        else:
            literal += c
            at += 1
    if depth:
        raise ValueError(f"template leaves a bracket open: {text!r}")
    if literal:
        nodes.append(literal)
    alternatives.append(tuple(nodes))
    return alternatives, at


@lru_cache(maxsize=None)
def parse(text: str) -> Sequence_:
    """The parsed form of a template."""
    return _parse(text, 0, 0)[0][0]


def _render(nodes: Sequence_, slots: Mapping[str, str], rng: random.Random, out: list[str]) -> None:
    for node in nodes:
        if isinstance(node, str):
            out.append(node)
        elif node[0] == "slot":
            value = slots[node[1]]
            out.append(value[:1].upper() + value[1:] if node[2] else value)
        else:
            options = node[1]
            _render(options[int(rng.random() * len(options))], slots, rng, out)


def render(text: str, slots: Mapping[str, str], rng: random.Random) -> str:
    """One sentence or more from a template; the same rng state gives the same text."""
    out: list[str] = []
    _render(parse(text), slots, rng, out)
    return "".join(out)
