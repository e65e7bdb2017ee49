"""BERT (Devlin et al. 2019), as transformers' BertModel and BertForMaskedLM, and mtlib's Encoder.

BERT adds a third table, of segments: first or second sentence. With one sentence it adds the
same row to every position, so that row goes into our position table; what the model knows of
a second sentence is dropped. So are the pooler and the next-sentence head, which read the
first position for a task of pre-training.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..config import BERT, ModelConfig
from ._config import activation, only
from ._table import Row, State, Table, rows

TABLES = {"word_embeddings": "tok", "position_embeddings": "pos", "token_type_embeddings": "segment"}
BLOCK = {
    "attention.self.query": "attn.q_proj",
    "attention.self.key": "attn.k_proj",
    "attention.self.value": "attn.v_proj",
    "attention.output.dense": "attn.o_proj",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "ffn.w_in",
    "output.dense": "ffn.w_out",
    "output.LayerNorm": "norm2",
}
HEAD = {"transform.dense": "head.dense", "transform.LayerNorm": "head.norm"}


def from_bert(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """A BertModel's state dict under Encoder's names; ValueError names what does not fit."""
    return _joined(Table(_encoder(config, "", ""), unused=_unused("")).to_ours(state), "")


def to_bert(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The inverse, for a BertModel without pooler; both rows of its segment table are zeros."""
    return Table(_encoder(config, "", "")).to_theirs(_parted(state, ""))


def from_bert_mlm(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """A BertForMaskedLM's state dict, for ``nn.ModuleDict({"encoder": Encoder, "head": MaskedTokenHead})``."""
    return _joined(_with_head(config).to_ours(state), "encoder.")


def to_bert_mlm(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The inverse of from_bert_mlm; both rows of the segment table are zeros."""
    return _with_head(config).to_theirs(_parted(state, "encoder."))


def config_from_bert(config: Any) -> ModelConfig:
    """Our config for a transformers BertConfig, which is only read; dropout is left at 0."""
    only(config, position_embedding_type="absolute", is_decoder=False)
    return ModelConfig(
        vocab=config.vocab_size,
        max_len=config.max_position_embeddings,
        d_model=config.hidden_size,
        n_heads=config.num_attention_heads,
        n_layers=config.num_hidden_layers,
        d_ff=config.intermediate_size,
        norm_eps=config.layer_norm_eps,
        parts=replace(BERT, ffn=activation(config.hidden_act)),  # type: ignore[arg-type]  # a word of Parts
    )


def _encoder(config: ModelConfig, theirs: str, ours: str) -> tuple[Row, ...]:
    found = [*rows(TABLES, (f"{theirs}embeddings.", ours), bias=False)]
    found += rows({"LayerNorm": "norm"}, (f"{theirs}embeddings.", ours))
    for n in range(config.n_layers):
        found += rows(BLOCK, (f"{theirs}encoder.layer.{n}.", f"{ours}blocks.{n}."))
    return tuple(found)


def _with_head(config: ModelConfig) -> Table:
    head = *rows(HEAD, ("cls.predictions.", "")), Row("cls.predictions.bias", ("head.bias",))
    copies = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }
    return Table((*_encoder(config, "bert.", "encoder."), *head), copies, unused=_unused("bert."))


def _unused(under: str) -> tuple[str, ...]:
    return f"{under}pooler.", f"{under}embeddings.position_ids", "cls.seq_relationship."


def _joined(state: State, under: str) -> State:
    """The segment row of a first sentence, added to every position's row."""
    segment = state.pop(f"{under}segment.weight")
    return state | {f"{under}pos.weight": state[f"{under}pos.weight"] + segment[0]}


def _parted(state: Mapping[str, Tensor], under: str) -> State:
    """Segments of zeros beside what a state dict of ours holds."""
    table = state.get(f"{under}tok.weight")
    return dict(state) if table is None else {**state, f"{under}segment.weight": table.new_zeros(2, table.size(-1))}
