"""Conversations: turns of several sorts put together, in the chat form of 2B4T.

A document is a list of segments. Each segment is tokenized by itself, because that is how a
runtime sees it: the prompt ends with "Assistant: " and the reply's first token follows that.
"""

from __future__ import annotations

import hashlib
import random

from . import arithmetic, smalltalk, stories
from .project_facts import project_facts
from .world_facts import Fact, world_facts

BOS, EOS, EOT = "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"
FACT_HELD_OUT_SHARE = 10

Turn = tuple[str, str]

_PROJECT, _WORLD = project_facts(), world_facts()
FRAMES = ["{}", "{}", "{}", "Please tell me: {}", "Can you tell me: {}", "I want to know: {}", "One question: {}", "Tell me, {l}", "Hello! {}", "And {l}", "Okay. {}", "low"]


def ask_fact(fact: Fact, rng: random.Random, held_out: bool) -> Turn | None:
    """A question about a fact and its reply; None when the drawn wording is on the other side.

    The side is that of the wording: fact, question and frame together. The fact itself is known to
    both sides, or there would be nothing to recall.
    """
    question, frame = rng.choice(fact.questions), rng.choice(FRAMES)
    key = f"{fact.key}/{question}/{frame}"
    side = hashlib.blake2b(key.encode(), digest_size=4).digest()[0] % FACT_HELD_OUT_SHARE == 0
    if side != held_out:
        return None
    if frame == "low":
        asked = question.lower().rstrip("?.")
    else:
        asked = frame.format(question, l=question[0].lower() + question[1:])
    return asked, rng.choice(fact.replies)


def fact_turn(rng: random.Random, held_out: bool, project: bool) -> Turn:
    """A fact question from the asked side of the split."""
    while True:
        turn = ask_fact(rng.choice(_PROJECT if project else _WORLD), rng, held_out)
        if turn:
            return turn


_STORY_ASK = [
    "Tell me a story about a {kind} named {hero}.", "Can you tell me a story about {hero} the {kind}?",
    "Please tell me a story about {title}.", "Tell me a story.", "I want to hear a story about a {kind}.",
    "Write a short story about {title}.", "Tell me a story about a {kind} and {title}.",
    "Do you know a story about a {kind} called {hero}?", "tell me a story about a {kind}",
    "Could you tell me a little story?", "Tell me a story about {title}, please.",
    "a story, please", "Tell me a bedtime story.", "Tell me a story about {hero} and {friend_name}.",
]


def story_turns(rng: random.Random, held_out: bool) -> list[Turn]:
    """A request for a story, the story, and sometimes questions about it."""
    told = stories.story(rng, held_out, short=True)
    slots = dict(told.slots, title=stories.title(told, rng))
    ask = rng.choice(_STORY_ASK).format(**slots)
    for vowel in "aeio":
        ask = ask.replace(f" a {vowel}", f" an {vowel}")
    turns = [(ask, told.text)]
    after = [
        (f"What was the name of the {slots['kind']}?", f"The name of the {slots['kind']} was {slots['hero']}."),
        (rng.choice(("Who is the story about?", "Who was the story about?")), f"The story is about {slots['hero']}, a {slots['kind']}."),
        (rng.choice(("What can we learn from it?", "What does the story teach us?", "What is the moral?")), slots["moral"]),
        (rng.choice(("Thank you, that was a nice story.", "I liked that story.", "What a nice story!")), rng.choice(("I am glad that you liked it!", "Thank you! Would you like to hear another one?", "I am happy that you liked it."))),
    ]
    for turn in rng.sample(after, 2):
        if rng.random() < 0.4:
            turns.append((turn[0], stories.a_or_an(turn[1])))
    if rng.random() < 0.08:
        another = rng.choice(("Tell me another one.", "Another story, please.", "One more!", "Do you know another story?"))
        turns.append((another, stories.story(rng, held_out, short=True).text))
    return turns


def sum_turn(rng: random.Random, held_out: bool) -> Turn:
    """A sum from the asked side of the split."""
    made = arithmetic.make(rng, held_out)
    return made.question, made.reply


def talk_turns(rng: random.Random, held_out: bool, length: int) -> list[Turn]:
    """A free conversation: greeting, some turns of any sort, recalls of what was said, goodbye."""
    who = smalltalk.speaker(rng)
    say = lambda pairs: smalltalk.exchange(rng.choice(pairs), who, rng)
    turns: list[Turn] = []
    recalls: list[tuple[str, str]] = []
    if rng.random() < 0.5:
        turns.append(say(smalltalk.GREETINGS))
    while len(turns) < length:
        sort = rng.random()
        if recalls and sort < 0.35:
            turns.append(smalltalk.exchange(recalls.pop(rng.randrange(len(recalls))), who, rng))
        elif sort < 0.12:
            turns.append(say(smalltalk.MEET))
            recalls.append(smalltalk.RECALL[0])
        elif sort < 0.18:
            turns.append(smalltalk.exchange(smalltalk.PET_TALK[0], who, rng))
            recalls.append(smalltalk.PET_TALK[1])
        elif sort < 0.20:
            turns.append(say(smalltalk.OFFER))
            turns.append((rng.choice(smalltalk.ACCEPT), stories.story(rng, held_out, short=True).text))
        elif sort < 0.24:
            turns.append(smalltalk.exchange(smalltalk.LIKE_TALK[0], who, rng))
            recalls.append(smalltalk.LIKE_TALK[1])
        elif sort < 0.58:
            turns.append(say(smalltalk.TALK))
        elif sort < 0.73:
            turns.append(fact_turn(rng, held_out, True))
        elif sort < 0.83:
            turns.append(fact_turn(rng, held_out, False))
        elif sort < 0.93:
            turns.append(sum_turn(rng, held_out))
        else:
            turns.append(say(smalltalk.GREETINGS))
    if rng.random() < 0.35:
        turns.append(say(smalltalk.GOODBYES))
    return turns


def document(turns: list[Turn], rng: random.Random) -> list[str]:
    """The segments of a conversation; some earlier replies are joined as a re-read history is."""
    segments = [BOS]
    for at, (question, reply) in enumerate(turns):
        if rng.random() < 0.08:  # as people type
            question = question.rstrip(".?!")
            question = question if " am " in question or " is " in question else question.lower()
        segments += [f"User: {question}", EOT]
        if at + 1 < len(turns) and rng.random() < 0.15:
            segments += [f"Assistant: {reply}", EOT]
        else:
            segments += ["Assistant: ", reply, EOT]
    return segments
