"""The plainest tokenizer: every letter is a token. For tasks whose alphabet is known before."""

from collections.abc import Iterable

from torch import Tensor

from .batch import BOS, EOS, PAD

FIRST = 1 + max(PAD, BOS, EOS)


class Letters:
    """Ids for the letters of an alphabet, in its order, after PAD, BOS and EOS.

    >>> letters = Letters("abc"); letters.encode("cab"), letters.decode([1, 5, 3, 4, 2, 0])
    ([5, 3, 4], 'cab')
    """

    def __init__(self, alphabet: str):
        if len(set(alphabet)) != len(alphabet) or not alphabet:
            raise ValueError(f"alphabet={alphabet!r} must hold each of its letters once, and at least one")
        self.alphabet = alphabet
        self.id = {letter: FIRST + n for n, letter in enumerate(alphabet)}

    def __len__(self) -> int:
        return FIRST + len(self.alphabet)

    def encode(self, text: str) -> list[int]:
        """ValueError for a letter that is not in the alphabet."""
        try:
            return [self.id[letter] for letter in text]
        except KeyError as error:
            raise ValueError(f"text holds {error}, which is not in the alphabet {self.alphabet!r}") from None

    def decode(self, ids: Iterable[int] | Tensor) -> str:
        """The text up to EOS, if there is one; PAD and BOS are left out."""
        text = ""
        for i in map(int, ids):
            if i == EOS:
                break
            if not 0 <= i < len(self):
                raise ValueError(f"ids holds {i}; it must lie in 0…{len(self) - 1}")
            text += self.alphabet[i - FIRST] if i >= FIRST else ""
        return text
