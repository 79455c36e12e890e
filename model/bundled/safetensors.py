"""A writer and a reader of the safetensors form: eight bytes of length, a JSON header, the data."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Mapping

# name -> (dtype as the header names it, shape, little-endian bytes)
Tensors = Mapping[str, tuple[str, tuple[int, ...], bytes]]

WIDTHS = {"U8": 1, "F16": 2, "BF16": 2, "F32": 4}


def to_bytes(tensors: Tensors) -> bytes:
    """The file as bytes; tensors in order of name, each checked against its shape."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name in sorted(tensors):
        dtype, shape, data = tensors[name]
        size = WIDTHS[dtype]
        for extent in shape:
            size *= extent
        if size != len(data):
            raise ValueError(f"{name}: {dtype} {list(shape)} needs {size} bytes, got {len(data)}")
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data starts aligned
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name][2] for name in sorted(tensors))


def read(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """All tensors of a file."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    base = 8 + length
    out = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        out[name] = (entry["dtype"], tuple(entry["shape"]), data[base + begin : base + end])
    return out
