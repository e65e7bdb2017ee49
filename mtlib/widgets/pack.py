"""Many pictures that differ in a few numbers, stored once.

The frames of one control are mostly the same text. What can differ (a number, a colour, a word between
two tags) is cut out; frames whose rest is equal share that rest as a template, and each place that
really differs keeps a column with one entry per frame. Columns of few different words, such as the
colours of a heat map, spell each as a letter of a shared word list; the others are plain lines.

72 frames of a 12x12 heat map with written numbers: 1.9 MB apart, 20 KB so, compressed both ways alike.
"""

import re
from collections import Counter

_CAN_DIFFER = re.compile(r"(?<=>)[^<>]+(?=<)|#[0-9a-f]{6}|currentColor|var\([^)]*\)|-?\d+(?:\.\d+)?")
_GAP = "\0"
_LETTERS = [chr(c) for c in range(0x23, 0x2000) if c != 0x5C and not 0x7F <= c < 0xA1 and c != 0xAD]
_OFTEN = 4  # a word that comes less often is not worth a place in the list


def pack(frames: list[str]) -> dict:
    """`frames` as JSON-ready data; `unpack` gives them back, and so does `unpack` in frames.js.

    Returns:
        {"words": [...], "letters": "…", "forms": [{"text", "slots", "coded", "plain"}], "at": [[form, row] per frame]}
        where text[0] + column[slots[0]][row] + text[1] + … is the frame, and the columns are those in
        `coded` (strings, per row the letter of a word), then those in `plain` (lines, a line per row).

    Raises:
        ValueError: a frame with a line break, which is what keeps plain entries apart.
    """
    if any("\n" in frame or _GAP in frame for frame in frames):
        raise ValueError("a frame holds a line break: write it in one line")
    unique = list(dict.fromkeys(frames))
    groups: dict[str, list[str]] = {}
    for frame in unique:
        groups.setdefault(_CAN_DIFFER.sub(_GAP, frame), []).append(frame)
    forms = {form: _split(form, group) for form, group in groups.items()}

    counts = Counter(word for _, _, columns in forms.values() for column in columns for word in column)
    words = [word for word, n in counts.most_common(len(_LETTERS)) if n >= _OFTEN]
    letters = dict(zip(words, _LETTERS))  # more words than letters is no error: the rest stays plain
    places = {frame: [k, row] for k, group in enumerate(groups.values()) for row, frame in enumerate(group)}
    packed = [_encode(text, slots, columns, letters) for text, slots, columns in forms.values()]
    return {"words": words, "letters": "".join(letters.values()), "forms": packed, "at": [places[frame] for frame in frames]}


def _split(form, group):
    """Template pieces, the column of each slot, and the different columns."""
    text, *rest = form.split(_GAP)
    text, slots, columns = [text], [], {}
    entries = zip(*(_CAN_DIFFER.findall(frame) for frame in group), strict=True)
    for column, piece in zip(entries, rest, strict=True):
        if len(set(column)) == 1:
            text[-1] += column[0] + piece
        else:
            slots.append(columns.setdefault(column, len(columns)))
            text.append(piece)
    return text, slots, list(columns)


def _encode(text, slots, columns, letters):
    coded = [i for i, column in enumerate(columns) if all(word in letters for word in column)]
    plain = [i for i in range(len(columns)) if i not in set(coded)]
    place = {old: new for new, old in enumerate(coded + plain)}
    return {
        "text": text,
        "slots": [place[slot] for slot in slots],
        "coded": ["".join(letters[word] for word in columns[i]) for i in coded],
        "plain": ["\n".join(columns[i]) for i in plain],
    }


def unpack(packed: dict) -> list[str]:
    """The frames again."""
    words = dict(zip(packed["letters"], packed["words"], strict=True))
    frames = []
    for k, row in packed["at"]:
        form = packed["forms"][k]
        entries = [words[column[row]] for column in form["coded"]]
        entries += [column.split("\n")[row] for column in form["plain"]]
        filled = (entries[slot] + piece for slot, piece in zip(form["slots"], form["text"][1:], strict=True))
        frames.append(form["text"][0] + "".join(filled))
    return frames
