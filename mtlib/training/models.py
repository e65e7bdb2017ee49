"""The models that a recipe can name, and how each is built from a table of numbers and words."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, get_type_hints

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from .. import config as sets
from .. import heads, recurrent
from ..config import ModelConfig, Parts
from ..encoder import Encoder
from ..init import init_weights
from ..transformer import DecoderLM, EncoderDecoder, Transformer
from .tables import RecipeError, made, values

NAMED_PARTS = {name: getattr(sets, name.upper()) for name in ("original", "bert", "gpt2", "llama", "t5")}


class MaskedLM(nn.Module):
    """An encoder that names hidden tokens: BERT's training task.

    >>> import torch; config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> MaskedLM(config)(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 9])
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config, self.encoder = config, Encoder(config)
        self.head = heads.MaskedTokenHead(config.vocab, config.d_model, eps=config.norm_eps)
        init_weights(self, n_layers=config.n_layers)

    def forward(self, ids: Int64[Tensor, "B T"], keep: Bool[Tensor, "B 1 1 T"] | None = None) -> Float[Tensor, "B T V"]:
        return self.head(self.encoder(ids, keep), self.encoder.tok.weight)


class TwoTexts(nn.Module):
    """One encoder that reads two texts and gives a vector of length 1 for each; info_nce brings partners together.

    >>> import torch; config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> a, b = TwoTexts(config, d_out=4)(torch.tensor([[3, 1]]), None, torch.tensor([[5]]), None); a.shape, b.shape
    (torch.Size([1, 4]), torch.Size([1, 4]))
    """

    def __init__(self, config: ModelConfig, *, d_out: int):
        super().__init__()
        self.config, self.encoder = config, Encoder(config)
        self.head = heads.ContrastiveHead(config.d_model, d_out)
        init_weights(self, n_layers=config.n_layers)

    def forward(
        self,
        ids: Int64[Tensor, "N T"],
        keep: Bool[Tensor, "N 1 1 T"] | None,
        others: Int64[Tensor, "N S"],
        others_keep: Bool[Tensor, "N 1 1 S"] | None,
    ) -> tuple[Float[Tensor, "N O"], Float[Tensor, "N O"]]:
        return self._vector(ids, keep), self._vector(others, others_keep)

    def _vector(self, ids: Tensor, keep: Tensor | None) -> Tensor:
        return self.head(self.encoder(ids, keep), None if keep is None else keep[:, 0, 0])


class Kind(NamedTuple):
    """hints: the type of each key its table may hold, of which `needed` must be there; build: from those to a model."""

    hints: Mapping[str, Any]
    needed: tuple[str, ...]
    build: Callable[[Mapping[str, Any], str], nn.Module]


def _transformer(cls: type[nn.Module], **extra: type) -> Kind:
    sizes = get_type_hints(ModelConfig)

    def build(table: Mapping[str, Any], where: str) -> nn.Module:
        own = {name: value for name, value in table.items() if name in extra}
        config = {name: value for name, value in table.items() if name not in own}
        return cls(made(ModelConfig, config, where), **own)

    needed = ("vocab", "max_len", "d_model", "n_heads", "n_layers", *extra)
    return Kind(sizes | extra, needed, build)


def _recurrent(cls: type[nn.Module], core: type[nn.Module]) -> Kind:
    hints = {name: hint for name, hint in get_type_hints(cls.__init__).items() if name not in ("core", "return")}
    needed = [name for name, p in inspect.signature(cls).parameters.items() if p.default is p.empty]

    def build(table: Mapping[str, Any], where: str) -> nn.Module:
        try:
            return cls(**table, core=core)
        except ValueError as error:
            raise RecipeError(f"{where}: {error}") from None

    return Kind(hints, tuple(needed), build)


KINDS: Mapping[str, Kind] = MappingProxyType({
    "decoder-lm": _transformer(DecoderLM),
    "transformer": _transformer(Transformer, n_classes=int),
    "encoder-decoder": _transformer(EncoderDecoder),
    "masked-lm": _transformer(MaskedLM),
    "two-texts": _transformer(TwoTexts, d_out=int),
    **{
        f"{name}-{task}": _recurrent(cls, core)
        for name in ("rnn", "lstm")
        for task, cls, core in (
            ("lm", recurrent.RecurrentLM, getattr(recurrent, name.upper())),
            ("classifier", recurrent.RecurrentClassifier, getattr(recurrent, f"Bi{name.upper()}")),
            ("seq2seq", recurrent.Seq2Seq, getattr(recurrent, name.upper())),
            ("attentive", recurrent.AttentiveSeq2Seq, getattr(recurrent, name.upper())),
        )
    },
})  # fmt: skip


def checked(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The [model] table, its kind known, its keys and the types of its values right."""
    sizes = dict(table)
    kind = sizes.pop("kind", None)
    if kind not in KINDS:
        said = "has no kind" if kind is None else f"kind is {kind!r}"
        raise RecipeError(f"{where} {said}; it must be one of: {', '.join(KINDS)}")
    hints = dict(KINDS[kind].hints)
    if "parts" in sizes and "parts" in hints:
        sizes["parts"] = _parts(sizes["parts"], where)
    return {"kind": kind, **values({**hints, "start": str}, sizes, where)}


def _parts(given: Any, where: str) -> Parts:
    if isinstance(given, Mapping):
        return made(Parts, given, f"{where[:-1]}.parts]")
    if given not in NAMED_PARTS:
        raise RecipeError(f"{where}, parts is {given!r}; it must be a table or one of: {', '.join(NAMED_PARTS)}")
    return NAMED_PARTS[given]


def build(table: Mapping[str, Any], where: str, data: Any) -> nn.Module:
    """The model of a checked table, its weights drawn anew; sizes that it leaves out are the data's."""
    sizes = {name: value for name, value in table.items() if name != "start"}
    kind = KINDS[sizes.pop("kind")]
    for name in kind.needed:
        if name not in sizes and isinstance(getattr(data, name, None), int):
            sizes[name] = getattr(data, name)
        if name not in sizes:
            raise RecipeError(f"{where} lacks {name!r}, which the data do not tell")
    if sizes["vocab"] < getattr(data, "vocab", 0):
        raise RecipeError(f"{where}, vocab is {sizes['vocab']}; the data need at least {data.vocab}")
    return kind.build(sizes, where)
