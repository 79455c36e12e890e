"""Writes reference/: what the exported model gives, as numbers the C++ tests compare with.

Made by exact.py in float32 from the exported folder; see reference/README.md for the files. Also
judges the model against its fp32 twin, and prints and writes the figures of the README.
"""

from __future__ import annotations

import argparse
import json
import math
from array import array
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F

import held_out
import tokenizer
from exact import ExactModel, load_folder, load_twin

STEPS = 64
LAST_ONLY = 20  # prompts whose last position's logits are stored
EVERY = 3  # of these the shortest, stored at every position
CONTEXTS = (256, 512)


def perplexity(model: ExactModel, ids: list[int], bos: int, context: int) -> tuple[float, int]:
    """(perplexity, tokens scored) with llama.cpp's chunking.

    The text's ids begin with BOS and are cut into whole chunks of `context`; each chunk is run with
    its first id replaced by BOS, and the tokens of its second half (but the middle one) are scored.
    """
    total, count = 0.0, 0
    for start in range(0, len(ids) - context + 1, context):
        chunk = ids[start : start + context]
        model.reset()
        logits = model.forward([bos] + chunk[1:])
        half = context // 2
        losses = F.cross_entropy(logits[half:-1], torch.tensor(chunk[half + 1 :]), reduction="none")
        total += losses.double().sum().item()
        count += len(losses)
    return math.exp(total / count), count


def rows_perplexity(model: ExactModel, path: Path, width: int) -> tuple[float, int]:
    """(perplexity, tokens scored) over every next token of the held-out rows."""
    rows = array("H")
    rows.frombytes(path.read_bytes())
    total, count = 0.0, 0
    for at in range(0, len(rows), width):
        row = list(rows[at : at + width])
        model.reset()
        loss = F.cross_entropy(model.forward(row[:-1]), torch.tensor(row[1:]), reduction="sum")
        total += loss.item()
        count += width - 1
    return math.exp(total / count), count


def continue_greedily(model: ExactModel, ids: list[int], steps: int, stops: set[int]) -> tuple[list[int], list[float]]:
    """Greedy ids after a prompt and the lead of each over the next best; ends on a stop id, if any."""
    model.reset()
    logits = model.forward(ids)[-1]
    out, leads = [], []
    while len(out) < steps:
        best = logits.topk(2)
        out.append(int(best.indices[0]))
        leads.append(round(float(best.values[0] - best.values[1]), 5))
        if out[-1] in stops:
            break
        logits = model.forward(out[-1:])[-1]
    return out, leads


def answer(model: ExactModel, coder: tokenizer.Tokenizer, segments: list[str], steps: int = 120) -> str:
    """The greedy reply to a conversation."""
    stops = {coder.ids[tokenizer.EOS], coder.ids[tokenizer.EOT]}
    ids, _ = continue_greedily(model, coder.encode_document(segments), steps, stops)
    return coder.decode(i for i in ids if i not in stops)


def judge(model: ExactModel, coder: tokenizer.Tokenizer, questions: list[held_out.Question]) -> tuple[dict, list[dict]]:
    """Right and asked by kind, and every question with its reply."""
    right, asked, log = Counter(), Counter(), []
    for question in questions:
        reply = answer(model, coder, held_out.chat_prompt([], question.question), 80)
        good = question.is_right(reply)
        asked[question.kind] += 1
        right[question.kind] += good
        log.append({"kind": question.kind, "question": question.question, "must": question.must,
                    "reply": reply, "right": good})
    return {kind: {"right": right[kind], "asked": asked[kind]} for kind in asked}, log


def write_cases(model: ExactModel, coder: tokenizer.Tokenizer, folder: Path) -> None:
    """cases.json and logits.f32."""
    prompts = [coder.encode_document(segments) for segments in held_out.prompts()]
    shortest = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))[:EVERY]
    stops = [coder.ids[tokenizer.EOS], coder.ids[tokenizer.EOT]]
    cases, blocks, at = [], [], 0
    for number, ids in enumerate(prompts):
        greedy, leads = continue_greedily(model, ids, STEPS, set())
        stop = next((i for i, token in enumerate(greedy) if token in stops), STEPS)
        case = {"text": coder.decode(ids), "ids": ids, "greedy": greedy, "leads": leads, "stop": stop}
        if number < LAST_ONLY or number in shortest:
            model.reset()
            logits = model.forward(ids)
            if number not in shortest:
                logits = logits[-1:]
            case["logits"] = {"offset": at, "first_position": len(ids) - len(logits), "positions": len(logits)}
            blocks.append(logits.contiguous().numpy().astype("<f4").tobytes())
            at += len(logits)
        cases.append(case)
    (folder / "logits.f32").write_bytes(b"".join(blocks))
    document = {"vocab": model.shape.vocab, "steps": STEPS, "stop_ids": stops, "cases": cases}
    lines = json.dumps(document, ensure_ascii=True, separators=(",", ":")).replace('{"text"', '\n{"text"')
    (folder / "cases.json").write_text(lines + "\n")


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("model", type=Path, help="the exported Hugging Face folder")
    arguments.add_argument("folder", type=Path, help="where reference files are written")
    arguments.add_argument("--run", type=Path, help="the training folder: twin.pt and held_out.bin")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    coder = tokenizer.load(given.model / "tokenizer.json")
    model = load_folder(given.model)
    bos = coder.ids[tokenizer.BOS]

    sample = held_out.text()
    (given.folder / "held_out.txt").write_text(sample)
    questions = held_out.questions()
    write_cases(model, coder, given.folder)
    ids = [bos] + coder.encode(sample)
    figures: dict = {"text_tokens": len(ids), "perplexity": {}}
    models = {"ternary": model}
    if given.run:
        models["twin"] = load_twin(given.run / "twin.pt")
    for name, one in models.items():
        entry = {str(c): dict(zip(("value", "scored"), perplexity(one, ids, bos, c))) for c in CONTEXTS}
        if given.run:
            rows = rows_perplexity(one, given.run / "held_out.bin", model.shape.context + 1)
            entry["mixture"] = dict(zip(("value", "scored"), rows))
        figures["perplexity"][name] = entry
        scores, log = judge(one, coder, questions)
        figures.setdefault("questions", {})[name] = scores
        if name == "ternary":
            text = json.dumps(log, ensure_ascii=True).replace('{"kind"', '\n{"kind"')
            (given.folder / "questions.json").write_text(text + "\n")
    (given.folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
