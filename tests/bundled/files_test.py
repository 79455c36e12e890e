"""The writers' bytes, as drawn in their headers, and the shape's size."""

from __future__ import annotations

import json
import random
import struct
import tempfile
import unittest
from pathlib import Path

import pack
import safetensors
from shape import Shape


class PackTest(unittest.TestCase):
    def test_the_drawn_bytes(self) -> None:
        # Eight output rows of two: row r of the packed two holds rows r, r+2, r+4, r+6.
        codes = bytes([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
        self.assertEqual(pack.pack_rows(codes, 8, 2),
                         bytes([0 | 1 << 2 | 2 << 4 | 0 << 6, 1 | 2 << 2 | 0 << 4 | 1 << 6,
                                2 | 0 << 2 | 1 << 4 | 2 << 6, 0 | 1 << 2 | 2 << 4 | 0 << 6]))

    def test_round_trip_and_faults(self) -> None:
        rng = random.Random(1)
        codes = bytes(rng.randrange(3) for _ in range(12 * 33))
        self.assertEqual(pack.unpack_rows(pack.pack_rows(codes, 12, 33), 12, 33), codes)
        with self.assertRaises(ValueError):
            pack.pack_rows(bytes([3, 0, 0, 0]), 4, 1)
        with self.assertRaises(ValueError):
            pack.pack_rows(bytes(6), 6, 1)


class SafetensorsTest(unittest.TestCase):
    def test_bytes_and_round_trip(self) -> None:
        tensors = {"b": ("U8", (2, 3), bytes(range(6))), "a": ("F32", (1,), struct.pack("<f", 1.5))}
        data = safetensors.to_bytes(tensors)
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        self.assertEqual(length % 8, 0)
        self.assertEqual(header["a"], {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})
        self.assertEqual(header["b"]["data_offsets"], [4, 10])
        self.assertEqual(data[8 + length :], struct.pack("<f", 1.5) + bytes(range(6)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.safetensors"
            path.write_bytes(data)
            self.assertEqual(safetensors.read(path), tensors)

    def test_a_wrong_size_is_an_error(self) -> None:
        with self.assertRaises(ValueError):
            safetensors.to_bytes({"a": ("F16", (3,), bytes(4))})


class ShapeTest(unittest.TestCase):
    def test_fits_its_file_and_its_encoding(self) -> None:
        shape = Shape()
        self.assertLess(shape.gguf_bytes() + 200_000, 4_000_000)
        for name, (out, inner) in shape.matrices().items():
            self.assertEqual(out * inner % 128, 0, name)
            self.assertEqual(out % 4, 0, name)
        self.assertEqual(shape.heads % shape.kv_heads, 0)


if __name__ == "__main__":
    unittest.main()
