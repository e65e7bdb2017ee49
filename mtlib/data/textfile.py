"""Any text file of the reader's own, as windows for a language model."""

from pathlib import Path

from .needs import DataMissing
from .windows import Corpus, Windows, divided

BLOCK, BLOCKS = 4096, 50  # letters in a block, or fewer, so that a short text still has some blocks


class TextFile(Windows):
    """A UTF-8 file, a tenth of its blocks held out; DataMissing, in one line, for a file that cannot be read."""

    def __init__(self, path: str, *, vocab: int = 256, max_len: int = 128):
        super().__init__(corpus(Path(path)), vocab=vocab, max_len=max_len)


def corpus(path: Path) -> Corpus:
    """The file's blocks, divided."""
    try:
        text = path.expanduser().read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataMissing(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataMissing(f"{path} is not UTF-8: byte {error.start} makes no letter; save it as UTF-8") from None
    found = blocks(text.replace("\r\n", "\n"))
    if len(set(found)) < 2:
        what = "is empty" if not text.strip() else "has too little text to hold a part of it out"
        raise DataMissing(f"{path} {what}")
    return divided("textfile", found)


def blocks(text: str) -> list[str]:
    """The lines of a text in blocks; a block ends with a line, unless the line alone is longer.

    >>> found = blocks("a line\\n" * 500); len(found), found[0] == "a line\\n" * 10
    (50, True)
    """
    size = max(min(BLOCK, len(text) // BLOCKS), 1)
    found, block = [], ""
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), BLOCK):
            block += line[start : start + BLOCK]
            if len(block) >= size:
                found.append(block)
                block = ""
    return [*found, block] if block.strip() else found
