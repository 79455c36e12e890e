"""Sums for the chat: small ones answered at once, larger ones worked out digit by digit.

The tokenizer keeps every digit a token of its own, so the working is written digit against digit,
from the ones up, and the answer is read off it. Pairs of operands with two or three digits are
split by a hash: a held-out pair never occurs in training, in no operation and no order.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

HELD_OUT_SHARE = 12


@dataclass(frozen=True)
class Sum:
    """One question, its worked reply and the text that a right reply has to end on."""

    question: str
    reply: str
    answer: str
    kind: str


def pair_is_held_out(a: int, b: int) -> bool:
    """The split of operand pairs; pairs of one-digit numbers are the tables and never held out."""
    if max(a, b) <= 12:
        return False
    low, high = sorted((a, b))
    return hashlib.blake2b(f"{low},{high}".encode(), digest_size=4).digest()[0] % HELD_OUT_SHARE == 0


def _add_steps(a: int, b: int) -> str:
    steps, carry = [], 0
    while a or b:
        x, y = a % 10, b % 10
        total = x + y + carry
        plus = f" + {carry}" if carry else ""
        a, b = a // 10, b // 10
        carry = total // 10
        steps.append(f"{x} + {y}{plus} = {total}")
    return ", ".join(steps)


def _subtract_steps(a: int, b: int) -> str:
    steps, borrow = [], 0
    while a:
        x, y = a % 10, b % 10
        minus = f" - {borrow}" if borrow else ""
        lend = 10 if x - y - borrow < 0 else 0
        steps.append(f"{x + lend} - {y}{minus} = {x + lend - y - borrow}")
        borrow = 1 if lend else 0
        a, b = a // 10, b // 10
    return ", ".join(steps)


def _number(rng: random.Random) -> int:
    digits = rng.random()
    if digits < 0.2:
        return rng.randrange(0, 10)
    return rng.randrange(10, 100) if digits < 0.6 else rng.randrange(100, 1000)


_ASK = ["What is {}?", "How much is {}?", "{} = ?", "Can you tell me what {} is?", "Please work out {}.", "{}?", "{}", "And {}?"]
_WORDS = {"+": " plus ", "-": " minus ", "*": " times "}


def _ask(rng: random.Random, a: int, op: str, b: int) -> str:
    how = rng.random()
    text = f"{a} {op} {b}" if how < 0.65 else f"{a}{_WORDS[op]}{b}"
    return rng.choice(_ASK).format(text)


def make(rng: random.Random, held_out: bool) -> Sum:
    """A sum from the asked side of the split."""
    while True:
        kind = rng.choices(("add", "subtract", "multiply", "compare"), (4, 4, 2, 2))[0]
        a, b = _number(rng), _number(rng)
        if kind == "multiply":
            a, b = rng.randrange(0, 13), rng.randrange(0, 13)
            if not held_out:
                return Sum(_ask(rng, a, "*", b), f"{a} * {b} = {a * b}.", f"= {a * b}.", kind)
            continue
        if pair_is_held_out(a, b) != held_out or (kind == "compare" and a == b):
            continue
        if kind == "compare":
            larger = rng.random() < 0.5
            word = rng.choice(("larger", "bigger", "greater") if larger else ("smaller", "less"))
            question = rng.choice((f"Which is {word}, {a} or {b}?", f"Which number is {word}: {a} or {b}?"))
            top, low = max(a, b), min(a, b)
            side, other = (top, low) if larger else (low, top)
            return Sum(question, f"{side} is {word} than {other}.", f"{side} is {word} than {other}.", kind)
        if kind == "subtract" and a < b:
            a, b = b, a
        op, result = ("+", a + b) if kind == "add" else ("-", a - b)
        final = f"{a} {op} {b} = {result}."
        if max(a, b) < 10:
            return Sum(_ask(rng, a, op, b), final, f"= {result}.", kind)
        steps = _add_steps(a, b) if kind == "add" else _subtract_steps(a, b)
        return Sum(_ask(rng, a, op, b), f"{steps}. So {final}", f"So {final}", kind)
