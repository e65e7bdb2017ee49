"""encoder.byte_pair_merges: which neighbours join first."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

Pair = tuple[str, str]


def reference(words: dict[str, int], n: int) -> list[Pair]:
    return variant()(words, n)


def times_its_count(symbols: list[str], count: int) -> Counter:
    return Counter({pair: count * times for pair, times in Counter(pairwise(symbols)).items()})


def most_then_greater(counts: Counter) -> Pair:
    return max(counts, key=lambda pair: (counts[pair], pair))


def left_to_right(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(symbols):
        joins = tuple(symbols[at : at + 2]) == pair
        out.append("".join(pair) if joins else symbols[at])
        at += 1 + joins
    return out


def variant(spell: Callable = list, count: Callable = times_its_count, best: Callable = most_then_greater, join: Callable = left_to_right):
    """Learning merges with a step changed: the first symbols, the count, the choice, the joining."""

    def byte_pair_merges(words: dict[str, int], n: int) -> list[Pair]:
        spelled, merges = {word: spell(word) for word in words}, []
        for _ in range(n):
            counts: Counter = Counter()
            for word, symbols in spelled.items():
                counts.update(count(symbols, words[word]))
            if not counts:
                break
            merges.append(best(counts))
            spelled = {word: join(symbols, merges[-1]) for word, symbols in spelled.items()}
        return merges

    return byte_pair_merges


def _word(d: Draw, letters: str, low: int, high: int) -> str:
    return "".join(letters[i] for i in d.integers(d.whole(low, high), high=len(letters) - 1).tolist())


def _words(d: Draw, letters: str, low: int = 2, high: int = 5, most: int = 4) -> dict:
    return {_word(d, letters, low, high): d.whole(1, 6) for _ in range(d.whole(1, most))}


def _merges(d: Draw, words: dict, most: int) -> int:
    """How many merges to ask for: no more than the words have, which is a promise of its own."""
    return d.whole(1, len(reference(words, most)))


def some(d: Draw) -> dict:
    """A few words, and no more merges than they have."""
    words = _words(d, d.pick("ab", "abc", "lowers"))
    return {"words": words, "n": _merges(d, words, 3)}


def one_word(d: Draw) -> dict:
    """One word and one merge: one pair stands there most often, so that no rule for ties is needed."""
    again = _word(d, "ab", 2, 2) * d.whole(2, 3)
    return {"words": {_word(d, "c", 0, 1) + again + _word(d, "d", 0, 1): d.whole(1, 3)}, "n": 1}


def runs(d: Draw) -> dict:
    """The same letter again and again."""
    words = {letter * d.whole(1, 7): d.whole(1, 4) for letter in "ab"[: d.whole(1, 2)]} | _words(d, "ab", most=2)
    return {"words": words, "n": _merges(d, words, 4)}


def ties(d: Draw) -> dict:
    """Words that stand once each, so that many pairs are as frequent."""
    words = {word: 1 for word in _words(d, "abcd", 2, 4)}
    return {"words": words, "n": _merges(d, words, 4)}


def too_many(d: Draw) -> dict:
    """More merges than there are pairs; some words of one letter; no word at all."""
    words = _words(d, "ab", 1, 4) if d.flag() else d.pick({}, {"a": 3}, {"a": 2, "b": 5})
    return {"words": words, "n": d.whole(0, 20)}


def _without_overlap(symbols: list[str], count: int) -> Counter:
    out: Counter = Counter()
    before: Pair | None = None
    for pair in pairwise(symbols):
        if pair == before and pair[0] == pair[1]:
            before = None  # this one shares a letter with the last
            continue
        out[pair] += count
        before = pair
    return out


def _right_to_left(symbols: list[str], pair: Pair) -> list[str]:
    out, at = [], len(symbols)
    while at > 0:
        joins = at > 1 and tuple(symbols[at - 2 : at]) == pair
        out.insert(0, "".join(pair) if joins else symbols[at - 1])
        at -= 1 + joins
    return out


def _first_only(symbols: list[str], pair: Pair) -> list[str]:
    for at in range(len(symbols) - 1):
        if tuple(symbols[at : at + 2]) == pair:
            return [*symbols[:at], "".join(pair), *symbols[at + 2 :]]
    return symbols


def _counted_once(words: dict[str, int], n: int) -> list[Pair]:
    """The n commonest pairs of the letters, without joining anything in between."""
    counts: Counter = Counter()
    for word, count in words.items():
        counts.update(times_its_count(list(word), count))
    return sorted(counts, key=lambda pair: (counts[pair], pair), reverse=True)[:n]


def _replaced_in_text(symbols: list[str], pair: Pair) -> list[str]:
    """Joined by `str.replace`, which sees text and no symbols: `aa a` holds the text `a a`."""
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split()


def _in_one_row(words: dict[str, int], n: int) -> list[Pair]:
    """All words behind each other, as if they were one."""
    return reference({"".join(word * count for word, count in words.items()): 1}, n) if words else []


def _as_text(words: dict[str, int], n: int) -> list:
    return ["".join(pair) for pair in reference(words, n)]


EXERCISE = Exercise(
    id="encoder.byte_pair_merges",
    title="Which neighbours join first",
    answers=("byte_pair_merges",),
    minutes=30,
    read=("s-encoder-parts",),
    properties=(
        Property("one merge", 2, "the most frequent pair of neighbours in one word", one_word, equals(reference), 45),
        Property("several", 4, "count, join everywhere, count again", some, equals(reference), 60),
        Property("ties", 2, "of equally frequent pairs the greater tuple goes first", ties, equals(reference), 45),
        Property("runs", 2, "aaa holds (a, a) twice, and joins to aa, a", runs, equals(reference), 60),
        Property("too many", 2, "when no pair is left, the list ends", too_many, equals(reference), 45),
        Property("inputs unchanged", 1, "words is afterwards what it was", some, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("every word counted once: a pair weighs as much as the words it stands in",
                variant(count=lambda symbols, count: Counter(pairwise(symbols)))),
        Mistake("each pair counted once a word: in `abab` the pair (a, b) stands twice",
                variant(count=lambda symbols, count: Counter(dict.fromkeys(pairwise(symbols), count)))),
        Mistake("runs counted without overlap: aaa holds (a, a) twice", variant(count=_without_overlap)),
        Mistake("of equally frequent pairs the one that was seen first; the greater tuple is asked for",
                variant(best=lambda counts: max(counts, key=counts.get))),
        Mistake("of equally frequent pairs the lesser; the greater tuple is asked for",
                variant(best=lambda counts: min(counts, key=lambda pair: (-counts[pair], pair)))),
        Mistake("the rarest pair; it is the most frequent that joins",
                variant(best=lambda counts: min(counts, key=lambda pair: (counts[pair], pair)))),
        Mistake("runs joined from the right: from the left, aaa becomes aa, a", variant(join=_right_to_left)),
        Mistake("one place joined in each word: a merge holds wherever the pair stands", variant(join=_first_only)),
        Mistake("pairs counted once and for all: after each merge the neighbours are others", _counted_once),
        Mistake("joined by `str.replace`: that finds `a a` inside `aa a` too; compare whole symbols", variant(join=_replaced_in_text)),
        Mistake("the words in one long row: a pair never reaches from one word into the next", _in_one_row),
        Mistake("an end mark after each word: it is not asked for here", variant(spell=lambda word: [*word, "</w>"])),
        Mistake("the joined text in place of the pair: ('a', 'b') is asked for, not 'ab'", _as_text),
    ),
    hints=(
        "Keep for each word its list of symbols, letters at first. One round: count pairs over all words, choose one, join it "
        "everywhere. Do n rounds.",
        "`itertools.pairwise(symbols)` gives the neighbours, overlaps included. The choice is one `max` with a key of two "
        "parts: how often, then the pair itself.",
        "`best = max(counts, key=lambda pair: (counts[pair], pair))`. To join, walk with an index: where "
        "`(symbols[i], symbols[i + 1]) == best`, append the sum and go on two places, else append the symbol and go on one.",
    ),
    explanation=(
        "That is how most language models got their vocabulary. Frequent words become one token, rare ones fall into pieces, "
        "and nothing is unknown, for in the end there are letters, or bytes. Nobody told it what a syllable is: a merge is only "
        "a count."
    ),
    better=(
        "Counting everything again after each merge costs n passes over all words. Only pairs beside the joined places change: "
        "`mtlib.data.BytePairEncoder` keeps the counts and mends them, the tokenizers library does so in Rust."
    ),
)
