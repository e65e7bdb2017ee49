"""Three whole models: read and decide, write on, translate.

    Transformer      encoder -> pool -> classes              logits (B, C)
    DecoderLM        decoder -> token table                  logits (B, T, V), each for the next token
    EncoderDecoder   encoder -> memory -> decoder -> tokens  logits (B, T, V)

Nothing here is new; the parts are in encoder.py, decoder.py and heads.py. Training and
generation are functions elsewhere, so these classes hold a forward and little else.
"""

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from . import _check, count
from .cache import ModelCache
from .config import ModelConfig
from .decoder import Decoder
from .dimensions import Dimension, dimensions
from .encoder import Encoder
from .heads import MeanPool
from .init import init_weights
from .layout import side
from .params import Parameter, params
from .table import Table
from .trace import Tap


class Transformer(nn.Module):
    """An encoder that reads a text and names its class; the mean over positions decides, unless a pool is given.

    >>> import torch; config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> Transformer(config, n_classes=3)(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3])
    """

    def __init__(self, config: ModelConfig, *, n_classes: int, pool: nn.Module | None = None):
        super().__init__()
        _check.positive(n_classes=n_classes)
        self.config, self.n_classes = config, n_classes
        self.encoder = Encoder(config)
        self.pool = MeanPool() if pool is None else pool
        _check.instance(pool=(self.pool, nn.Module))
        self.head = nn.Linear(config.d_model, n_classes)
        init_weights(self, n_layers=config.n_layers)

    def forward(
        self, ids: Int64[Tensor, "B T"], keep: Bool[Tensor, "B 1 1 T"] | None = None
    ) -> Float[Tensor, "B C"]:
        """`keep` is what padding_keep gives: it serves the attention and the pooling."""
        hidden = self.encoder(ids, keep)  # which looks at both arguments first
        if keep is not None and keep.shape != (ids.size(0), 1, 1, ids.size(1)):
            wanted = (ids.size(0), 1, 1, ids.size(1))
            raise ValueError(f"keep has shape {tuple(keep.shape)}; it must be {wanted}, as mt.padding_keep gives it")
        return self.head(self.pool(hidden, None if keep is None else keep[:, 0, 0]))

    def get_dimensions(self, batch: int = 1, length: int | None = None, *, every_layer: bool = False) -> Table[Dimension]:
        """Every value's shape in the order of the run; length is max_len unless given. No memory is taken.

        >>> model = Transformer(ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1), n_classes=3)
        >>> [(row.letters, row.shape) for row in model.get_dimensions() if row.name == "scores"]
        [('B H T T', (1, 2, 4, 4))]
        """
        here = side(self.config, B=batch, T=_or(length, self.config), C=self.n_classes)
        return dimensions(self, {"ids": "B T"}, {"": here}, every_layer=every_layer)

    def params(self, *, every_layer: bool = False) -> Table[Parameter]:
        """Every parameter, measured and by closed form; raises ValueError where the two disagree.

        >>> model = Transformer(ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1), n_classes=3)
        >>> model.params().foot[-1].measured, model.params().foot[-1].closed_form
        (1019, 1019)
        """
        closed = count.parameters(self.config, n_classes=self.n_classes)
        return params(self, {"": side(self.config, C=self.n_classes)}, closed, every_layer=every_layer)


class DecoderLM(Decoder):
    """A language model: at every position, scores for what comes next.

    ``keep`` covers all keys, those in the cache too: (B, 1, 1, T_k) for padding.

    >>> import torch; config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> model = DecoderLM(config); model(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 9])
    """

    def __init__(self, config: ModelConfig, *, cross: bool = False):
        super().__init__(config, cross=cross)
        self.head = None if config.parts.tied else nn.Linear(config.d_model, config.vocab, bias=False)
        self.cross, self.logits = cross, Tap()
        init_weights(self, n_layers=config.n_layers)

    def forward(
        self,
        ids: Int64[Tensor, "B T"],
        keep: Bool[Tensor, "..."] | None = None,
        memory: Float[Tensor, "B S D"] | None = None,
        memory_keep: Bool[Tensor, "..."] | None = None,
        cache: ModelCache | None = None,
    ) -> Float[Tensor, "B T V"]:
        return self.logits(self.unembed(super().forward(ids, keep, memory, memory_keep, cache)))

    def unembed(self, h: Float[Tensor, "*any D"]) -> Float[Tensor, "*any V"]:
        """Scores of all tokens for vectors that have passed the final norm: a product with each token's vector."""
        _check.features(h, "h", self.tok.weight)
        return F.linear(h, self.tok.weight) if self.head is None else self.head(h)

    def get_dimensions(
        self, batch: int = 1, length: int | None = None, *, memory_length: int | None = None, every_layer: bool = False
    ) -> Table[Dimension]:
        """As Transformer's; memory_length is for a decoder with cross."""
        here = side(self.config, B=batch, T=_or(length, self.config), S=_or(memory_length, self.config))
        memory = {"memory": "B S D"} if self.cross or memory_length is not None else {}
        return dimensions(self, {"ids": "B T", **memory}, {"": here}, every_layer=every_layer)

    def params(self, *, every_layer: bool = False) -> Table[Parameter]:
        """Every parameter, measured and by closed form; a tied head is the token table and counts once."""
        closed = count.parameters(self.config, cross=self.cross)
        return params(self, {"": side(self.config)}, closed, every_layer=every_layer)


