"""What Python says of a setting of the dimension walk, and settings to ask it about."""

import random

import torch

import mtlib as mt
from mtlib import count, memory
from mtlib.config import FFN, Norm, Placement, Scheme

# GPT-2's, Llama's, T5's and SmolLM2's checkpoints; BERT's has a pooler (590,592) and two segments (1,536) that ours
# has not, and ours a classifier (1,538).
PUBLISHED = {
    "GPT-2": 124_439_808, "GPT-2 XL": 1_557_611_200, "T5 small": 60_506_624, "SmolLM2 135M": 134_515_008,
    "Llama 2 7B": 6_738_415_616, "Llama 3 8B": 8_030_261_248, "BERT base": 109_482_240 - 590_592 - 1_536 + 1_538,
}  # fmt: skip

KINDS = ("Transformer", "DecoderLM", "EncoderDecoder")


def drawn(n: int, seed: int, large: bool = False) -> list[dict]:
    """Settings of all kinds and parts; large: up to the sizes of the largest models there are."""
    dice = random.Random(seed)
    return [_one(dice, large) for _ in range(n)]


def spoilt(n: int, seed: int) -> list[dict]:
    """Settings of which most cannot be."""
    dice = random.Random(seed)
    sizes = ("vocab", "max_len", "d_model", "n_heads", "n_kv_heads", "n_layers", "d_ff", "batch", "length", "source_length", "n_classes")
    return [s | {name: dice.choice([0, -3, 1, 3, 5, 10, 12, 50, 2.5]) for name in dice.sample(sizes, 2)} for s in drawn(n, seed)]


def _one(dice, large):
    position = dice.choice(Scheme.__args__)
    heads = dice.choice([1, 2, 4] if position == "alibi" else [1, 2, 3, 4]) * (dice.choice([1, 32]) if large else 1)
    side = dice.randint(1, 360 if large else 5)
    most = side * side
    sizes = {
        "d_model": heads * dice.choice([64, 128, 256] if large else [4, 8]), "n_heads": heads,
        "n_kv_heads": dice.choice([g for g in range(1, heads + 1) if heads % g == 0]),
        "n_layers": dice.randint(1, 126) if large else dice.choice([1, 1, 1, 2]), "d_ff": dice.choice([1, 7, 53_248 if large else 20]),
        "vocab": dice.choice([1, 9, 128_256]), "max_len": most, "n_classes": dice.choice([1, 2, 1000]),
        "batch": dice.choice([1, 1, 2, 256]), "length": dice.randint(1, most), "source_length": dice.randint(1, most),
    }  # fmt: skip
    words = {"norm": Norm, "ffn": FFN, "position": None, "placement": Placement}
    parts = {name: position if kind is None else dice.choice(kind.__args__) for name, kind in words.items()}
    flags = {"bias": dice.random() < 0.5, "tied": dice.random() < 0.5}
    return {"kind": dice.choice(KINDS), **sizes, **parts, **flags, "itemsize": dice.choice([2, 4])}


def config_of(s: dict) -> mt.ModelConfig:
    sizes = ("vocab", "max_len", "d_model", "n_heads", "n_kv_heads", "n_layers", "d_ff")
    words = ("norm", "ffn", "position", "placement", "bias", "tied")
    return mt.ModelConfig(**{name: s[name] for name in sizes}, parts=mt.Parts(**{name: s[name] for name in words}))


def model_of(s: dict):
    """The model on the meta device, and what get_dimensions() is given."""
    config, B, T, S = config_of(s), s["batch"], s["length"], s["source_length"]
    with torch.device("meta"):
        if s["kind"] == "Transformer":
            return mt.Transformer(config, n_classes=s["n_classes"]), (B, T)
        return (mt.DecoderLM(config), (B, T)) if s["kind"] == "DecoderLM" else (mt.EncoderDecoder(config), (B, S, T))


def expected(s: dict) -> dict:
    """By closed forms: parameters, operations, bytes kept and cached, a sum for each part."""
    c, B, T, S, size = config_of(s), s["batch"], s["length"], s["source_length"], s["itemsize"]
    if s["kind"] == "EncoderDecoder":
        found = {
            "params": count.encoder_decoder_parameters(c),
            "flops": count.encoder_decoder_flops(c, S=S, T=T, batch=B),
            "kept": memory.encoder_decoder_activations(c, S=S, T=T, batch=B, itemsize=size),
        }
    else:
        n = {"n_classes": s["n_classes"]} if s["kind"] == "Transformer" else {}
        found = {
            "params": count.parameters(c, **n), "flops": count.flops(c, T, batch=B, **n),
            "kept": memory.activations(c, T, batch=B, itemsize=size, **n),
        }  # fmt: skip
    across = {"DecoderLM": 0, "EncoderDecoder": S}.get(s["kind"])
    cache = 0 if across is None else memory.kv_cache(c, T, batch=B, memory=across, itemsize=size)
    return {**found, "cache": cache, "training": memory.training(found["params"]["total"], itemsize=size)["total"]}


def rows_of(s: dict) -> dict:
    """By a run on the meta device: every value and every parameter, block 0 for all blocks."""
    model, lengths = model_of(s)
    values = [[row.name, row.letters, list(row.shape)] for row in model.get_dimensions(*lengths)[:] if row.name not in ("ids", "source", "inputs", "…")]
    weights = [[row.path, row.letters, list(row.shape), row.measured] for row in model.params()[:] if row.letters]
    return {"values": values, "weights": weights}


def refusal(s: dict) -> str:
    """Python's line about a setting that cannot be, or nothing."""
    try:
        model, lengths = model_of(s)
        model.get_dimensions(*lengths)
    except ValueError as error:
        return str(error)
    return ""




def group(part: dict) -> str:
    """Under which name count.flops() has a part's operations."""
    attention = {"q_proj": "projections", "k_proj": "projections", "v_proj": "projections", "core.scores": "scores", "core": "weighted"}
    return part["family"] if part["family"] != "attention" else attention.get(part["at"], "output")
