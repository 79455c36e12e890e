"""Stories: a plot, a cast and a way of telling, put together from a seed.

A story's structure (plot, variant of every beat, way of opening and closing) is its skeleton; the
held-out split is made on skeletons, so that no held-out story shares its structure with training.
Names, things and wording are fill-ins and occur on both sides.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from . import words
from .grammar import render
from .plots_heart import HEART_PLOTS
from .plots_quest import QUEST_PLOTS

PLOTS = {**QUEST_PLOTS, **HEART_PLOTS}
HELD_OUT_SHARE = 16  # one skeleton in so many is held out

# Stand-ins for the friend's name while a story is put together: the first mention introduces.
_NAME, _NAME_CAPITAL = "\x01", "\x02"

OPENINGS = [
    "[Once upon a time|Long ago|Once], there was a {adj} {kind} named {hero}. {He} lived {home}.",
    "{Hero} was a {adj} {kind} who lived {home}[.| with {his} {elder}.]",
    "[In a land far away|Not far from here], a {adj} {kind} called {hero} lived {home}.",
    "This is the story of {hero}, a {adj} {kind} who lived {home}.",
    "There once was a {kind} named {hero}. {Hero} was very {adj2}[, and everyone liked {him}|].",
    "It was a {weather} day in {season}. {Hero}, a {adj} {kind}, [woke up early|looked out of the window|was sitting in front of the house].",
]
CLOSINGS = [
    "",
    "{moral}",
    "And so {hero} learned: {moral_lower}",
    "The end.",
    "{Hero} [thought about it for a long time|never forgot this]: {moral_lower}",
    "And they all lived happily[ ever after| for many years].",
]


@dataclass(frozen=True)
class Story:
    """One story: its text, its skeleton and the slots its question-and-answer turns need."""

    text: str
    skeleton: str
    held_out: bool
    slots: dict[str, str]


def skeleton_is_held_out(skeleton: str) -> bool:
    """The split: decided by the skeleton alone, so it is the same in every run and shard."""
    return hashlib.blake2b(skeleton.encode(), digest_size=4).digest()[0] % HELD_OUT_SHARE == 0


def _person(rng: random.Random) -> tuple[str, str, str]:
    """(name, kind, pronoun) of a child or an animal."""
    if rng.random() < 0.45:
        girl = rng.random() < 0.5
        return (rng.choice(words.GIRLS), "girl", "she") if girl else (rng.choice(words.BOYS), "boy", "he")
    return rng.choice(words.PETS), rng.choice(words.ANIMAL_KINDS), rng.choice(("he", "she"))


_FORMS = {"he": ("him", "his", "himself"), "she": ("her", "her", "herself")}


def cast(rng: random.Random) -> dict[str, str]:
    """The fill-ins of one story: two people, their elders, places and things."""
    hero, kind, he = _person(rng)
    friend, fkind, fhe = _person(rng)
    while friend == hero or (fkind == kind and fkind not in ("girl", "boy")):
        friend, fkind, fhe = _person(rng)
    elder = rng.choice(list(words.ELDERS))
    elder2 = rng.choice([e for e in words.ELDERS if e != elder])
    spots = rng.sample(words.SPOTS, 3)
    stuff = rng.sample(words.CRAFT_STUFF, 2)
    adj, adj2 = rng.sample(words.ADJECTIVES, 2)
    oldkind = rng.choice(("woman", "man"))
    ehe = words.ELDERS[elder]
    return {
        "hero": hero, "kind": kind, "he": he, "him": _FORMS[he][0], "his": _FORMS[he][1],
        "himself": _FORMS[he][2], "friend_name": friend, "fkind": fkind, "fhe": fhe,
        "fhim": _FORMS[fhe][0], "fhis": _FORMS[fhe][1], "elder": elder, "ehe": ehe,
        "him_or_her": _FORMS[ehe][0], "elder2": elder2, "oldkind": oldkind,
        "oldhe": "she" if oldkind == "woman" else "he", "adj": adj, "adj2": adj2,
        "home": rng.choice(words.HOMES), "place": rng.choice(words.PLACES), "spot": spots[0],
        "spot2": spots[1], "spot3": spots[2], "colour": rng.choice(words.COLOURS),
        "toy": rng.choice(words.TOYS), "toycloth": rng.choice(("scarf", "coat", "blanket", "hat")),
        "craft": rng.choice(words.CRAFTS), "stuff": stuff[0], "stuff2": stuff[1],
        "food": rng.choice(words.FOODS), "treat": rng.choice(words.TREATS),
        "animal": rng.choice(words.SMALL_ANIMALS), "plant": rng.choice(words.PLANTS),
        "fear": rng.choice(words.FEARS), "game": rng.choice(words.GAMES),
        "race": rng.choice(words.RACES), "breakable": rng.choice(words.BREAKABLES),
        "weather": rng.choice(words.WEATHER), "season": rng.choice(words.SEASONS),
    }


class _StorySlots(dict):
    """Slots of a story; the friend's name becomes a stand-in until all mentions are known."""

    def __missing__(self, name: str) -> str:
        if name == "friend":
            return _NAME
        raise KeyError(f"a template names the slot '{name}', which no cast fills")


