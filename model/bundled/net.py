"""The network in torch: 2B4T's layer, as a ternary model and as its fp32 twin.

Ternary: every projection rounds its weights to scale * {-1, 0, +1} (absmean, per tensor) and its
input to int8 (absmax, per token); gradients go straight through both roundings to full-precision
master weights. The twin has the same shape and norms, and neither rounding. The operations around
the products are fused by hand, because on a CPU their memory traffic costs as much as the products.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shape import Shape

SMALLEST = 1e-5  # floor of absmean and absmax, as published


def ternarize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """(trits in {-1, 0, +1} as float, scale): the effective weight is trits * scale.

    The scale is rounded to bf16, the form in which published models store it: training multiplies
    by exactly the number that is exported.
    """
    mean = weight.abs().mean().clamp_min(SMALLEST)
    return (weight / mean).round_().clamp_(-1, 1), mean.bfloat16().float()


def int8_absmax_(y: Tensor) -> Tensor:
    """Rounds rows to int8 levels in place (half to even); returns what a level is worth, a row."""
    top = y.abs().amax(-1, keepdim=True).clamp_min_(SMALLEST)
    y.mul_(127.0 / top).round_()
    return top.div_(127.0)


class _NormProduct(torch.autograd.Function):
    """RMSNorm and the projections that follow it, as one step: norm, round, multiply.

    Ternary: the normed rows become int8 levels and the weights trits times a bf16 scale, which are
    all exact in bf16, so the bf16 product (twice as fast as fp32 where the CPU has it) rounds the
    finished sums only. Gradients pass both roundings unchanged. Without `ternary` the rows and
    weights themselves are rounded to bf16: ordinary mixed precision.
    """

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, eps: float, ternary: bool, *weights: Tensor) -> Tensor:
        inverse = (x * x).mean(-1, keepdim=True).add_(eps).rsqrt_()
        y = (x * inverse).mul_(gain)
        if ternary:
            level = int8_absmax_(y)
            effective = [trits.mul_(scale) for trits, scale in map(ternarize, weights)]
        else:
            level, effective = None, weights
        rows = y.bfloat16()
        matrix = (torch.cat(effective) if len(effective) > 1 else effective[0]).bfloat16()
        sums = rows @ matrix.t()
        ctx.sizes = [weight.shape[0] for weight in weights]
        ctx.save_for_backward(x, gain, inverse, rows, matrix, level)
        out = sums.float()
        return out.mul_(level) if ternary else out

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, gain, inverse, rows, matrix, level = ctx.saved_tensors
        low = grad.bfloat16()
        to_rows = (low @ matrix).float()
        scaled = low if level is None else (grad * level).bfloat16()
        to_weights = (scaled.t() @ rows).float().split(ctx.sizes)
        unit = x * inverse
        to_gain = (to_rows * unit).sum(0)
        to_rows.mul_(gain)
        along = (to_rows * unit).mean(-1, keepdim=True)
        to_x = to_rows.sub_(unit.mul_(along)).mul_(inverse)
        return (to_x, to_gain, None, None, *to_weights)


class _Norm(torch.autograd.Function):
    """RMSNorm alone."""

    @staticmethod
    def forward(ctx, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        inverse = (x * x).mean(-1, keepdim=True).add_(eps).rsqrt_()
        ctx.save_for_backward(x, gain, inverse)
        return (x * inverse).mul_(gain)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, gain, inverse = ctx.saved_tensors
        unit = x * inverse
        to_gain = (grad * unit).sum(0)
        scaled = grad * gain
        along = (scaled * unit).mean(-1, keepdim=True)
        return scaled.sub_(unit.mul_(along)).mul_(inverse), to_gain, None


class _Head(torch.autograd.Function):
    """Logits by a bf16 product with fp32 accumulation: training only."""

    @staticmethod
    def forward(ctx, x: Tensor, embedding: Tensor) -> Tensor:
        rows, matrix = x.bfloat16(), embedding.bfloat16()
        ctx.save_for_backward(rows, matrix)
        return (rows @ matrix.t()).float()

    @staticmethod
    def backward(ctx, grad: Tensor):
        rows, matrix = ctx.saved_tensors
        low = grad.bfloat16()
        return (low @ matrix).float(), (low.t() @ rows).float()


class _SquaredReluGate(torch.autograd.Function):
    """relu(gate)^2 * up of rows that hold gate and up side by side."""

    @staticmethod
    def forward(ctx, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, dim=-1)
        return gate.clamp_min(0).square_().mul_(up)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        out = torch.empty_like(both)
        to_gate, to_up = out.chunk(2, dim=-1)
        positive = gate.clamp_min(0)
        carried = grad * positive
        torch.mul(carried, positive, out=to_up)
        torch.mul(carried.mul_(2), up, out=to_gate)
        return out


class _Rotate(torch.autograd.Function):
    """RoPE in NEOX order (halves) on [batch, tokens, heads, head_dim]."""

    @staticmethod
    def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=-1)
        out = torch.empty(x.shape, dtype=x.dtype)
        low, high = out.chunk(2, dim=-1)
        torch.mul(first, cos, out=low).addcmul_(second, sin, value=-1)
        torch.mul(second, cos, out=high).addcmul_(first, sin)
        return out

    @staticmethod
    def forward(ctx, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _Rotate._turn(x, cos, sin)

    @staticmethod
    def backward(ctx, grad: Tensor):
        cos, sin = ctx.saved_tensors
        return _Rotate._turn(grad, cos, -sin), None, None


class _Mix(torch.autograd.Function):
    """softmax(q k + mask) v on batches of heads; only the scores are taken in fp32.

    q is [batch, rows, head_dim] and already scaled, k [batch, head_dim, keys], v [batch, keys,
    head_dim]. The probabilities and all gradients are multiplied as bf16: a third of the time.
    """

    @staticmethod
    def forward(ctx, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        shares = torch.baddbmm(mask, q, k).softmax(-1)
        low = shares.bfloat16()
        v = v.bfloat16()
        ctx.save_for_backward(q.bfloat16(), k.bfloat16(), v, low)
        return torch.bmm(low, v).float()

    @staticmethod
    def backward(ctx, grad: Tensor):
        q, k, v, low = ctx.saved_tensors
        grad = grad.bfloat16()
        to_v = torch.bmm(low.transpose(1, 2), grad).float()
        to_shares = torch.bmm(grad, v.transpose(1, 2)).float()
        shares = low.float()
        to_shares.mul_(shares)
        to_scores = to_shares.sub_(shares.mul_(to_shares.sum(-1, keepdim=True))).bfloat16()
        to_q = torch.bmm(to_scores, k.transpose(1, 2)).float()
        to_k = torch.bmm(q.transpose(1, 2), to_scores).float()
        return to_q, to_k, to_v, None


class Layer(nn.Module):
    """One block: attention and feed-forward, each with a norm before and a sub-norm inside."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weights = nn.ParameterDict()
        for name, (out, inner) in shape.matrices().items():
            self.weights[name.replace(".", "/")] = nn.Parameter(torch.randn(out, inner) * 0.02)
        self.gains = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(torch.ones(width)) for name, width in shape.norms().items()}
        )


