"""Plain facts of a child's world, as tables; questions and replies are made from them.

A fact is (key, questions, replies, must): `must` is the text that a right reply contains.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing the model should know: ways to ask, ways to answer, and the word that decides."""

    key: str
    questions: tuple[str, ...]
    replies: tuple[str, ...]
    must: str


_SOUNDS = {"cow": "moo", "dog": "woof", "cat": "meow", "duck": "quack", "sheep": "baa", "pig": "oink", "horse": "neigh", "owl": "hoot", "bee": "buzz", "lion": "roar", "frog": "croak", "mouse": "squeak"}
_HOMES = {"bird": "nest", "bee": "hive", "fish": "water", "dog": "kennel", "spider": "web", "rabbit": "burrow", "bear": "den", "horse": "stable", "snail": "shell", "ant": "nest"}
_FOODS = {"cow": "grass", "rabbit": "carrots and grass", "cat": "fish and mice", "squirrel": "nuts", "bear": "berries and honey", "mouse": "grain and cheese", "frog": "flies", "bird": "seeds and worms", "panda": "bamboo"}
_YOUNG = {"dog": "puppy", "cat": "kitten", "sheep": "lamb", "cow": "calf", "duck": "duckling", "horse": "foal", "frog": "tadpole", "bear": "cub"}
_LEGS = {"dog": "four", "cat": "four", "bird": "two", "spider": "eight", "ant": "six", "bee": "six", "horse": "four", "snake": "no", "fish": "no", "duck": "two"}
_COLOURS = {"grass": "green", "snow": "white", "the sky": "blue", "the sun": "yellow", "a banana": "yellow", "blood": "red", "a lemon": "yellow", "coal": "black", "an elephant": "grey", "a carrot": "orange", "milk": "white", "a strawberry": "red"}
_OPPOSITES = {"big": "small", "hot": "cold", "day": "night", "up": "down", "fast": "slow", "happy": "sad", "old": "young", "long": "short", "open": "closed", "full": "empty", "light": "dark", "wet": "dry", "hard": "soft", "left": "right", "early": "late", "loud": "quiet", "near": "far", "first": "last", "good": "bad", "clean": "dirty"}
_USES = {"an umbrella": "keeps you dry in the rain", "a clock": "shows the time", "a spoon": "is used to eat soup", "a lamp": "gives light", "a pen": "is used to write", "a bed": "is for sleeping", "scissors": "cut paper", "a key": "opens a door", "a boat": "carries you over water", "a broom": "sweeps the floor", "soap": "makes your hands clean", "a map": "shows you the way"}
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November December".split()
_COUNTS = {"days are in a week": ("seven", "A week has seven days."), "months are in a year": ("twelve", "A year has twelve months."), "hours are in a day": ("24", "A day has 24 hours."), "minutes are in an hour": ("60", "An hour has 60 minutes."), "seconds are in a minute": ("60", "A minute has 60 seconds."), "fingers are on one hand": ("five", "A hand has five fingers."), "wheels does a car have": ("four", "A car has four wheels."), "wheels does a bicycle have": ("two", "A bicycle has two wheels."), "sides does a triangle have": ("three", "A triangle has three sides."), "sides does a square have": ("four", "A square has four sides."), "seasons are in a year": ("four", "A year has four seasons: spring, summer, autumn and winter.")}
_MAKERS = {"honey": ("bees", "Bees make honey."), "bread": ("baker", "A baker makes bread."), "milk": ("cow", "Milk comes from cows."), "wool": ("sheep", "Wool comes from sheep."), "eggs": ("hens", "Eggs come from hens."), "rain": ("clouds", "Rain comes from clouds."), "apples": ("trees", "Apples grow on trees."), "paper": ("wood", "Paper is made from wood."), "cheese": ("milk", "Cheese is made from milk."), "ice": ("water", "Ice is frozen water.")}
_WHY = {
    "Why do we sleep?": ("rest", "We sleep because our body and our mind need rest."),
    "Why does it rain?": ("clouds", "It rains because the drops of water in the clouds get too heavy."),
    "Why do birds have wings?": ("fly", "Birds have wings so that they can fly."),
    "Why do we eat?": ("energy", "We eat because food gives us energy and helps us grow."),
    "Why is winter cold?": ("sun", "Winter is cold because the sun is low and the days are short."),
    "Why do plants need water?": ("grow", "Plants need water to grow."),
    "Why do we wash our hands?": ("germs", "We wash our hands to get rid of dirt and germs."),
    "Why do fish not drown?": ("gills", "Fish do not drown because they breathe with gills."),
}


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _cap(text: str) -> str:
    return text[0].upper() + text[1:]