def _introduce(text: str, slots: dict[str, str]) -> str:
    """Puts the friend's name in: in full where it comes first, short afterwards."""
    name, kind = slots["friend_name"], slots["fkind"]
    child = kind in ("girl", "boy")
    first = text.find(_NAME)
    if first < 0:
        return text
    full = f"{slots['his']} friend {name}" if child else f"{name} the {kind}"
    starts = first == 0 or text[first - 2 : first] in (". ", "? ", "! ", "\" ")
    if child and starts:
        full = full[0].upper() + full[1:]
    return (text[:first] + full + text[first + 1 :]).replace(_NAME, name)


def a_or_an(text: str) -> str:
    """Writes "an" before a vowel; templates always say "a"."""
    for vowel in "aeio":
        text = text.replace(f" a {vowel}", f" an {vowel}").replace(f"A {vowel}", f"An {vowel}")
    return text


def tell(rng: random.Random, slots: dict[str, str], plot_name: str, short: bool = False) -> Story:
    """Tells one story; `short` leaves out the opening's details and all optional beats."""
    plot = PLOTS[plot_name]
    view = _StorySlots(slots)
    moral = render(rng.choice(plot["moral"]), view, rng)
    view["moral"] = moral
    view["moral_lower"] = moral if moral.startswith(slots["hero"]) else moral[0].lower() + moral[1:]
    opening = rng.randrange(2 if short else len(OPENINGS))
    key = [plot_name, "short" if short else "long", str(opening)]
    parts = [render(OPENINGS[opening], view, rng)]
    for needed, variants in plot["beats"]:
        if not needed and (short or rng.random() < 0.4):
            key.append("-")
            continue
        pick = rng.randrange(len(variants))
        key.append(str(pick))
        parts.append(render(variants[pick], view, rng))
    closing = rng.randrange(len(CLOSINGS))
    key.append(str(closing))
    parts.append(render(CLOSINGS[closing], view, rng))
    skeleton = ".".join(key)
    text = a_or_an(_introduce(" ".join(p for p in parts if p), slots))
    return Story(text, skeleton, skeleton_is_held_out(skeleton), {**slots, "moral": moral})


def story(rng: random.Random, held_out: bool, short: bool = False) -> Story:
    """A story from the asked side of the split."""
    while True:
        told = tell(rng, cast(rng), rng.choice(list(PLOTS)), short)
        if told.held_out == held_out:
            return told


def title(told: Story, rng: random.Random) -> str:
    """What the story is about, as a noun phrase: "a lost kite"."""
    return a_or_an(" " + render(PLOTS[told.skeleton.split(".")[0]]["title"], told.slots, rng))[1:]
