"""The exported model's forward pass in float32 with exact integer sums: the tests' reference.

It reads the exported folder, not a checkpoint, and shares no code with the training network: what
is written there once more is the contract of facts every runtime of this model has to meet. Keys
and values are float32. An fp32 twin is computed by the same code from its checkpoint.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import safetensors
from pack import unpack_rows
from shape import Shape

_DTYPES = {"F16": torch.float16, "F32": torch.float32, "BF16": torch.bfloat16, "U8": torch.uint8}


@dataclass
class Matrix:
    """A projection: trits and scale, or (scale None) plain float weights."""

    weight: Tensor
    scale: float | None

    def __call__(self, x: Tensor) -> Tensor:
        """y = (sum of int8 * trit) * weight scale / activation scale; plain: y = W x."""
        if self.scale is None:
            return F.linear(x, self.weight)
        s = 127.0 / x.abs().amax(-1, keepdim=True).clamp_min(1e-5)
        q = (x * s).round().clamp(-128, 127)  # half to even
        sums = F.linear(q, self.weight)  # whole numbers below 2^24: exact in float32
        return sums * self.scale / s


class ExactModel:
    """The model as a runtime sees it: weights by name, one growing cache of keys and values."""

    def __init__(self, shape: Shape, embedding: Tensor, norms: dict[str, Tensor], matrices: dict[str, Matrix]) -> None:
        self.shape, self.embedding, self.norms, self.matrices = shape, embedding, norms, matrices
        half = shape.head_dim // 2
        inverse = shape.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(8 * shape.context, dtype=torch.float64)[:, None] * inverse
        self.cos, self.sin = angles.cos().float()[:, None], angles.sin().float()[:, None]
        self.reset()

    def reset(self) -> None:
        """Forgets all tokens."""
        self.keys: list[Tensor | None] = [None] * self.shape.layers
        self.values: list[Tensor | None] = [None] * self.shape.layers
        self.past = 0

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.shape.eps) * self.norms[name]

    def _rotate(self, x: Tensor) -> Tensor:
        span = slice(self.past, self.past + x.shape[0])
        cos, sin = self.cos[span], self.sin[span]
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def _attend(self, n: Tensor, at: int) -> Tensor:
        s, name = self.shape, f"model.layers.{at}.self_attn."
        tokens = n.shape[0]
        q = self._rotate(self.matrices[name + "q_proj"](n).view(tokens, s.heads, s.head_dim))
        k = self._rotate(self.matrices[name + "k_proj"](n).view(tokens, s.kv_heads, s.head_dim))
        v = self.matrices[name + "v_proj"](n).view(tokens, s.kv_heads, s.head_dim)
        if self.past:
            k, v = torch.cat((self.keys[at], k)), torch.cat((self.values[at], v))
        self.keys[at], self.values[at] = k, v
        group = s.heads // s.kv_heads
        k, v = (t.repeat_interleave(group, 1).transpose(0, 1) for t in (k, v))
        scores = q.transpose(0, 1) @ k.transpose(1, 2) / math.sqrt(s.head_dim)
        future = torch.ones(tokens, k.shape[1], dtype=torch.bool).triu_(self.past + 1)
        mixed = scores.masked_fill(future, -math.inf).softmax(-1) @ v
        return mixed.transpose(0, 1).reshape(tokens, s.heads * s.head_dim)

    @torch.no_grad()
    def forward(self, ids: list[int]) -> Tensor:
        """Logits [len(ids), vocab] of tokens that follow those seen since the last reset."""
        x = self.embedding[torch.tensor(ids)]
        for at in range(self.shape.layers):
            name = f"model.layers.{at}."
            a = self._attend(self._norm(x, name + "input_layernorm"), at)
            x = x + self.matrices[name + "self_attn.o_proj"](self._norm(a, name + "self_attn.attn_sub_norm"))
            n = self._norm(x, name + "post_attention_layernorm")
            gate, up = self.matrices[name + "mlp.gate_proj"](n), self.matrices[name + "mlp.up_proj"](n)
            f = self._norm(gate.clamp_min(0).square() * up, name + "mlp.ffn_sub_norm")
            x = x + self.matrices[name + "mlp.down_proj"](f)
        self.past += len(ids)
        return F.linear(self._norm(x, "model.norm"), self.embedding)


def load_folder(folder: Path) -> ExactModel:
    """The model of an exported Hugging Face folder."""
    config = json.loads((folder / "config.json").read_text())
    if config["quantization_config"]["linear_class"] != "autobitlinear":
        raise ValueError(f"{folder}: only autobitlinear (multiplied) scales are read here")
    shape = Shape(
        vocab=config["vocab_size"], hidden=config["hidden_size"], ffn=config["intermediate_size"],
        layers=config["num_hidden_layers"], heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"], head_dim=config["head_dim"],
        context=config["max_position_embeddings"], rope_theta=config["rope_theta"], eps=config["rms_norm_eps"],
    )
    stored = safetensors.read(folder / "model.safetensors")
    plain = {
        name: torch.frombuffer(bytearray(data), dtype=_DTYPES[dtype]).view(extents).float()
        for name, (dtype, extents, data) in stored.items() if dtype != "U8"
    }
    matrices = {}
    for name, (dtype, (packed, inner), data) in ((n, t) for n, t in stored.items() if t[0] == "U8"):
        codes = unpack_rows(data, packed * 4, inner)
        trits = torch.frombuffer(bytearray(codes), dtype=torch.uint8).view(packed * 4, inner).float() - 1
        matrices[name[: -len(".weight")]] = Matrix(trits, plain[name + "_scale"].item())
    norms = {name[: -len(".weight")]: gain for name, gain in plain.items() if "norm" in name}
    return ExactModel(shape, plain["model.embed_tokens.weight"], norms, matrices)


def load_twin(checkpoint: Path) -> ExactModel:
    """The fp32 twin of a checkpoint."""
    state = torch.load(checkpoint, map_location="cpu")
    net, shape = state["net"], Shape(**state["shape"])
    norms, matrices = {"model.norm": net["final_gain"]}, {}
    for at in range(shape.layers):
        for name in shape.matrices():
            matrices[f"model.layers.{at}.{name}"] = Matrix(net[f"layers.{at}.weights.{name.replace('.', '/')}"], None)
        for name in shape.norms():
            norms[f"model.layers.{at}.{name}"] = net[f"layers.{at}.gains.{name.replace('.', '/')}"]
    return ExactModel(shape, net["embedding"], norms, matrices)
