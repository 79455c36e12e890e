"""Trains the bundled model, or its fp32 twin, on the rows that prepare.py wrote. Resumes.

Two stages, as the BitNet reports describe for ternary weights: first a high, constant learning
rate with weight decay; from half way on two thirds of it, falling to zero, without weight decay.
The first stage reads rows in halves (attention is cheaper), the second in full.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import torch

from net import Net
from shape import Shape

WARMUP_STEPS = 100
STAGE_TWO_RATE = 2 / 3
WEIGHT_DECAY = 0.1
CLIP = 1.0
ROWS_A_STEP = 8  # 8 * 512 tokens an update: small, because the token budget is
MICRO_ROWS = 4  # 2048 tokens at once keep the working set near the caches


def schedule(step: int, steps: int, peak: float) -> tuple[float, float]:
    """(learning rate, weight decay) of an update."""
    half = steps // 2
    if step < half:
        return peak * min(1.0, (step + 1) / WARMUP_STEPS), WEIGHT_DECAY
    return peak * STAGE_TWO_RATE * (steps - step) / (steps - half), 0.0


def optimizer(net: Net) -> torch.optim.AdamW:
    """AdamW; only the matrices of the layers decay."""
    layers = [weight for layer in net.layers for weight in layer.weights.values()]
    decayed = {id(weight) for weight in layers}
    others = [weight for weight in net.parameters() if id(weight) not in decayed]
    groups = [{"params": layers, "decays": True}, {"params": others, "decays": False}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8)


def read_rows(path: Path, width: int) -> torch.Tensor:
    """All rows of a file as int16 [rows, width]; ids are below 32768."""
    data = torch.from_file(str(path), shared=False, size=path.stat().st_size // 2, dtype=torch.int16)
    return data.view(-1, width)


@torch.no_grad()
def held_out_loss(net: Net, rows: torch.Tensor) -> float:
    """Mean loss over the first 32 held-out rows."""
    return sum(net.loss(rows[at : at + 4].long()).item() for at in range(0, 32, 4)) / 8


def save(path: Path, net: Net, optim: torch.optim.Optimizer, step: int, seconds: float, losses: list) -> None:
    """Writes a checkpoint whole or not at all."""
    part = path.with_suffix(".part")
    state = {"shape": net.shape.as_dict(), "ternary": net.ternary, "net": net.state_dict(),
             "optimizer": optim.state_dict(), "step": step, "seconds": seconds, "losses": losses}
    torch.save(state, part)
    os.replace(part, path)


def train(folder: Path, ternary: bool, steps: int, peak: float, save_every: int) -> None:
    """Runs from the last checkpoint, or from the start, to the last step."""
    torch.manual_seed(1)
    shape = Shape()
    name = "ternary" if ternary else "twin"
    net = Net(shape, ternary)
    optim = optimizer(net)
    path = folder / f"{name}.pt"
    step, spent, losses = 0, 0.0, []
    if path.exists():
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optim.load_state_dict(state["optimizer"])
        step, spent, losses = state["step"], state["seconds"], state["losses"]
    rows = read_rows(folder / "train.bin", shape.context + 1)
    held_out = read_rows(folder / "held_out.bin", shape.context + 1)
    if steps * ROWS_A_STEP > len(rows):
        raise SystemExit(f"{steps} steps need {steps * ROWS_A_STEP} rows, train.bin has {len(rows)}")
    log = open(folder / f"{name}.log", "a")
    started = time.process_time() - spent
    mean = None
    while step < steps:
        rate, decay = schedule(step, steps, peak)
        for group in optim.param_groups:
            group["lr"] = rate
            group["weight_decay"] = decay if group["decays"] else 0.0
        batch = rows[step * ROWS_A_STEP : (step + 1) * ROWS_A_STEP].long()
        micro = MICRO_ROWS
        if step < steps // 2:
            middle = shape.context // 2
            batch = torch.cat((batch[:, : middle + 1], batch[:, middle:]))
            micro *= 2
        optim.zero_grad(set_to_none=True)
        total = 0.0
        for part in batch.split(micro):
            loss = net.loss(part) * (len(part) / len(batch))
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP).item()
        optim.step()
        step += 1
        mean = total if mean is None else 0.95 * mean + 0.05 * total
        if step % 20 == 0 or step == steps:
            line = {"step": step, "loss": round(mean, 4), "rate": round(rate, 6), "norm": round(norm, 3),
                    "cpu_seconds": round(time.process_time() - started, 1), "clock": round(time.time())}
            if step % 200 == 0 or step == steps:
                line["held_out"] = round(held_out_loss(net, held_out), 4)
                losses.append((step, line["loss"], line["held_out"]))
            log.write(json.dumps(line) + "\n")
            log.flush()
        if step % save_every == 0 or step == steps:
            save(path, net, optim, step, time.process_time() - started, losses)


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path, help="where prepare.py wrote its files")
    arguments.add_argument("--twin", action="store_true", help="the fp32 twin")
    arguments.add_argument("--steps", type=int, default=3000)
    arguments.add_argument("--rate", type=float, default=2.5e-3)
    arguments.add_argument("--save-every", type=int, default=100)
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)
    train(given.folder, not given.twin, given.steps, given.rate, given.save_every)


if __name__ == "__main__":
    main()
