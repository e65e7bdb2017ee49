"""Whole models on a recurrent core: one that writes on, one that sorts into classes.

    language model   logits_t = head(h_t),  h = core(tok[ids])          Mikolov et al. 2010
    classifier       logits   = head(mean of h_t over the positions kept)

Letters: B batch, T positions, D d_model, V vocabulary, C classes. Parameter names: tok, core,
head. They need no table of positions, so no text is too long for them; and none is quick.

Left out: a head tied to the token table.
"""

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from .. import _check
from ..heads import MeanPool
from ._arguments import positions_kept
from .cache import RecurrentCache
from .lstm import LSTM
from .stack import Stack, core_class


class RecurrentLM(nn.Module):
    """Predicts the next token from a state that holds all that came before.

    Args:
        vocab: V.
        d_model: D, of the token table and of the states.
        n_layers: L.
        core: the class LSTM, RNN, or another one-way Stack.
        dropout: on what goes up (embeddings, between layers, before the head), never along
            time (Zaremba et al. 2014).

    ``model(ids, keep, cache)``: with a cache from new_cache() the text continues after what it
    holds. keep: (B, T), or (B, 1, 1, T) as padding_keep gives it; padding is stepped over, at
    the left as well, and its logits mean nothing. Raises ValueError or TypeError, in one line.

    >>> import torch; model = RecurrentLM(vocab=9, d_model=8)
    >>> cache = model.new_cache(); model(torch.tensor([[1, 2, 3]]), cache=cache).shape, len(cache)
    (torch.Size([1, 3, 9]), 3)
    """

    def __init__(
        self, vocab: int, d_model: int, n_layers: int = 1, *, core: type[Stack] = LSTM, dropout: float = 0.0
    ):
        super().__init__()
        _check.positive(vocab=vocab, d_model=d_model, n_layers=n_layers)
        _check.fraction(dropout=dropout)
        core_class(core, one_way="a language model may not see what comes next")
        self.core = core(d_model, d_model, n_layers, dropout=dropout)
        self.tok = nn.Embedding(vocab, d_model)
        self.head = nn.Linear(d_model, vocab)
        self.dropout = nn.Dropout(dropout)

    def new_cache(self) -> RecurrentCache:
        return RecurrentCache()

    def forward(
        self,
        ids: Int64[Tensor, "B T"],
        keep: Bool[Tensor, "..."] | None = None,
        cache: RecurrentCache | None = None,
    ) -> Float[Tensor, "B T V"]:
        _check.ids(ids, "ids", self.tok.weight)
        h = self.core(self.dropout(self.tok(ids)), keep, cache)  # (B, T, D)
        return self.head(self.dropout(h))


class RecurrentClassifier(nn.Module):
    """Reads the whole text, averages what it thought at each position, and decides.

    Args as RecurrentLM, and n_classes: C; the core may read both ways: BiLSTM, BiRNN. To pool
    otherwise, put another module of heads.py at ``model.pool``.

    >>> import torch; from mtlib.recurrent import BiLSTM
    >>> model = RecurrentClassifier(vocab=9, n_classes=2, d_model=8, core=BiLSTM)
    >>> model(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 2])
    """

    def __init__(
        self,
        vocab: int,
        n_classes: int,
        d_model: int,
        n_layers: int = 1,
        *,
        core: type[Stack] = LSTM,
        dropout: float = 0.0,
    ):
        super().__init__()
        _check.positive(vocab=vocab, n_classes=n_classes, d_model=d_model, n_layers=n_layers)
        _check.fraction(dropout=dropout)
        core_class(core)
        self.core = core(d_model, d_model, n_layers, dropout=dropout)
        self.tok = nn.Embedding(vocab, d_model)
        self.pool = MeanPool()
        self.head = nn.Linear(self.core.d_out, n_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Int64[Tensor, "B T"], keep: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B C"]:
        """Logits; of a row with nothing kept, the head's bias."""
        _check.ids(ids, "ids", self.tok.weight)
        keep = positions_kept(keep, ids)
        h = self.core(self.dropout(self.tok(ids)), keep)  # (B, T, D or 2D)
        return self.head(self.dropout(self.pool(h, keep)))
