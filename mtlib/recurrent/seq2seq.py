"""Read one sequence, write another: through one state, or with a look back at every step.

    Seq2Seq            the encoder's last states start the decoder, and are all it ever knows
                       of the source (Sutskever et al. 2014)
    AttentiveSeq2Seq   at every step the decoder asks all that the encoder thought:
                       context_t = attention(h_{t-1}, memory)
                       h_t       = core([tok_t ; context_t], h_{t-1})
                       logits_t  = head([h_t ; context_t])  (Bahdanau et al. 2015, section 3)

Letters: B batch, S positions of the source, T of the target, D d_model, V vocabulary of the
target, L layers. Parameter names: source_tok, encoder, tok, decoder, head, and start and
attention where there are.

Where we leave the papers: the source is not reversed (2014); the core is not a GRU, every
layer has its start, and the output layer is plain, not maxout (2015).
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from .. import _check
from ._arguments import positions_kept, same_batch
from .additive import AdditiveAttention
from .cache import RecurrentCache
from .lstm import LSTM, BiLSTM
from .rnn import RNN, BiRNN
from .stack import Stack, core_class

BOTH_WAYS = {RNN: BiRNN, LSTM: BiLSTM}


class Seq2SeqCache:
    """What was read of the source, once, and where the decoder is; ``len(cache)``: target positions."""

    def __init__(self) -> None:
        self.memory: Tensor | None = None  # (B, S, …), what the encoder put out
        self.projected: Tensor | None = None  # (B, S, D), as the attention sees it; None without one
        self.keep: Tensor | None = None  # (B, S)
        self.decoder = RecurrentCache()

    def __len__(self) -> int:
        return len(self.decoder)

    def select(self, rows: Int64[Tensor, "B_new"]) -> None:
        """Go on with these rows of the batch, in this order, some more than once: what was read of the source too."""
        for name in ("memory", "projected", "keep"):
            held = getattr(self, name)
            setattr(self, name, None if held is None else held[rows])
        self.decoder.select(rows)


class Seq2Seq(nn.Module):
    """Encoder and decoder with one state between them, of one size however long the source.

    Args:
        source_vocab: ids of the source.
        vocab: V, ids of the target.
        d_model: D, of both tables and all states.
        n_layers: L, of the encoder and of the decoder.
        core: the class LSTM or RNN.
        dropout: on what goes up, never along time.

    ``model(source, inputs, source_keep, cache)``: inputs is the target shifted right, logits_t
    speak of what comes after inputs_t. source_keep: (B, S), or (B, 1, 1, S) as padding_keep
    gives it. With a cache from new_cache() the source is read at the first call, and the
    target continues from call to call. Raises ValueError or TypeError, in one line.

    >>> model = Seq2Seq(source_vocab=9, vocab=7, d_model=8)
    >>> model(torch.tensor([[1, 2, 3]]), torch.tensor([[0, 5]])).shape
    torch.Size([1, 2, 7])
    """

    def __init__(
        self,
        source_vocab: int,
        vocab: int,
        d_model: int,
        n_layers: int = 1,
        *,
        core: type[Stack] = LSTM,
        dropout: float = 0.0,
    ):
        super().__init__()
        _check.positive(source_vocab=source_vocab, vocab=vocab, d_model=d_model, n_layers=n_layers)
        _check.fraction(dropout=dropout)
        core_class(core, one_way="a decoder may not see what comes next")
        self.source_tok = nn.Embedding(source_vocab, d_model)
        self.tok = nn.Embedding(vocab, d_model)
        self.dropout = nn.Dropout(dropout)
        self._build(core, d_model, n_layers, dropout)

    def _build(self, core: type[Stack], d_model: int, n_layers: int, dropout: float) -> None:
        self.encoder = core(d_model, d_model, n_layers, dropout=dropout)
        self.decoder = core(d_model, d_model, n_layers, dropout=dropout)
        self.head = nn.Linear(d_model, self.tok.num_embeddings)

    def new_cache(self) -> Seq2SeqCache:
        return Seq2SeqCache()

    def forward(
        self,
        source: Int64[Tensor, "B S"],
        inputs: Int64[Tensor, "B T"],
        source_keep: Bool[Tensor, "..."] | None = None,
        cache: Seq2SeqCache | None = None,
    ) -> Float[Tensor, "B T V"]:
        _check.ids(source, "source", self.source_tok.weight)
        _check.ids(inputs, "inputs", self.tok.weight)
        same_batch(source=source, inputs=inputs)
        keep = positions_kept(source_keep, source, name="source_keep")
        cache = self.new_cache() if cache is None else cache
        x = self.dropout(self.tok(inputs))
        self._check_cache(cache, source, x)
        if cache.memory is None:
            self._read(source, keep, cache)
        return self.head(self.dropout(self._write(x, cache)))

    def _read(self, source: Tensor, keep: Tensor | None, cache: Seq2SeqCache) -> None:
        reading = self.encoder.new_cache()
        cache.memory = self.encoder(self.dropout(self.source_tok(source)), keep, reading)
        cache.decoder = RecurrentCache(reading.states)

    def _write(self, x: Float[Tensor, "B T D"], cache: Seq2SeqCache) -> Float[Tensor, "B T D"]:
        return self.decoder(x, cache=cache.decoder)

    def _check_cache(self, cache: Seq2SeqCache, source: Tensor, x: Tensor) -> None:
        if not isinstance(cache, Seq2SeqCache):
            raise TypeError(f"cache is a {type(cache).__name__}; it must be what new_cache() gives, a Seq2SeqCache")
        if cache.memory is None:
            return
        if cache.memory.shape[:2] != source.shape:
            read = tuple(cache.memory.shape[:2])
            raise ValueError(f"the cache has read a source of shape {read}, not {tuple(source.shape)}: start a new one")
        if cache.memory.size(-1) != self.encoder.d_out:
            raise ValueError("the cache has read the source with another kind of model: start a new cache")
        self.decoder.check_cache(cache.decoder, x)


class AttentiveSeq2Seq(Seq2Seq):
    """The encoder reads both ways, and the decoder looks at all of it before every token.

    Arguments and call as Seq2Seq. The decoder starts from what the reading right to left came
    to, through `start`. It cannot be run over all positions at once: its input holds the
    context, which its last state asked for. mt.trace(model) sees ``attention.weights``, the
    alignment, once a target position, (B, S) each.

    >>> model = AttentiveSeq2Seq(source_vocab=9, vocab=7, d_model=8)
    >>> model(torch.tensor([[1, 2, 3]]), torch.tensor([[0, 5]])).shape
    torch.Size([1, 2, 7])
    """

    def _build(self, core: type[Stack], d_model: int, n_layers: int, dropout: float) -> None:
        if core not in BOTH_WAYS:
            raise ValueError(f"core={core.__name__} has no twin that reads both ways; take RNN or LSTM")
        self.encoder = BOTH_WAYS[core](d_model, d_model, n_layers, dropout=dropout)
        self.start = nn.Linear(d_model, n_layers * d_model)
        self.attention = AdditiveAttention(d_model, self.encoder.d_out, d_model)
        self.decoder = core(d_model + self.encoder.d_out, d_model, n_layers, dropout=dropout)
        self.head = nn.Linear(d_model + self.encoder.d_out, self.tok.num_embeddings)

    def _read(self, source: Tensor, keep: Tensor | None, cache: Seq2SeqCache) -> None:
        super()._read(source, keep, cache)
        cache.keep, cache.projected = keep, self.attention.k_proj(cache.memory)
        leftward, *others = cache.decoder.states[-1]  # the last cell's: top layer, right to left
        starts = self.start(leftward).tanh().chunk(len(self.decoder.cells), dim=-1)  # L of (B, D)
        cache.decoder = RecurrentCache([(h, *map(torch.zeros_like, others)) for h in starts])

    def _write(self, x: Float[Tensor, "B T D"], cache: Seq2SeqCache) -> Float[Tensor, "B T D3"]:
        outs = []
        for x_t in x.unbind(1):
            query = cache.decoder.states[-1][0]  # h of the top layer, one step ago
            context = self.attention.attend(query, cache.memory, cache.projected, cache.keep)  # type: ignore[arg-type]  # written by now
            h = self.decoder(torch.cat([x_t, context], dim=-1)[:, None], cache=cache.decoder)[:, 0]
            outs.append(torch.cat([h, context], dim=-1))  # (B, D + 2D)
        return torch.stack(outs, dim=1)
