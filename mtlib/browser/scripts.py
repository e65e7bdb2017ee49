"""From modules in js/ to scripts that a page can carry, and from a model to text that a script can."""

import base64
import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import shipped
from ..cores import FusedCore
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..heads import AttentionPool, FirstPool, MaxPool, MeanPool
from ..transformer import DecoderLM, EncoderDecoder, Transformer

KINDS = {**shipped.KINDS, "transformer": Transformer}
POOLS = {"first": FirstPool, "mean": MeanPool, "max": MaxPool, "attention": AttentionPool}
JS = Path(__file__).parent / "js"
MODEL = ("safetensors", "ops", "norm", "ffn", "position", "rotary", "score_bias", "heads", "parts", "attention",
         "models", "tokenizer", "rules", "worker")  # each after what it imports  # fmt: skip
PAGE = ("client", "elements", "odd_text", "letters", "attention_view", "layers_view", "next_view", "translation_view", "page")
_IMPORT = re.compile(r"^import .* from .*;\n", re.M)
_EXPORT = re.compile(r"^export (\{.*\};\n)?", re.M)
_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.M)


def joined(names: tuple[str, ...]) -> str:
    """Modules as one script: imports and exports taken away, since all stand in one scope. ValueError for a name that two give."""
    parts = [_EXPORT.sub("", _IMPORT.sub("", (JS / f"{name}.js").read_text("utf8"))) for name in names]
    text = "\n".join(parts)
    twice = [name for name, times in Counter(_NAME.findall(text)).items() if times > 1]
    if twice:
        raise ValueError(f"two modules both name {', '.join(twice)}: in one scope they would be one")
    return text


def worker_script() -> str:
    """The model's thread: answers what page_script asks."""
    return f'(() => {{\n"use strict";\n{joined(MODEL)}\nself.onmessage = serve;\n}})();\n'


def page_script() -> str:
    """The page's own: starts every element with data-live, and the model's thread when one is reached."""
    return f'(() => {{\n"use strict";\nconst WORKER = {json.dumps(worker_script())};\n{joined(PAGE)}\nstartAll();\n}})();\n'


def payload(model: str | nn.Module, tokenizer: Letters | Subwords | None = None) -> dict[str, Any]:
    """Config, tokenizer and weights of a shipped model, or of any of ours, as JSON-ready data; weights in half precision.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute.
    """
    if isinstance(model, str):
        folder = shipped.folder(model)
        config, spec = (json.loads((folder / f"{name}.json").read_text("utf8")) for name in ("config", "tokenizer"))
        weights = (folder / shipped.WEIGHTS).read_bytes()
    else:
        config, spec, weights = _config(model), _spec(tokenizer), _weights(model)
    return {"config": config, "tokenizer": spec, "weights": base64.b64encode(weights).decode()}


def _config(model: nn.Module) -> dict[str, Any]:
    kind = next((name for name, cls in KINDS.items() if type(model) is cls), None)
    if kind is None:
        raise TypeError(f"model is a {type(model).__name__}; the page computes {', '.join(cls.__name__ for cls in KINDS.values())}")
    config: Any = {"kind": kind, **asdict(model.config)}
    if isinstance(model, EncoderDecoder):
        source, target = model.config, model.decoder.config
        if target.vocab != source.vocab:
            raise ValueError(f"the source has vocab={source.vocab} and the target {target.vocab}; the page reads and writes with one tokenizer")
        config |= {} if target == source else {"target": asdict(target)}
    elif isinstance(model, Transformer):
        config |= {"n_classes": model.n_classes, "pool": _pool(model)}
    elif model.cross:
        raise ValueError("model reads a memory (cross=True), which a text alone does not give; take an EncoderDecoder, or cross=False")
    _as_built(model)
    return config


def _pool(model: Transformer) -> str:
    word = next((word for word, pool in POOLS.items() if type(model.pool) is pool), None)
    if word is None:
        raise TypeError(f"pool is a {type(model.pool).__name__}; the page computes {', '.join(pool.__name__ for pool in POOLS.values())}")
    return word


def _as_built(model: nn.Module) -> None:
    """TypeError for a module that the config did not put there: the page knows the config alone."""
    with torch.device("meta"):  # of the twin nothing is asked but what its modules are
        if isinstance(model, EncoderDecoder):
            twin: nn.Module = EncoderDecoder(model.config, model.decoder.config)
        elif isinstance(model, Transformer):
            pool = AttentionPool(model.config.d_model) if isinstance(model.pool, AttentionPool) else type(model.pool)()
            twin = Transformer(model.config, n_classes=model.n_classes, pool=pool)
        else:
            twin = DecoderLM(model.config)
    built = {path: type(module) for path, module in twin.named_modules()}
    for path, module in model.named_modules():
        if type(module) not in (built.get(path), FusedCore):
            wanted = built[path].__name__ if path in built else "nothing"
            raise TypeError(f"{path} is a {type(module).__name__}; the page computes what the config builds there, {wanted}")


def _spec(tokenizer: Letters | Subwords | None) -> dict[str, Any]:
    if isinstance(tokenizer, Letters):
        return {"model": {"type": "Letters", "alphabet": tokenizer.alphabet}}
    if isinstance(tokenizer, Subwords):
        return json.loads(tokenizer.json())
    raise TypeError(f"tokenizer is a {type(tokenizer).__name__}; it must be the Letters or the Subwords that the model was trained with")


def _weights(model: nn.Module) -> bytes:
    from safetensors.torch import save

    return save({name: value.half().contiguous().clone() for name, value in model.state_dict().items()})
