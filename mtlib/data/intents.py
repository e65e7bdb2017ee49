"""What does the speaker want? English sentences to a house, and which of two dozen wishes each is.

From the package home-assistant-intents (Apache-2.0): templates, written by many hands, out of which
sentences are drawn; see templates.py. The split is by template. By sentence it would leak: from
one template come hundreds that differ in a word, and a model would be asked what it was told.
Two templates can give one sentence, so what is held out is taken out of the training rows as well.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from .. import _check
from .batch import ONE_IN, Split
from .needs import needed
from .sentences import Sentence, Sentences
from .templates import Grammar

FEWEST = 5  # templates of a wish, so that some can be held out
# Ours: what the speaker's own house is filled with.
WORDS: Mapping[str, tuple[str, ...]] = {
    "area": ("kitchen", "bedroom", "living room", "bathroom", "office", "garage", "hall", "nursery", "attic", "garden"),
    "floor": ("ground", "first", "second", "upper", "lower"),
    "name": ("ceiling lamp", "desk light", "fan", "coffee machine", "television", "front door", "heater", "radio", "blinds"),
    "shopping_list_item": ("milk", "bread", "apples", "rice", "coffee", "soap"),
    "todo_list_item": ("call the bank", "water the plants", "mow the lawn", "fix the bike"),
    "message": ("dinner is ready", "we are leaving", "the bus is here", "good night"),
    "search_query": ("jazz", "rain sounds", "the news", "something calm", "piano"),
    "timer_name": ("pasta", "laundry", "pizza", "tea", "workout"),
    "timer_command": ("turn off the lights", "open the blinds", "lock the door"),
    "zone": ("home", "work", "school"),
}


class Template(NamedTuple):
    """How a wish can be said, and which it is."""

    text: str
    wish: str


class Intents(Sentences):
    """Drawn sentences for a classifier; DataMissing, in one line, without the package.

    each: sentences drawn from a template, at most.
    """

    def __init__(self, *, vocab: int = 1000, max_len: int = 48, each: int = 10):
        _check.positive(each=each)
        rows, wishes = drawn(each)
        super().__init__("intents", rows, wishes, vocab=vocab, max_len=max_len)  # type: ignore[arg-type]  # they are only read


@lru_cache(maxsize=2)
def drawn(each: int) -> tuple[dict[Split, list[Sentence]], tuple[str, ...]]:
    """The rows of each split, and the names of the wishes."""
    source = read()
    grammar = Grammar(source["expansion_rules"], lambda name, dice: word(source["lists"], name, dice))
    parts = divided(templates(source))
    wishes = tuple(sorted({template.wish for template in parts["train"]}))
    sayings: dict[Split, dict[str, set[str]]] = {}
    for split in parts:
        sayings[split] = {}
        for template in parts[split]:
            dice = Random(template.text)
            for _ in range(each):
                sayings[split].setdefault(grammar.draw(template.text, dice), set()).add(template.wish)
    rows = {}
    for split, said in sayings.items():
        # One sentence that is two wishes cannot be answered; one that is held out must not be trained on.
        fair = {s for s in said if len(sayings["train"].get(s, set()) | sayings["valid"].get(s, set())) == 1}
        shown = fair - (set(sayings["valid"]) if split == "train" else set())
        rows[split] = [Sentence(s, wishes.index(*said[s])) for s in said if s in shown]  # type: ignore[arg-type]  # one wish, since it is fair
    return rows, wishes


def read() -> dict[str, Any]:
    """The English file of the package."""
    package = needed("home_assistant_intents", "home-assistant-intents", "the wishes")
    return json.loads((Path(package.__file__).parent / "data" / "en.json").read_text("utf8"))  # type: ignore[arg-type]  # a package with files


def templates(source: Mapping[str, Any]) -> list[Template]:
    """All that are different, of wishes that have a few; one that stands for two wishes is left out."""
    wishes: dict[str, set[str]] = {}
    for wish, intent in source["intents"].items():
        for text in (sentence for block in intent["data"] for sentence in block["sentences"]):
            wishes.setdefault(text, set()).add(wish)
    plain = [Template(text, *found) for text, found in wishes.items() if len(found) == 1]
    count = {wish: sum(template.wish == wish for template in plain) for wish in source["intents"]}
    return [template for template in plain if count[template.wish] >= FEWEST]


def divided(all_of_them: list[Template]) -> dict[Split, list[Template]]:
    """Of each wish the tenth whose hashes are lowest is held out, at least one."""
    parts: dict[Split, list[Template]] = {"train": [], "valid": []}
    for wish in sorted({template.wish for template in all_of_them}):
        own = sorted((t for t in all_of_them if t.wish == wish), key=lambda t: blake2b(t.text.encode()).digest())
        few = max(len(own) // ONE_IN, 1)
        parts["valid"] += own[:few]
        parts["train"] += own[few:]
    return parts


def word(lists: Mapping[str, Any], name: str, dice: Random) -> str:
    """What may stand in {name}: a word of the list, a number of its range, or one of our own."""
    about = lists.get(name, {})
    if "values" in about:
        value = dice.choice(about["values"])
        return value["in"] if isinstance(value, dict) else value
    if "range" in about:
        return str(dice.randrange(about["range"]["from"], about["range"]["to"] + 1, about["range"].get("step", 1)))
    return dice.choice(WORDS.get(name, ("something",)))
