"""A Llama in one GGUF file: its sizes, its weights, its tokenizer.

    header     magic, version, how many tensors, how many settings
    settings   name, type, value
    tensors    name, shape, type, where its bytes begin
    bytes      each tensor's, aligned

Most weights are kept in 4 bits. A block of 32 neighbours in a row shares two half-precision
numbers, a step d and a floor m, and each weight is one of 16 rungs between:

    Q4_1:  w = d · n + m,  n in 0…15        20 bytes for 32 weights, 5 bits each
    Q8_0:  w = d · n,      n in -127…127    34 bytes for 32 weights, 8.5 bits each

Left out: every other kind of block, big-endian files, and writing. Source: the
GGUF specification of the ggml project. The gguf package reads the same, and the tests hold the two
together; on one busy machine SmolLM2 took it nine seconds, and one and a half here.
"""

import math
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

_STRING, _ARRAY = 8, 9
_NUMBER = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_CONTROL = 3  # tokenizer.ggml.token_type of <|im_start|> and its like


class LlamaSizes(NamedTuple):
    """What a Llama is built from, in mtlib's words.

    The rows of its q and k are ordered for rotary pairs (2i, 2i + 1), the paper's; a Llama of
    transformers has them ordered for halves (i, i + E/2).
    """

    vocab: int
    max_len: int
    d_model: int
    n_heads: int
    n_kv_heads: int
    n_layers: int
    d_ff: int
    rotary_base: float
    norm_eps: float


class GGUF:
    """A GGUF file, opened: `settings` by name now, weights when asked for.

    Raises ValueError for a file that is not GGUF, or that keeps weights in blocks unknown here.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.bytes = np.memmap(path, np.uint8, mode="r")
        if (magic := self.bytes[:4].tobytes()) != b"GGUF":
            raise ValueError(f"{self.path.name} begins {magic!r}; a GGUF file begins b'GGUF'")
        scan = _Scan(self.bytes, at=4)
        try:
            if (version := scan.take("I")) not in (2, 3):
                raise ValueError(f"{self.path.name} is GGUF version {version}; it must be 2 or 3")
            n_tensors, n_settings = scan.take("Q"), scan.take("Q")
            self.settings: dict[str, Any] = {scan.string(): scan.value(scan.take("I")) for _ in range(n_settings)}
            self._tensors = [(scan.string(), scan.shape(), scan.take("I"), scan.take("Q")) for _ in range(n_tensors)]
        except struct.error:
            raise ValueError(f"{self.path.name} ends inside its head: it was cut short") from None
        align = self.settings.get("general.alignment", 32)
        self._start = -(-scan.at // align) * align  # rounded up

    def sizes(self) -> LlamaSizes:
        """The model's sizes. ValueError if the file holds no Llama."""
        architecture = self.settings.get("general.architecture")
        if architecture != "llama":
            raise ValueError(f"{self.path.name} holds the architecture {architecture!r}; it must be 'llama'")
        get = {name.removeprefix("llama."): value for name, value in self.settings.items()}
        return LlamaSizes(
            vocab=len(self.settings["tokenizer.ggml.tokens"]),
            max_len=get["context_length"],
            d_model=get["embedding_length"],
            n_heads=get["attention.head_count"],
            n_kv_heads=get["attention.head_count_kv"],
            n_layers=get["block_count"],
            d_ff=get["feed_forward_length"],
            rotary_base=get["rope.freq_base"],
            norm_eps=_as_written(get["attention.layer_norm_rms_epsilon"]),
        )

    def weights(self) -> dict[str, Tensor]:
        """Every tensor by its name in the file, float32, matrices as torch has them: (out, in).

        SmolLM2: token_embd.weight (V, D), which is the head too; blk.N.attn_{q,k,v,output}.weight,
        blk.N.ffn_{gate,up,down}.weight, blk.N.{attn,ffn}_norm.weight; output_norm.weight.
        """
        return {name: self._weight(name, *where) for name, *where in self._tensors}

    def _weight(self, name: str, shape: tuple[int, ...], kind: int, offset: int) -> Tensor:
        if kind not in _KINDS:
            raise ValueError(f"{name} is kept as kind {kind}; known here are 0 (F32), 3 (Q4_1) and 8 (Q8_0)")
        n_weights, n_bytes, decode = _KINDS[kind]
        begin = self._start + offset
        end = begin + math.prod(shape) // n_weights * n_bytes
        if end > len(self.bytes):
            raise ValueError(f"{name} ends at byte {end} and {self.path.name} at {len(self.bytes)}: it was cut short")
        return torch.from_numpy(decode(self.bytes[begin:end].reshape(-1, n_bytes))).view(shape)

    def tokenizer(self) -> Tokenizer:
        """SmolLM's tokenizer: GPT-2's byte-level one with every digit alone. It adds no special tokens."""
        get = {name.removeprefix("tokenizer.ggml."): value for name, value in self.settings.items()}
        model, cut = get.get("model"), get.get("pre")
        if (model, cut) != ("gpt2", "smollm"):
            raise ValueError(f"the tokenizer is {model!r}, cut {cut!r}; it must be 'gpt2', cut 'smollm'")
        ids = {token: i for i, token in enumerate(get["tokens"])}
        tokenizer = Tokenizer(models.BPE(ids, [tuple(pair.split(" ")) for pair in get["merges"]]))
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens([t for t, kind in zip(get["tokens"], get["token_type"]) if kind == _CONTROL])
        return tokenizer


class _Scan:
    """The head of the file, read from front to back."""

    def __init__(self, data: np.ndarray, at: int):
        self.data, self.at = memoryview(data), at  # type: ignore[arg-type]  # an array is a buffer

    def take(self, form: str) -> Any:
        (value,) = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return value

    def string(self) -> str:
        length = self.take("Q")
        self.at += length
        return str(self.data[self.at - length : self.at], "utf-8")

    def shape(self) -> tuple[int, ...]:
        return tuple(self.take("Q") for _ in range(self.take("I")))[::-1]  # the file has the fastest axis first

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            kind, length = self.take("I"), self.take("Q")
            return [self.value(kind) for _ in range(length)]
        return self.take(_NUMBER[kind])


def _halves(column: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(column).view(np.float16).astype(np.float32)


def _q4_1(block: np.ndarray) -> np.ndarray:
    step, floor = _halves(block[:, :2]), _halves(block[:, 2:4])
    packed = block[:, 4:]
    rungs = np.concatenate([packed & 15, packed >> 4], axis=1)  # the first 16 weights lie in the low halves
    return step * rungs + floor


def _q8_0(block: np.ndarray) -> np.ndarray:
    return _halves(block[:, :2]) * block[:, 2:].view(np.int8)


def _f32(block: np.ndarray) -> np.ndarray:
    return np.array(block).view(np.float32)  # a copy: the file may not be written to


# kind: weights in a block, bytes in a block, how to read them
_KINDS = {0: (1, 4, _f32), 3: (32, 20, _q4_1), 8: (32, 34, _q8_0)}


def _as_written(single: float) -> float:
    """The shortest decimal that a float32 stands for: 9.99999975e-06 was written as 1e-05."""
    return float(str(np.float32(single)))
