"""Which place a path is, and what the letters say of it: what the tables of dimensions.py and params.py share."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from torch import nn

from . import _check
from .config import ModelConfig
from .letters import CLASSES, POSITIONED, T5_BUCKETS, VALUES, WEIGHTS, WORDS, Value, sizes

TORCHS = (nn.Linear, nn.Embedding, nn.Dropout, nn.ModuleList)  # what mtlib's own modules are made of
_PATH = re.compile(r"(?:(encoder|decoder)\.)?(?:blocks\.(\d+)\.)?(?:(attn|cross_attn)\.)?(.+)")


class Place(NamedTuple):
    """A path taken apart: side, block (None outside of blocks), attention's name, the rest."""

    side: str
    block: int | None
    sublayer: str
    part: str


class Side(NamedTuple):
    """One stack of a model: its config, the number behind each letter, the letter of its positions."""

    config: ModelConfig
    size: Mapping[str, int]
    own: str = "T"


def side(config: ModelConfig, own: str = "T", **lengths: int) -> Side:
    """A side on which B, T, S and C are as given and the other letters as the config has them."""
    _check.positive(**lengths)
    return Side(config, sizes(config, **lengths), own)


def place(path: str) -> Place:
    """Take a path apart.

    >>> place("decoder.blocks.3.attn.q")
    Place(side='decoder', block=3, sublayer='attn', part='q')
    """
    side, block, sublayer, part = _PATH.fullmatch(path).groups(default="")  # type: ignore[union-attr]  # it fits every path
    return Place(side, int(block) if block else None, sublayer, part)


def value_at(at: Place, config: ModelConfig, *, own: str = "T", classifier: bool = False) -> Value | None:
    """What passes at a place of a model made by `config`, or None where nothing has a name.

    `own` is the letter of the positions on this side: T, or S in the encoder of a translator.
    """
    known = CLASSES if classifier and at.part == "head" else VALUES.get(at.part)
    if known is None:
        return None
    other = "S" if at.sublayer == "cross_attn" else own
    letter = {"T": own, "T_k": other, **_heads(config)}
    name = f"cross_{known.name}" if at.sublayer == "cross_attn" else known.name
    meaning = POSITIONED[config.parts.position] if at.part == "pos" else known.meaning
    return Value(name, " ".join(letter.get(axis, axis) for axis in known.letters.split()), meaning)


def weight_at(at: Place, config: ModelConfig, *, classifier: bool = False) -> str | None:
    """The letters of a parameter at a place, or None where the layout has none."""
    module, _, kind = at.part.rpartition(".")
    letters = WEIGHTS.get(module)
    if letters is None or (kind not in ("weight", "bias") and at.part != "pool.query"):
        return None
    if module == "head" and classifier:
        letters = "C D"
    if module == "pos" and config.parts.position == "t5":
        letters = f"{T5_BUCKETS} H"
    axes = [_heads(config).get(axis, axis) for axis in letters.split()]
    return axes[0] if kind == "bias" else " ".join(axes)


def family(at: Place) -> str:
    """The part under which anything at this place is counted, known to the layout or not."""
    step = at.part.split(".")[0]
    families = {"tok": "embedding", "pos": "positions", "ffn": "ffn", "pool": "pool", "head": "head"}
    norms = ("norm", "norm1", "norm2", "norm_cross")
    attention = at.sublayer or step in ("attn", "cross_attn")
    return "attention" if attention else "norms" if step in norms else families.get(step, "other")


def of_your_own(model: nn.Module, path: str) -> str | None:
    """The outermost module on the way to `path` that no config of mtlib's builds, or None.

    There a model may have any shape; everywhere else it must be what its config says.
    """
    module, way = model, []
    for step in path.split("."):
        module = getattr(module, step, None)
        if not isinstance(module, nn.Module):
            return None
        way.append(step)
        if type(module) not in TORCHS and not type(module).__module__.startswith("mtlib."):
            return ".".join(way)
    return None


def fold(entries: Iterable[tuple[Place, Any]], more: Callable[[list[list[tuple[Place, Any]]]], Any]) -> list[Any]:
    """The rows; where all blocks of a side are alike, those of block 0 and one that `more` makes of the others."""
    rows: list[Any] = []
    for (_, inside), run in groupby(entries, key=lambda e: (e[0].side, e[0].block is not None)):
        run = list(run)  # type: ignore[assignment]
        blocks = [list(block) for _, block in groupby(run, key=lambda e: e[0].block)]
        alike = inside and len(blocks) > 1 and all(_looks(block) == _looks(blocks[0]) for block in blocks)
        rows += [row for _, row in blocks[0]] + [more(blocks[1:])] if alike else [row for _, row in run]
    return rows


def span(blocks: list[list[tuple[Place, Any]]]) -> str:
    """The path of these blocks: 'decoder.blocks.1…5'."""
    (first, last), side = (blocks[i][0][0].block for i in (0, -1)), blocks[0][0][0].side
    return f"{side}{'.' if side else ''}blocks.{first}" + (f"…{last}" if last != first else "")


def legend(sides: Mapping[str, Side], rows: Iterable[Any]) -> tuple[str, ...]:
    """A line for each side: every letter that the rows use, its number and its word."""
    used = {"L", *re.findall("[A-Z]", " ".join(row.letters for row in rows))}
    lines = {name: _spelled(s.size, used) for name, s in sides.items()}
    if len(set(lines.values())) == 1:  # both sides made by one config
        return (next(iter(lines.values())),)
    return tuple(f"{name}: {line}" for name, line in lines.items())


def _spelled(size: Mapping[str, int], used: set[str]) -> str:
    return ", ".join(f"{letter}={size[letter]:,} {word}" for letter, word in WORDS.items() if letter in used & size.keys())


def _looks(block: list[tuple[Place, Any]]) -> list[tuple]:
    return [(at.sublayer, at.part, row.letters, row.shape) for at, row in block]


def _heads(config: ModelConfig) -> dict[str, str]:
    """Every query head has keys of its own unless n_kv_heads is smaller: then H says it all."""
    return {"G": "H", "G·E": "H·E"} if config.kv_heads == config.n_heads else {}
