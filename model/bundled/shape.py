"""The shape of the bundled model, and what it comes to in bytes. No torch needed here."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Shape:
    """A small sibling of 2B4T: grouped-query attention, sub-norms, squared ReLU, tied head."""

    vocab: int = 2048
    hidden: int = 256
    ffn: int = 768
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    context: int = 512
    rope_theta: float = 10000.0
    eps: float = 1e-5

    def matrices(self) -> dict[str, tuple[int, int]]:
        """The ternary matrices of a layer by their Hugging Face names, as (out, in)."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "self_attn.q_proj": (q, self.hidden), "self_attn.k_proj": (kv, self.hidden),
            "self_attn.v_proj": (kv, self.hidden), "self_attn.o_proj": (self.hidden, q),
            "mlp.gate_proj": (self.ffn, self.hidden), "mlp.up_proj": (self.ffn, self.hidden),
            "mlp.down_proj": (self.hidden, self.ffn),
        }

    def norms(self) -> dict[str, int]:
        """The norm weights of a layer by their Hugging Face names."""
        return {
            "input_layernorm": self.hidden, "self_attn.attn_sub_norm": self.heads * self.head_dim,
            "post_attention_layernorm": self.hidden, "mlp.ffn_sub_norm": self.ffn,
        }

    def ternary_weights(self) -> int:
        """How many weights are ternary."""
        return self.layers * sum(n * k for n, k in self.matrices().values())

    def parameters(self) -> int:
        """All parameters; the embedding counts once, for it is the head too."""
        norms = self.layers * sum(self.norms().values()) + self.hidden
        return self.ternary_weights() + self.vocab * self.hidden + norms

    def gguf_bytes(self) -> int:
        """The tensors' bytes in the GGUF: I2_S (n/4 + 32), f16 embedding, f32 norms."""
        ternary = self.layers * sum(n * k // 4 + 32 for n, k in self.matrices().values())
        norms = 4 * (self.layers * sum(self.norms().values()) + self.hidden)
        return ternary + 2 * self.vocab * self.hidden + norms

    def as_dict(self) -> dict[str, float]:
        """The fields, for checkpoints and reports."""
        return asdict(self)
