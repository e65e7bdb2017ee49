"""From text to ids where the vocabulary is learnt, or is bytes.

The tokenizers library learns and encodes, since a corpus is long; bpe.py shows how, and gives the
same ids.
"""

from collections.abc import Iterable

from torch import Tensor

from .. import _check
from .batch import BOS, EOS, PAD

SIGNS = ("<pad>", "<bos>", "<eos>")  # in the order of PAD, BOS, EOS
assert (PAD, BOS, EOS) == (0, 1, 2)


class Bytes:
    """Every byte is a token.

    >>> Bytes().decode(Bytes().encode("née"))
    'née'
    """

    def __len__(self) -> int:
        return 256

    def encode(self, text: str) -> list[int]:
        """UTF-8."""
        return list(text.encode())

    def decode(self, ids: Iterable[int] | Tensor) -> str:
        """Bytes that make no character show as �."""
        return bytes(map(int, ids)).decode(errors="replace")


class Subwords:
    """Byte-pair encoding by the tokenizers library: GPT-2's, with ids 0, 1, 2 for <pad>, <bos>, <eos>.

    >>> subwords = Subwords.learn(["low low lower"], vocab=261); subwords.decode(subwords.encode("lower, née"))
    'lower, née'
    """

    def __init__(self, json: str):
        from tokenizers import Tokenizer  # a tenth of a second, which only a learnt vocabulary costs

        self.library = Tokenizer.from_str(json)
        self.library.encode_special_tokens = True  # a text that says "<eos>" is a text about it

    @classmethod
    def learn(cls, texts: Iterable[str], vocab: int) -> "Subwords":
        """At most `vocab` tokens; ValueError where that leaves no room for 256 bytes and the signs."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        least = 256 + len(SIGNS)
        _check.positive(vocab=vocab)
        if vocab < least:
            raise ValueError(f"vocab={vocab} must be at least {least}: 256 bytes and {', '.join(SIGNS)}")
        library = Tokenizer(models.BPE())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        library.train_from_iterator(
            texts,
            trainers.BpeTrainer(vocab_size=vocab, initial_alphabet=alphabet, special_tokens=list(SIGNS), show_progress=False),
        )
        return cls(library.to_str())

    def __len__(self) -> int:
        return self.library.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """No sign is set before or after."""
        return self.library.encode(text).ids

    def decode(self, ids: Iterable[int] | Tensor) -> str:
        """Signs are left out."""
        return self.library.decode([int(i) for i in ids])

    def json(self) -> str:
        """What from_tokenizer_json and the library read."""
        return self.library.to_str()