def world_facts() -> list[Fact]:
    """All plain facts, in a fixed order."""
    facts: list[Fact] = []

    def add(key: str, questions: list[str], replies: list[str], must: str) -> None:
        facts.append(Fact(key, tuple(questions), tuple(replies), must))

    for noun, sound in _SOUNDS.items():
        add(f"sound.{noun}", [f"What does {_a(noun)} say?", f"What sound does {_a(noun)} make?", f"Which sound do you hear from {_a(noun)}?"], [f"{_cap(_a(noun))} says {sound}.", f"The {noun} says {sound}."], sound)
    for noun, place in _HOMES.items():
        in_ = "in water" if place == "water" else f"in {_a(place)}"
        add(f"home.{noun}", [f"Where does {_a(noun)} live?", f"Where is the home of {_a(noun)}?", f"Where do you find {_a(noun)}?"], [f"{_cap(_a(noun))} lives {in_}."], place)
    for noun, food in _FOODS.items():
        add(f"food.{noun}", [f"What does {_a(noun)} eat?", f"What do you feed {_a(noun)}?", f"What does {_a(noun)} like to eat?"], [f"{_cap(_a(noun))} eats {food}.", f"{_cap(_a(noun))} likes to eat {food}."], food)
    for noun, young in _YOUNG.items():
        add(f"young.{noun}", [f"What is a young {noun} called?", f"What do you call a baby {noun}?", f"What is the name for a baby {noun}?"], [f"A young {noun} is called {_a(young)}."], young)
    for noun, count in _LEGS.items():
        add(f"legs.{noun}", [f"How many legs does {_a(noun)} have?", f"How many legs are on {_a(noun)}?"], [f"{_cap(_a(noun))} has {count} legs."], count)
    for noun, colour in _COLOURS.items():
        add(f"colour.{noun}", [f"What colour is {noun}?", f"Which colour does {noun} have?", f"What is the colour of {noun}?"], [f"{_cap(noun)} is {colour}."], colour)
    for one, other in _OPPOSITES.items():
        for word, opposite in ((one, other), (other, one)):
            add(f"opposite.{word}", [f"What is the opposite of {word}?", f"Which word is the opposite of {word}?", f"Tell me the opposite of {word}."], [f"The opposite of {word} is {opposite}."], opposite)
    for thing, use in _USES.items():
        is_ = "are" if thing == "scissors" else "is"
        do = "do" if thing == "scissors" else "does"
        add(f"use.{thing}", [f"What {is_} {thing} for?", f"What {do} {thing} do?", f"Why do we have {thing}?"], [f"{_cap(thing)} {use}."], use)
    for cycle, what in ((_DAYS, "day"), (_MONTHS, "month")):
        for at, name in enumerate(cycle):
            after = cycle[(at + 1) % len(cycle)]
            add(f"next.{name}", [f"What {what} comes after {name}?", f"Which {what} is after {name}?", f"What comes after {name}?"], [f"{after} comes after {name}."], after)
            add(f"before.{after}", [f"What {what} comes before {after}?", f"Which {what} is before {after}?", f"What comes before {after}?"], [f"{name} comes before {after}."], name)
    for what, (must, reply) in _COUNTS.items():
        add(f"count.{what}", [f"How many {what}?", f"Do you know how many {what}?", f"Tell me, how many {what}?"], [reply], must)
    for what, (must, reply) in _MAKERS.items():
        verb = "do" if what in ("eggs", "apples") else "does"
        add(f"from.{what}", [f"Where {verb} {what} come from?", f"Tell me where {what} come{'' if verb == 'do' else 's'} from.", f"Who or what gives us {what}?"], [reply], must)
    for question, (must, reply) in _WHY.items():
        add(f"why.{question}", [question, f"Can you explain this: {question[0].lower() + question[1:]}", f"I have a question. {question}"], [reply], must)
    return facts
