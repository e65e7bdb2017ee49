"""The dimension walk: sizes on sliders, and every shape, parameter, operation and byte of a model follows.

The control is a script with arithmetic of its own (walk.js; sizes.js is count.py and memory.py
in its words), so a built page needs no kernel for it. What it starts from comes from here:
named models as mtlib's own configs, and the letters of letters.py. walk.json holds the first
drawing, made by the script itself, for readers without one.
"""

import itertools
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..config import BERT, GPT2, LLAMA, ORIGINAL, T5, ModelConfig, Parts
from ..letters import CLASSES, POSITIONED, T5_BUCKETS, VALUES, WEIGHTS
from .bundle import bundle

HERE = Path(__file__).parent
_ids = itertools.count(1)  # a page is one kernel, so these are unique on it


def presets() -> dict[str, tuple[str, ModelConfig, dict[str, int]]]:
    """Models by name: which of the three classes, its config, and what besides (n_classes, lengths).

    >>> presets()["GPT-2"][1].n_heads
    12
    """
    llama = Parts(norm="rms", ffn="swiglu", position="rotary-halves", bias=False, tied=True)
    gpt2: dict[str, Any] = {"vocab": 50_257, "max_len": 1024, "parts": GPT2}
    return {
        "the notes’ example": ("Transformer", ModelConfig(vocab=30_000, max_len=100, d_model=128, n_heads=8, n_layers=1, parts=ORIGINAL), {"n_classes": 2}),
        "the 2017 base model": ("EncoderDecoder", ModelConfig(vocab=37_000, max_len=512, d_model=512, n_heads=8, n_layers=6, parts=ORIGINAL), {}),
        "BERT base": ("Transformer", ModelConfig(vocab=30_522, max_len=512, d_model=768, n_heads=12, n_layers=12, parts=BERT), {"n_classes": 2}),
        "GPT-2": ("DecoderLM", ModelConfig(d_model=768, n_heads=12, n_layers=12, **gpt2), {}),
        "GPT-2 XL": ("DecoderLM", ModelConfig(d_model=1600, n_heads=25, n_layers=48, **gpt2), {}),
        "T5 small": ("EncoderDecoder", ModelConfig(vocab=32_128, max_len=512, d_model=512, n_heads=8, n_layers=6, parts=T5), {}),
        "SmolLM2 135M": ("DecoderLM", ModelConfig(vocab=49_152, max_len=8192, d_model=576, n_heads=9, n_kv_heads=3, n_layers=30, d_ff=1536, parts=llama), {}),
        "Llama 2 7B": ("DecoderLM", ModelConfig(vocab=32_000, max_len=4096, d_model=4096, n_heads=32, n_layers=32, d_ff=11_008, parts=LLAMA), {}),
        "Llama 3 8B": ("DecoderLM", ModelConfig(vocab=128_256, max_len=8192, d_model=4096, n_heads=32, n_kv_heads=8, n_layers=32, d_ff=14_336, parts=LLAMA), {}),
    }  # fmt: skip


def setting(kind: str, config: ModelConfig, *, batch: int = 1, length: int = 100, source_length: int = 100, n_classes: int = 2, itemsize: int = 4) -> dict:
    """One setting of the control, flat, as the script has it.

    >>> setting("DecoderLM", presets()["GPT-2"][1])["d_ff"]
    3072
    """
    sizes = {name: value for name, value in asdict(config).items() if isinstance(value, int) and name != "dropout"}
    parts = {name: value for name, value in asdict(config.parts).items() if name != "rotary_base"}
    lengths = {"batch": batch, "length": length, "source_length": source_length, "n_classes": n_classes}
    return {"kind": kind, **lengths, **sizes, "n_kv_heads": config.kv_heads, "d_ff": config.ff_width, **parts, "itemsize": itemsize}


def tables() -> dict:
    """The letters and words of letters.py, for the script."""
    return {"values": VALUES, "classes": CLASSES, "positioned": POSITIONED, "weights": WEIGHTS, "buckets": T5_BUCKETS}


def state(uid: str) -> dict:
    """What the script starts from."""
    models = {name: setting(kind, config, **more) for name, (kind, config, more) in presets().items()}
    return {"uid": uid, "presets": models, "tables": tables()}


class Walk:
    """Shown as HTML alone: it works without Python from there on."""

    def __init__(self):
        uid = f"mt-walk-{next(_ids)}"
        data = json.dumps(state(uid), separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        first = json.loads((HERE / "walk.json").read_text("utf8"))["first"].replace("mt-walk-0", uid)
        self.html = (
            f'<div class="mt-explore mt-walk" id="{uid}" data-module="walk"><div class="mt-walk-all">{first}</div>'
            "<noscript><p>This is the notes’ example; moving the sizes needs JavaScript.</p></noscript>"
            f'<script type="application/json">{data}</script></div>'
        )
        self.uid = uid

    def _repr_html_(self):
        if os.environ.get("MTLIB_STATIC") == "1":  # the book's host starts it
            return self.html
        style = "".join((HERE / name).read_text("utf8") for name in ("widgets.css", "walk.css"))
        return f"<style>{style}</style>{self.html}<script>{_start(self.uid)}</script>"

    def __repr__(self):
        return "<the dimension walk: shown in a notebook or in the built page>"


def _start(uid: str) -> str:
    """A notebook's host: it asks for nothing but `get`, which a Map has too."""
    source = json.dumps(bundle("walk")).replace("<", "\\u003c")
    return (
        f'(async () => {{ const el = document.getElementById("{uid}");'
        f' const url = URL.createObjectURL(new Blob([{source}], {{ type: "text/javascript" }}));'
        " const state = JSON.parse(el.querySelector(\"script[type='application/json']\").textContent);"
        " (await import(url)).default.render({ model: new Map(Object.entries(state)), el });"
        ' el.querySelector("fieldset").disabled = false; el.dataset.ready = ""; })();'
    )


def walk() -> Walk:
    """Walk through a model's dimensions: batch, length, vocabulary, width, heads, layers, FFN and parts are yours to move.

    Every shape stands on its wire, and every part says its parameters, operations, the bytes it
    keeps for backward and those in the cache, with formulas: what get_dimensions(), params(),
    mt.count and mt.memory give for the same model. Source of each formula: beside it.

    >>> walk()
    <the dimension walk: shown in a notebook or in the built page>
    """
    return Walk()
