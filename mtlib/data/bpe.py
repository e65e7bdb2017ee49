"""Byte-pair encoding: text in pieces that were frequent in a training text, and nothing unknown.

    train    count neighbours, join the most frequent pair everywhere, repeat
    encode   start from bytes, join again in the order that was learnt

Gage 1994 joined bytes to compress files; Sennrich et al. 2016, section 3.2, joined characters to
name rare words; GPT-2 (Radford et al. 2019, section 2.2) joined bytes, so that 256 tokens spell
every text there is. This is GPT-2's. Left out: speed. The tokenizers library learns the same merges
and gives the same ids, and a thousand merges take it a tenth of the time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from math import inf

import regex  # re has no \p{L}

from .. import _check

# Text is cut before anything is joined, so that no token spans two words: GPT-2's cut. A space
# belongs to the word after it; of several, the last one does.
GPT2_CUT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# SmolLM's: a digit stands alone, always, and a number is read as a person adds it up, digit by digit.
ONE_DIGIT_CUT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"


def byte_letters() -> dict[int, str]:
    """A printable letter for each of the 256 bytes: how byte-level vocabularies are written down.

    A byte that prints as itself keeps its sign; the others take letters from 256 on, so that a
    space is Ġ. The order is the one that base tokens are numbered in.

    >>> byte_letters()[ord("a")], byte_letters()[ord(" ")]
    ('a', 'Ġ')
    """
    prints = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in prints]
    return {b: chr(b) for b in prints} | {b: chr(256 + n) for n, b in enumerate(others)}


class BytePairEncoder:
    """Tokens, the order in which they join, and text to ids and back.

    `ids` numbers the tokens, `merges` lists the pairs first learnt first, `special` numbers the
    signs that are never cut and never joined, such as <|endoftext|>.

    Two short words are enough to see it: l and o join first, then lo and w.

    >>> bpe = BytePairEncoder.train("low low lower", vocab=258)
    >>> bpe.merges
    [(b'l', b'o'), (b'lo', b'w')]
    >>> bpe.pieces("slower"), bpe.decode(bpe.encode("slower 🐌"))
    ([b's', b'low', b'e', b'r'], 'slower 🐌')
    """

    def __init__(
        self,
        ids: Mapping[bytes, int],
        merges: Sequence[tuple[bytes, bytes]],
        special: Mapping[str, int] | None = None,
        cut: str = GPT2_CUT,
    ):
        self.ids, self.merges, self.special, self.cut = dict(ids), list(merges), dict(special or {}), cut
        if strays := [pair for pair in self.merges if pair[0] + pair[1] not in self.ids]:
            raise ValueError(f"merges holds {strays[0]}, and ids no number for what it makes")
        self.rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self.tokens = {i: token for token, i in self.ids.items()} | {i: s.encode() for s, i in self.special.items()}

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def train(cls, text: str, vocab: int, special: Sequence[str] = (), cut: str = GPT2_CUT) -> "BytePairEncoder":
        """Learn merges until there are `vocab` tokens, the special ones and the 256 bytes included.

        Fewer, where the text has no pair left. Of equally frequent pairs the one with the lower
        ids goes first (left id, then right): the older token wins. That is the rule in the source
        of the tokenizers library; another implementation may choose otherwise, and the exercise
        of chapter 03 does (it takes the greater pair, letter by letter).

        Raises ValueError where `vocab` has no room for the bytes. Source: Sennrich et al. 2016,
        algorithm 1.
        """
        _check.positive(vocab=vocab)
        if vocab < 256 + len(special):
            raise ValueError(f"vocab={vocab} must be at least {256 + len(special)}: 256 bytes and the special tokens")
        if len({*special, ""}) != len(special) + 1:
            raise ValueError(f"special={list(special)} must be different signs, none of them empty")
        words = Counter(regex.findall(cut, _spelt(text)))
        merges = learn({word.encode(): times for word, times in words.items()}, vocab - 256 - len(special))
        tokens = [bytes([byte]) for byte in byte_letters()] + [left + right for left, right in merges]
        ids = {token: len(special) + n for n, token in enumerate(tokens)}
        return cls(ids, merges, {sign: n for n, sign in enumerate(special)}, cut)

    def encode(self, text: str) -> list[int]:
        """The ids of any text. TypeError for what is not a str, ValueError for half a surrogate pair.

        A byte that the vocabulary lacks vanishes without a word, as in the library. One that was
        trained here lacks none.
        """
        ids_of = cache(lambda word: [self.ids[piece] for piece in self.pieces(word)])  # a word met again costs nothing
        found = []
        for stretch in self._around_special(_spelt(text)):
            if stretch in self.special:
                found.append(self.special[stretch])
            else:
                for word in regex.findall(self.cut, stretch):
                    found += ids_of(word)
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids; bytes that make no character show as �. ValueError for an unknown id."""
        ids = [int(i) for i in ids]
        unknown = next((i for i in ids if i not in self.tokens), None)
        if unknown is not None:
            raise ValueError(f"ids holds {unknown}, which is none of this vocabulary's {len(self)} tokens")
        return b"".join(self.tokens[i] for i in ids).decode(errors="replace")

    def pieces(self, word: str) -> list[bytes]:
        """One word's tokens, as bytes. Time grows with the square of its length: words are short.

        The pair learnt first joins first, wherever it stands; of two alike, the left one.
        """
        parts = [token for byte in word.encode() if (token := bytes([byte])) in self.ids]
        while len(parts) > 1:
            rank, i = min((self.rank.get(pair, inf), i) for i, pair in enumerate(pairwise(parts)))
            if rank == inf:
                break
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return parts

    def _around_special(self, text: str) -> list[str]:
        longest_first = sorted(self.special, key=len, reverse=True)
        return regex.split(f"({'|'.join(map(regex.escape, longest_first))})", text) if self.special else [text]


def learn(words: Mapping[bytes, int], n: int) -> list[tuple[bytes, bytes]]:
    """The loop itself: at most `n` merges, from words and how often each occurs.

    A pair counts once for every place it stands in, times its word's count. Only the words that
    hold the pair are touched again. No two merges make the same token.

    >>> learn({b"low": 3, b"er": 1}, 2)
    [(b'l', b'o'), (b'lo', b'w')]
    """
    token = {i: bytes([byte]) for i, byte in enumerate(byte_letters())}
    number = {byte: i for i, byte in token.items()}
    spelling = {word: [number[bytes([byte])] for byte in word] for word in words}
    counts, where = Counter(), defaultdict(set)  # type: ignore[var-annotated]

    def add(word: bytes, times: int) -> None:
        for pair in pairwise(spelling[word]):
            counts[pair] += times
            where[pair].add(word)

    for word, times in words.items():
        add(word, times)
    merges = []
    for joined in range(256, 256 + n):
        counts = +counts  # drops the pairs that are gone
        if not counts:
            break
        left, right = best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append((token[left], token[right]))
        token[joined] = token[left] + token[right]
        for word in where.pop(best):
            add(word, -words[word])
            spelling[word] = _join(spelling[word], best, joined)
            add(word, words[word])
    return merges


def _join(ids: list[int], pair: tuple[int, int], joined: int) -> list[int]:
    """Every `pair` in ids replaced, left to right and without overlap: a a a is aa a."""
    out = []  # type: ignore[var-annotated]
    for i in ids:
        if out and (out[-1], i) == pair:
            out[-1] = joined
        else:
            out.append(i)
    return out


def _spelt(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"text is a {type(text).__name__}; it must be a str")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"text holds half a surrogate pair at position {error.start}, which no bytes spell") from None
    return text
