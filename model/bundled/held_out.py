"""The held-out material the model is judged by: a text, questions and prompts. No torch needed.

Everything comes from the held-out side of the corpus split, by fixed seeds.
"""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass

from corpus import arithmetic, dialogue, stories
from corpus.project_facts import project_facts
from corpus.world_facts import world_facts

TEXT_SEED, SUM_SEED, FACT_SEED, PROMPT_SEED = 11, 12, 13, 14


@dataclass(frozen=True)
class Question:
    """What is asked and the text that the reply has to contain, letter case aside."""

    kind: str
    question: str
    must: str

    def is_right(self, reply: str) -> bool:
        """Whether a reply counts as right: `must` as whole words, a plural allowed."""
        return re.search(rf"(?<!\w){re.escape(self.must.lower())}s?(?!\w)", reply.lower()) is not None


def text(size: int = 150_000) -> str:
    """A text of held-out stories, with an empty line between two."""
    rng = random.Random(TEXT_SEED)
    out: list[str] = []
    while sum(map(len, out)) < size:
        out.append(stories.story(rng, True).text)
    return "\n\n".join(out) + "\n"


def questions(sums: int = 300, world: int = 200) -> list[Question]:
    """Sums of held-out pairs and facts in held-out wordings, each question once."""
    rng = random.Random(SUM_SEED)
    out: dict[str, Question] = {}
    while len(out) < sums:
        made = arithmetic.make(rng, True)
        # "So 12 + 34 = 46." -> "12 + 34 = 46"; comparisons are judged whole.
        must = made.answer.rstrip(".").removeprefix("So ")
        out.setdefault(made.question, Question(made.kind, made.question, must))
    rng = random.Random(FACT_SEED)
    for kind, facts, most in (("project", project_facts(), 10_000), ("world", world_facts(), world)):
        found: dict[str, Question] = {}
        for fact in facts:
            for _ in range(60):
                turn = dialogue.ask_fact(fact, rng, True)
                if turn:
                    found.setdefault(turn[0], Question(kind, turn[0], fact.must))
        kept = sorted(found.values(), key=lambda question: question.question)
        rng.shuffle(kept)
        out.update({question.question: question for question in kept[:most]})
    return list(out.values())


def chat_prompt(turns: list[dialogue.Turn], question: str) -> list[str]:
    """The segments of a conversation up to the place where the reply is asked for."""
    segments = [dialogue.BOS]
    for asked, reply in turns:
        segments += [f"User: {asked}", dialogue.EOT, "Assistant: ", reply, dialogue.EOT]
    return segments + [f"User: {question}", dialogue.EOT, "Assistant: "]


def prompts(story: int = 14, chat: int = 10) -> list[list[str]]:
    """Beginnings of held-out stories (their first two sentences) and conversations, as segments."""
    rng = random.Random(PROMPT_SEED)
    out: list[list[str]] = []
    for _ in range(story):
        sentences = stories.story(rng, True).text.split(". ")
        out.append([dialogue.BOS, ". ".join(sentences[:2]) + "."])
    asks = itertools.cycle((dialogue.story_turns, lambda r, h: dialogue.talk_turns(r, h, 3)))
    for ask in itertools.islice(asks, chat):
        turns = ask(rng, True)
        out.append(chat_prompt(turns[:-1][:2], turns[min(len(turns) - 1, 2)][0]))
    return out