class Net(nn.Module):
    """The whole model; `ternary` decides between BitLinear and plain linear layers."""

    def __init__(self, shape: Shape, ternary: bool) -> None:
        super().__init__()
        self.shape, self.ternary = shape, ternary
        self.embedding = nn.Parameter(torch.randn(shape.vocab, shape.hidden) * 0.02)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.layers)])
        self.final_gain = nn.Parameter(torch.ones(shape.hidden))
        half = shape.head_dim // 2
        inverse = shape.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(shape.context, dtype=torch.float64)[:, None] * inverse[None, :]
        self.register_buffer("cos", angles.cos().float()[:, None, :], persistent=False)
        self.register_buffer("sin", angles.sin().float()[:, None, :], persistent=False)
        future = torch.full((shape.context, shape.context), -math.inf).triu_(1)
        self.register_buffer("future", future, persistent=False)

    def _product(self, x: Tensor, layer: Layer, norm: str, *names: str) -> Tensor:
        weights = [layer.weights[name] for name in names]
        return _NormProduct.apply(x, layer.gains[norm], self.shape.eps, self.ternary, *weights)

    def _attention(self, x: Tensor, layer: Layer, batch: int, tokens: int) -> Tensor:
        s = self.shape
        group = s.heads // s.kv_heads
        names = ("self_attn/q_proj", "self_attn/k_proj", "self_attn/v_proj")
        qkv = self._product(x, layer, "input_layernorm", *names)
        qkv = qkv.view(batch, tokens, s.heads + 2 * s.kv_heads, s.head_dim)
        turned = _Rotate.apply(qkv[:, :, : s.heads + s.kv_heads], self.cos[:tokens], self.sin[:tokens])
        q = turned[:, :, : s.heads].view(batch, tokens, s.kv_heads, group, s.head_dim)
        q = q.permute(0, 2, 3, 1, 4).reshape(batch * s.kv_heads, group * tokens, s.head_dim)
        q = q * (1.0 / math.sqrt(s.head_dim))
        k = turned[:, :, s.heads :].permute(0, 2, 3, 1).reshape(batch * s.kv_heads, s.head_dim, tokens)
        v = qkv[:, :, s.heads + s.kv_heads :].permute(0, 2, 1, 3).reshape(batch * s.kv_heads, tokens, s.head_dim)
        mask = self.future[:tokens, :tokens].repeat(group, 1).unsqueeze(0)
        mixed = _Mix.apply(q, k, v, mask)
        mixed = mixed.view(batch, s.kv_heads, group, tokens, s.head_dim).permute(0, 3, 1, 2, 4)
        return mixed.reshape(batch * tokens, s.heads * s.head_dim)

    def features(self, ids: Tensor) -> Tensor:
        """The head's input for ids [batch, tokens], as [batch * tokens, hidden]."""
        batch, tokens = ids.shape
        x = F.embedding(ids, self.embedding).view(batch * tokens, self.shape.hidden)
        for layer in self.layers:
            a = self._attention(x, layer, batch, tokens)
            x = x + self._product(a, layer, "self_attn/attn_sub_norm", "self_attn/o_proj")
            both = self._product(x, layer, "post_attention_layernorm", "mlp/gate_proj", "mlp/up_proj")
            f = _SquaredReluGate.apply(both)
            x = x + self._product(f, layer, "mlp/ffn_sub_norm", "mlp/down_proj")
        return _Norm.apply(x, self.final_gain, self.shape.eps)

    def loss(self, rows: Tensor) -> Tensor:
        """Mean cross entropy of every next token in rows [batch, tokens + 1]."""
        logits = _Head.apply(self.features(rows[:, :-1]), self.embedding)
        return F.cross_entropy(logits, rows[:, 1:].reshape(-1))
