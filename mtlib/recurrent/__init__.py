"""The models that read one position after another: RNN, LSTM, seq2seq, additive attention.

They share the transformers' protocol: a language model is ``model(ids, keep, cache)``, a
translator ``model(source, inputs, source_keep, cache)``, a classifier ``model(ids, keep)``.
"""

from .additive import AdditiveAttention as AdditiveAttention
from .cache import RecurrentCache as RecurrentCache
from .lstm import LSTM as LSTM
from .lstm import BiLSTM as BiLSTM
from .lstm import LSTMCell as LSTMCell
from .models import RecurrentClassifier as RecurrentClassifier
from .models import RecurrentLM as RecurrentLM
from .rnn import RNN as RNN
from .rnn import BiRNN as BiRNN
from .rnn import RNNCell as RNNCell
from .seq2seq import AttentiveSeq2Seq as AttentiveSeq2Seq
from .seq2seq import Seq2Seq as Seq2Seq
from .seq2seq import Seq2SeqCache as Seq2SeqCache
from .stack import Cell as Cell
from .stack import Stack as Stack
from .torch_weights import from_torch as from_torch
from .torch_weights import to_torch as to_torch
