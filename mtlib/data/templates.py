"""Sentence templates, of the kind that voice assistants are written in, and one sentence drawn from each.

    turn on [the] (lamp|light)[s] {area}

    [x]        x or nothing          (x|y)  one of them       {name}  a word of a list
    <rule>     another template      (x;y)  all, in any order

The words of the lists come from outside. Left out: what a template means.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import NamedTuple

CLOSES = {"(": ")", "[": "]", "{": "}", "<": ">"}


class Node(NamedTuple):
    """kind: a sign of the table above, "text" or "then"; parts: what it holds, nodes or one word."""

    kind: str
    parts: tuple


class Grammar:
    """Rules by name, and words(name, dice) for what stands in braces.

    >>> grammar = Grammar({"the": "(the|my)"}, lambda name, dice: "kitchen")
    >>> sorted({grammar.draw("<the> {area} light[s]", Random(n)) for n in range(50)})
    ['my kitchen light', 'my kitchen lights', 'the kitchen light', 'the kitchen lights']
    """

    def __init__(self, rules: Mapping[str, str], words: Callable[[str, Random], str]):
        self.rules, self.words = rules, words

    def draw(self, template: str, dice: Random) -> str:
        """A sentence of the template; ValueError for one that cannot be read or asks for a rule there is not."""
        return " ".join(self._draw(parse(template), dice).split())

    def _draw(self, node: Node, dice: Random) -> str:
        match node.kind:
            case "text":
                return node.parts[0]
            case "then":
                return "".join(self._draw(part, dice) for part in node.parts)
            case "[":
                return self._draw(node.parts[0], dice) if dice.random() < 0.5 else ""
            case "(":
                return self._draw(dice.choice(node.parts), dice)
            case ";":
                return " ".join(self._draw(part, dice) for part in dice.sample(node.parts, len(node.parts)))
            case "<":
                if node.parts[0] not in self.rules:
                    raise ValueError(f"the template asks for the rule {node.parts[0]!r}; there are: {', '.join(self.rules)}")
                return self._draw(parse(self.rules[node.parts[0]]), dice)
            case _:
                return self.draw(self.words(node.parts[0].partition(":")[0], dice), dice)  # a word may be a template too


@lru_cache(maxsize=4096)
def parse(template: str) -> Node:
    """The tree of a template; ValueError where a bracket is not closed or not opened."""
    node, end = _choices(template, 0)
    if end != len(template):
        raise ValueError(f"the template {template!r} closes a bracket at {end} that was not opened")
    return node


def _choices(text: str, start: int) -> tuple[Node, int]:
    """What stands up to a closing bracket or the end, parted by | or ;."""
    found, signs, i = [], set(), start
    while True:
        node, i = _sequence(text, i)
        found.append(node)
        if i == len(text) or text[i] not in "|;":
            break
        signs.add(text[i])
        i += 1
    if len(found) == 1:
        return found[0], i
    return Node(";" if ";" in signs else "(", tuple(found)), i


def _sequence(text: str, i: int) -> tuple[Node, int]:
    parts, plain = [], ""
    while i < len(text) and text[i] not in "|;)]":
        sign = text[i]
        if sign not in CLOSES:
            plain, i = plain + sign, i + 1
            continue
        parts.append(Node("text", (plain,)))
        plain = ""
        if sign in "{<":
            end = text.find(CLOSES[sign], i)
            inside = Node(sign, (text[i + 1 : end],))
        else:
            inner, end = _choices(text, i + 1)
            inside = Node("[", (inner,)) if sign == "[" else inner
        if end in (-1, len(text)) or text[end] != CLOSES[sign]:
            raise ValueError(f"the template {text!r} opens {sign!r} at {i} and does not close it")
        parts.append(inside)
        i = end + 1
    return Node("then", (*parts, Node("text", (plain,)))), i
