"""Writes a trained checkpoint as a Hugging Face folder in the layout of 2B4T.

Ternary matrices are packed four rows a byte with a bf16 weight_scale beside each (multiplied, as
`autobitlinear` says), the tied embedding is f16, the norms are f32.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch

import safetensors
from net import Net, ternarize
from pack import pack_rows
from shape import Shape
from tokenizer import BOS, EOS, EOT, Tokenizer, load

CHAT_TEMPLATE = (
    "{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}"
    "{{ message['role'] | capitalize + ': ' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}"
)


def _raw(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().numpy().tobytes()


def _bf16(value: float) -> bytes:
    return _raw(torch.tensor([value]).bfloat16().view(torch.int16))


@torch.no_grad()
def tensors(net: Net) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """All tensors by their Hugging Face names."""
    shape = net.shape
    out: dict[str, tuple[str, tuple[int, ...], bytes]] = {}
    out["model.embed_tokens.weight"] = ("F16", (shape.vocab, shape.hidden), _raw(net.embedding.half()))
    out["model.norm.weight"] = ("F32", (shape.hidden,), _raw(net.final_gain))
    for at, layer in enumerate(net.layers):
        for name, (rows, inner) in shape.matrices().items():
            trits, scale = ternarize(layer.weights[name.replace(".", "/")])
            codes = _raw((trits + 1).to(torch.uint8))
            full = f"model.layers.{at}.{name}"
            out[f"{full}.weight"] = ("U8", (rows // 4, inner), pack_rows(codes, rows, inner))
            out[f"{full}.weight_scale"] = ("BF16", (1,), _bf16(scale.item()))
        for name, width in shape.norms().items():
            gain = layer.gains[name.replace(".", "/")]
            out[f"model.layers.{at}.{name}.weight"] = ("F32", (width,), _raw(gain))
    return out


def configuration(shape: Shape, coder: Tokenizer) -> dict[str, object]:
    """config.json: the keys of 2B4T's, with this model's numbers."""
    return {
        "_name_or_path": "tritforge-tiny", "architectures": ["BitNetForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": coder.ids[BOS], "eos_token_id": coder.ids[EOS], "head_dim": shape.head_dim,
        "hidden_act": "relu2", "hidden_size": shape.hidden, "initializer_range": 0.02,
        "intermediate_size": shape.ffn, "max_position_embeddings": shape.context,
        "model_type": "bitnet", "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers, "num_key_value_heads": shape.kv_heads,
        "quantization_config": {"quant_method": "bitnet", "linear_class": "autobitlinear",
                                "quantization_mode": "offline"},
        "rms_norm_eps": shape.eps, "rope_scaling": None, "rope_theta": shape.rope_theta,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True,
        "vocab_size": shape.vocab,
    }


def export(checkpoint: Path, tokenizer_path: Path, folder: Path) -> None:
    """Writes config, weights, tokenizer and generation settings into the folder."""
    state = torch.load(checkpoint, map_location="cpu")
    if not state["ternary"]:
        raise SystemExit(f"{checkpoint} is the fp32 twin; only the ternary model is exported")
    net = Net(Shape(**state["shape"]), True)
    net.load_state_dict(state["net"])
    coder = load(tokenizer_path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(safetensors.to_bytes(tensors(net)))
    shutil.copyfile(tokenizer_path, folder / "tokenizer.json")
    write = lambda name, what: (folder / name).write_text(json.dumps(what, indent=2) + "\n")
    write("config.json", configuration(net.shape, coder))
    write("generation_config.json", {"bos_token_id": coder.ids[BOS],
                                     "eos_token_id": [coder.ids[EOS], coder.ids[EOT]], "do_sample": True,
                                     "temperature": 0.6, "top_p": 0.9})
    write("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS,
                                    "eos_token": EOS, "chat_template": CHAT_TEMPLATE,
                                    "model_max_length": net.shape.context, "clean_up_tokenization_spaces": False,
                                    "model_input_names": ["input_ids", "attention_mask"]})


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("tokenizer", type=Path)
    arguments.add_argument("folder", type=Path)
    given = arguments.parse_args()
    export(given.checkpoint, given.tokenizer, given.folder)


if __name__ == "__main__":
    main()