class EncoderDecoder(nn.Module):
    """The whole 2017 figure: an encoder reads the source, a decoder writes the target while looking at it.

    With one config both sides share the token table, as the paper and T5 do; with a config of
    its own the target has its own vocabulary and sizes (d_model must agree).

    `inputs` is the target shifted right: what was written before each position. With a cache
    the source is encoded at the first call and remembered, and inputs are the new positions.

    >>> import torch; config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> EncoderDecoder(config)(torch.tensor([[3, 1, 4]]), torch.tensor([[1, 5]])).shape
    torch.Size([1, 2, 9])
    """

    def __init__(self, source: ModelConfig, target: ModelConfig | None = None):
        super().__init__()
        _check.instance(source=(source, ModelConfig), target=(source if target is None else target, ModelConfig))
        if target is not None and target.d_model != source.d_model:
            raise ValueError(f"the source has d_model={source.d_model} and the target {target.d_model}; they must be equal")
        self.config = source
        self.encoder = Encoder(source)
        self.decoder = DecoderLM(source if target is None else target, cross=True)
        if target is None:
            self.encoder.tok = self.decoder.tok
        init_weights(self, n_layers=source.n_layers)

    def forward(
        self,
        source: Int64[Tensor, "B S"],
        inputs: Int64[Tensor, "B T"],
        source_keep: Bool[Tensor, "B 1 1 S"] | None = None,
        keep: Bool[Tensor, "..."] | None = None,
        cache: ModelCache | None = None,
    ) -> Float[Tensor, "B T V"]:
        _check.ids(source, "source", self.encoder.tok.weight)
        _check.ids(inputs, "inputs", self.decoder.tok.weight)
        if source.size(0) != inputs.size(0):
            raise ValueError(f"source is a batch of {source.size(0)} and inputs of {inputs.size(0)}; they must be equal")
        _check.keep(source_keep, (source.size(0), 1, 1, source.size(1)), source.device, "source_keep")
        if cache is not None:
            _check.instance(cache=(cache, ModelCache))
        memory = None if cache is None else cache.memory
        if memory is None:
            memory = self.encoder(source, source_keep)
            if cache is not None:
                cache.memory = memory
        return self.decoder(inputs, keep, memory, source_keep, cache)

    def get_dimensions(
        self,
        batch: int = 1,
        source_length: int | None = None,
        target_length: int | None = None,
        *,
        every_layer: bool = False,
    ) -> Table[Dimension]:
        """As Transformer's, first the source's side, then the target's."""
        source, target = self.config, self.decoder.config
        here = {"B": batch, "S": _or(source_length, source), "T": _or(target_length, target)}
        sides = {"encoder": side(source, "S", **here), "decoder": side(target, **here)}  # type: ignore[arg-type]  # sizes, and no letter
        return dimensions(self, {"source": "B S", "inputs": "B T"}, sides, every_layer=every_layer)

    def params(self, *, every_layer: bool = False) -> Table[Parameter]:
        """Every parameter, measured and by closed form; a shared token table counts once."""
        shared = self.encoder.tok is self.decoder.tok
        closed = count.encoder_decoder_parameters(self.config, None if shared else self.decoder.config)
        sides = {"encoder": side(self.config), "decoder": side(self.decoder.config)}
        return params(self, sides, closed, every_layer=every_layer)

    def new_cache(self) -> ModelCache:
        """An empty cache, for one batch of sources."""
        return self.decoder.new_cache()


def _or(length: int | None, config: ModelConfig) -> int:
    return config.max_len if length is None else length
