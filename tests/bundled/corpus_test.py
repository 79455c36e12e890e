"""The corpus: same seed same text, and a held-out side that shares nothing it may not share."""

from __future__ import annotations

import itertools
import random
import re
import unittest

from corpus import arithmetic, dialogue, mixture, stories
from corpus.grammar import parse, render
from corpus.project_facts import project_facts
from corpus.world_facts import world_facts

SUM = re.compile(r"So (\d+) ([+-]) (\d+) = (\d+)\.")


class GrammarTest(unittest.TestCase):
    def test_renders_slots_and_nested_alternatives(self) -> None:
        rng = random.Random(1)
        seen = {render("{A} [x|[y|]z]", {"a": "bee"}, rng) for _ in range(100)}
        self.assertEqual(seen, {"Bee x", "Bee yz", "Bee z"})

    def test_faulty_templates_are_errors(self) -> None:
        with self.assertRaises(ValueError):
            parse("[a|b")
        with self.assertRaises(ValueError):
            parse("a]")
        with self.assertRaises(KeyError):
            render("{nobody}", {}, random.Random(1))


class StoriesTest(unittest.TestCase):
    def test_every_plot_renders_clean_text(self) -> None:
        rng = random.Random(2)
        for plot in stories.PLOTS:
            for _ in range(60):
                told = stories.tell(rng, stories.cast(rng), plot, rng.random() < 0.5)
                self.assertRegex(told.text, r"^[\x20-\x7e]+$")
                self.assertNotRegex(told.text, r"[\[\]{}|]|  |\.\.| a [aeio]")
                self.assertIn(told.text[-1], ".!?\"")

    def test_split_shares_no_skeleton(self) -> None:
        rng = random.Random(3)
        train = {stories.story(rng, False).skeleton for _ in range(3000)}
        held_out = {stories.story(rng, True).skeleton for _ in range(1000)}
        self.assertFalse(train & held_out)
        self.assertGreater(len(train), 2000)
        self.assertGreater(len(held_out), 200)

    def test_wording_does_not_decide_the_side(self) -> None:
        one, two = (stories.tell(random.Random(seed), stories.cast(random.Random(seed)), "lost") for seed in (4, 4))
        self.assertEqual(one, two)
        self.assertEqual(one.held_out, stories.skeleton_is_held_out(one.skeleton))


class ArithmeticTest(unittest.TestCase):
    def test_replies_are_right(self) -> None:
        rng = random.Random(5)
        worked = 0
        for held_out in (False, True):
            for _ in range(2000):
                made = arithmetic.make(rng, held_out)
                self.assertIn(made.answer, made.reply)
                for a, op, b, result in SUM.findall(made.reply):
                    self.assertEqual(int(result), int(a) + int(b) if op == "+" else int(a) - int(b))
                    worked += 1
                for step in re.findall(r"(\d+(?: [+-] \d+)+) = (\d+)", made.reply):
                    self.assertEqual(eval(step[0]), int(step[1]), made.reply)  # digits, + and - only
        self.assertGreater(worked, 1000)

    def test_held_out_pairs_never_occur_in_training(self) -> None:
        rng = random.Random(6)
        for _ in range(5000):
            numbers = [int(n) for n in re.findall(r"\d+", arithmetic.make(rng, False).question)]
            self.assertFalse(arithmetic.pair_is_held_out(*numbers), numbers)
        self.assertEqual(arithmetic.pair_is_held_out(123, 45), arithmetic.pair_is_held_out(45, 123))


class FactsTest(unittest.TestCase):
    def test_every_reply_contains_what_decides(self) -> None:
        facts = world_facts() + project_facts()
        self.assertEqual(len({fact.key for fact in facts}), len(facts))
        for fact in facts:
            self.assertGreaterEqual(len(fact.questions), 2, fact.key)
            for reply in fact.replies:
                self.assertIn(fact.must.lower(), reply.lower(), fact.key)

    def test_wordings_are_on_one_side_only(self) -> None:
        rng = random.Random(7)
        sides = [{dialogue.fact_turn(rng, side, True)[0] for _ in range(3000)} for side in (False, True)]
        self.assertFalse(sides[0] & sides[1])


class MixtureTest(unittest.TestCase):
    def test_same_seed_same_documents(self) -> None:
        one, two, other = (list(itertools.islice(mixture.documents(seed, False), 200)) for seed in (8, 8, 9))
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)

    def test_documents_are_distinct_enough(self) -> None:
        documents = list(itertools.islice(mixture.documents(10, False), 3000))
        told = [d[1] for d in documents if len(d) == 3]
        self.assertGreater(len(told), 300)
        self.assertEqual(len(set(told)), len(told))


if __name__ == "__main__":
    unittest.main()
