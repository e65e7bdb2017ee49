"""The sources that need no network, small; and a text of our own."""

from mtlib.data import Digits, Intents, Repeats, Requests, Task, TextFile
from mtlib.data.dates import Dates
from mtlib.data.sentences import Sentence, Sentences

LINES = "".join(f"Line {n} of {n * n % 97} says that {n % 7} rivers met a bridge.\n" for n in range(2000))


def textfile(folder, vocab=256, max_len=16, text=LINES, name="mine.txt"):
    (folder / name).write_text(text, "utf8")
    return TextFile(str(folder / name), vocab=vocab, max_len=max_len)


def sentences():
    rows = {"train": [Sentence(f"row {n} is good", n % 2) for n in range(40)], "valid": [Sentence("a bad row", 1)] * 7}
    return Sentences("test", rows, ("no", "yes"), vocab=270, max_len=12)


# Each takes an empty folder.
SOURCES = {
    "reverse": lambda folder: Task("reverse"),
    "sort, in two rows": lambda folder: Task("sort", form="seq2seq"),
    "brackets": lambda folder: Task("brackets", symbols=3),
    "induction": lambda folder: Repeats(length=6),
    "dates": lambda folder: Dates("fr"),
    "digits": lambda folder: Digits(),
    "intents": lambda folder: Intents(each=2),
    "requests": lambda folder: Requests(vocab=256, each=2),
    "requests, all learnt": lambda folder: Requests(vocab=256, each=2, learn="all"),
    "sentences": lambda folder: sentences(),
    "bytes of a file": lambda folder: textfile(folder),
    "tokens of a file": lambda folder: textfile(folder, vocab=300),
}
