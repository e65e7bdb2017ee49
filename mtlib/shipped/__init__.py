"""Two models that come with the course, trained by its own recipes: ready to look into, in Python and in a page.

    model, tokenizer = shipped.load("dates")

    NAME/model.safetensors   the weights, half precision
    NAME/config.json         kind and sizes: all that is needed to build the model, here and in JavaScript
    NAME/tokenizer.json      one file for both sides
    NAME/recipe.json         how it was trained
    NAME/result.json         what that came to
    NAME/README.md           data, seed, scores, licence
    index.json               for each: the hash of its weights, and what they score after rounding

They stand in the package, not beside it, so that whoever has mtlib has them; index.json stands
beside this file, so that a page that shows a model is made anew when its weights change.
`make models` makes them again: see mtlib/experiments/ship.py.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from ..config import ModelConfig, Parts
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..transformer import DecoderLM, EncoderDecoder

HERE = Path(__file__).parent
KINDS = {"encoder-decoder": EncoderDecoder, "decoder-lm": DecoderLM}
WEIGHTS = "model.safetensors"


class Ready(NamedTuple):
    """A trained model in eval mode, and the tokenizer that it was trained with."""

    model: nn.Module
    tokenizer: Letters | Subwords


def index() -> dict[str, dict[str, Any]]:
    """What is shipped: of each its sha256, its scores and a sentence."""
    return json.loads((HERE / "index.json").read_text("utf8"))


def load(name: str) -> Ready:
    """The model `name`, float32 on half-precision values. ValueError for a name or a file that is not ours.

    >>> model, tokenizer = load("dates")
    >>> tokenizer.decode(tokenizer.encode("May 1"))
    'May 1'
    """
    from safetensors.torch import load as read

    file = folder(name) / WEIGHTS
    weights = file.read_bytes()
    if (found := hashlib.sha256(weights).hexdigest()) != index()[name]["sha256"]:
        raise ValueError(f"{file.name} of {name!r} has sha256 {found[:8]}…, not the one in index.json: run `make models` again")
    model = build(json.loads((folder(name) / "config.json").read_text("utf8")))
    model.load_state_dict(read(weights))  # strict; halves become float32 as they are copied
    return Ready(model.eval(), tokenizer(json.loads((folder(name) / "tokenizer.json").read_text("utf8"))))


def folder(name: str) -> Path:
    """Where the files of `name` stand."""
    if name not in (known := index()):
        raise ValueError(f"no shipped model is called {name!r}; there are: {', '.join(known)}")
    return HERE / name


def build(config: dict[str, Any]) -> nn.Module:
    """An untrained model of a config.json."""
    sizes = {key: value for key, value in config.items() if key not in ("kind", "parts")}
    return KINDS[config["kind"]](ModelConfig(**sizes, parts=Parts(**config["parts"])))


def tokenizer(spec: dict[str, Any]) -> Letters | Subwords:
    """Of a tokenizer.json: the tokenizers library's own form, or an alphabet."""
    if spec["model"]["type"] == "Letters":
        return Letters(spec["model"]["alphabet"])
    return Subwords(json.dumps(spec, ensure_ascii=False))
