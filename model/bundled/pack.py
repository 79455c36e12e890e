"""Ternary matrices as bytes: the packed form of Hugging Face BitNet files.

A code is the trit plus one (0, 1, 2). Packed row r of `out / 4` rows holds four output rows:

    bits 1..0  row r                      bits 5..4  row r + 2 * (out / 4)
    bits 3..2  row r + (out / 4)          bits 7..6  row r + 3 * (out / 4)
"""

from __future__ import annotations


def pack_rows(codes: bytes, out: int, inner: int) -> bytes:
    """Packs a row-major [out, inner] matrix of codes into [out / 4, inner] bytes."""
    if out % 4 or len(codes) != out * inner:
        raise ValueError(f"cannot pack {len(codes)} codes as [{out}, {inner}] four rows a byte")
    if codes and max(codes) > 2:
        raise ValueError(f"code {max(codes)} is no trit plus one")
    part = out // 4 * inner
    # Whole quarters at once, as large integers: no code reaches another's bits.
    quarters = [int.from_bytes(codes[i * part : (i + 1) * part], "little") << (2 * i) for i in range(4)]
    return sum(quarters).to_bytes(part, "little")


def unpack_rows(packed: bytes, out: int, inner: int) -> bytes:
    """The codes that pack_rows packed."""
    if out % 4 or len(packed) != out // 4 * inner:
        raise ValueError(f"{len(packed)} bytes do not hold [{out}, {inner}] codes four rows a byte")
    tables = [bytes((value >> (2 * i)) & 3 for value in range(256)) for i in range(4)]
    return b"".join(packed.translate(table) for table in tables)
