"""From modules in js/ to scripts that a page can carry, and from a model to text that a script can."""

import base64
import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from .. import shipped
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..transformer import DecoderLM, EncoderDecoder

JS = Path(__file__).parent / "js"
MODEL = ("safetensors", "ops", "attention", "models", "tokenizer", "rules", "worker")  # each after what it imports
PAGE = ("client", "parts", "odd_text", "attention_view", "layers_view", "next_view", "translation_view", "page")
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
    kinds = {cls: kind for kind, cls in shipped.KINDS.items()}
    if type(model) not in kinds:
        raise TypeError(f"model is a {type(model).__name__}; the page computes {DecoderLM.__name__} and {EncoderDecoder.__name__}")
    config: Any = model.config
    if isinstance(model, EncoderDecoder) and model.decoder.config != config:
        raise ValueError("source and target have configs of their own; the page computes models whose two sides are alike")
    known = {"norm": ("layer",), "ffn": ("gelu", "gelu-tanh"), "position": ("learned", "sinusoidal"), "placement": ("pre",),
             "bias": (True,), "tied": (True,)}  # fmt: skip
    for name, values in known.items():
        if (value := getattr(config.parts, name)) not in values:
            raise ValueError(f"parts.{name}={value!r}; the page computes {' or '.join(map(repr, values))}")
    if config.kv_heads != config.n_heads:
        raise ValueError(f"n_kv_heads={config.kv_heads}; the page computes models whose {config.n_heads} heads share nothing")
    return {"kind": kinds[type(model)], **asdict(config)}


def _spec(tokenizer: Letters | Subwords | None) -> dict[str, Any]:
    if isinstance(tokenizer, Letters):
        return {"model": {"type": "Letters", "alphabet": tokenizer.alphabet}}
    if isinstance(tokenizer, Subwords):
        return json.loads(tokenizer.json())
    raise TypeError(f"tokenizer is a {type(tokenizer).__name__}; it must be the Letters or the Subwords that the model was trained with")


def _weights(model: nn.Module) -> bytes:
    from safetensors.torch import save

    return save({name: value.half().contiguous().clone() for name, value in model.state_dict().items()})
