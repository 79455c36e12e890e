"""The tokenizer: round trips, digits apart, specials by name only, and the committed vocabulary."""

from __future__ import annotations

import itertools
import tempfile
import unittest
from pathlib import Path

import pretokenize
import tokenizer
from corpus import mixture

ODD_TEXTS = [
    "", " ", "\n\n  \r\n\tx", "Don't stop: we're 12345 times in!", "na\u00efve \u4e16\u754c \U0001f98a",
    "\u0660\u0661\u0662\u0663 and 0-9", "tab\tand  two spaces ", "\x00\x7f", "<|eot_id|>",
]


class PretokenizeTest(unittest.TestCase):
    def test_pieces_join_to_the_text(self) -> None:
        for text in ODD_TEXTS:
            self.assertEqual("".join(pretokenize.split(text)), text)

    def test_cuts_where_llama_3_cuts(self) -> None:
        self.assertEqual(pretokenize.split("It's 12345, (ok)!\n\n x"),
                         ["It", "'s", " ", "123", "45", ",", " (", "ok", ")!\n\n", " x"])


class TokenizerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.documents = list(itertools.islice(mixture.documents(1, False), 800))
        texts = [part for document in cls.documents for part in document if part not in tokenizer.SPECIALS]
        cls.coder = tokenizer.train(texts, 700)

    def test_round_trip(self) -> None:
        for text in ODD_TEXTS:
            self.assertEqual(self.coder.decode(self.coder.encode(text)), text)
        for document in self.documents[:100]:
            self.assertEqual(self.coder.decode(self.coder.encode_document(document)), "".join(document))

    def test_size_order_and_specials(self) -> None:
        tokens = self.coder.tokens
        self.assertEqual(len(tokens), 700)
        self.assertEqual(len(set(tokens)), 700)
        self.assertEqual(tuple(tokens[-3:]), tokenizer.SPECIALS)
        self.assertEqual(tokens[0], "!")
        self.assertNotIn(self.coder.ids[tokenizer.EOT], self.coder.encode("<|eot_id|>"))

    def test_digits_stay_apart(self) -> None:
        self.assertEqual(len(self.coder.encode("90125")), 5)
        for token in self.coder.tokens:
            self.assertFalse(len(token) > 1 and any(c.isdigit() for c in token), token)

    def test_training_is_deterministic_and_a_poor_text_is_an_error(self) -> None:
        texts = ["the cat and the hat"] * 3
        self.assertEqual(tokenizer.train(texts, 265).merges, tokenizer.train(texts, 265).merges)
        with self.assertRaises(ValueError):
            tokenizer.train(texts, 2048)

    def test_file_round_trip(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tokenizer.json"
            self.coder.save(path)
            again = tokenizer.load(path)
        self.assertEqual(again.tokens, self.coder.tokens)
        self.assertEqual(again.merges, self.coder.merges)


if __name__ == "__main__":
    unittest.main()
