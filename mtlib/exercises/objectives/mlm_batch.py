"""objectives.mlm_batch: hide some tokens and ask for them."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

NOTHING = -100


def reference(*case) -> tuple[Tensor, Tensor]:
    return variant()(*case)


def not_special(special: Tensor, choose: Tensor) -> Tensor:
    return ~special & (choose < 0.15)


def in_three(ids: Tensor, mask_id: int, roll: Tensor, replace: Tensor) -> Tensor:
    """What stands where a token was chosen: eight in ten the mask, one another token, one itself."""
    return torch.where(roll < 0.8, mask_id, torch.where(roll < 0.9, replace, ids))


def the_token(ids: Tensor, inputs: Tensor, chosen: Tensor) -> Tensor:
    return ids.where(chosen, NOTHING)


def variant(pick=not_special, put=in_three, ask=the_token, everywhere=False):
    """BERT's masking with a step changed: which are chosen, what is put there, and what is asked."""

    def mlm_batch(
        ids: Tensor, special: Tensor, mask_id: int, vocab: int, choose: Tensor, roll: Tensor, replace: Tensor
    ) -> tuple[Tensor, Tensor]:
        chosen = pick(special, choose)
        inputs = put(ids, mask_id, roll, replace)
        inputs = inputs if everywhere else inputs.where(chosen, ids)
        return inputs, ask(ids, inputs, chosen)

    return mlm_batch


def _case(d: Draw, chances: tuple[float, ...], rolls: tuple[float, ...], dtype=torch.float32, none_special=False) -> dict:
    """Ids below vocab; mask_id is the last of them, so that every other id may stand in the text."""
    shape, vocab = (*d.lead(1), d.size(rough=8)), d.whole(4, 40)
    special = ~d.keep(*shape, blank=True)
    return {
        "ids": d.integers(*shape, high=vocab - 2),
        "special": torch.zeros_like(special) if none_special else special,
        "mask_id": vocab - 1,
        "vocab": vocab,
        "choose": _some_of(d, shape, chances).to(dtype),
        "roll": _some_of(d, shape, rolls).to(dtype),
        "replace": d.integers(*shape, high=vocab - 2),
    }


def _some_of(d: Draw, shape: tuple[int, ...], options: tuple[float, ...]) -> Tensor:
    return torch.tensor(options, dtype=torch.float64)[d.integers(*shape, high=len(options) - 1)]


def chosen_all(d: Draw) -> dict:
    """Every token is chosen, and no special one is there."""
    return _case(d, (0.0, 0.1), (0.0, 0.5, 0.7, 0.82, 0.85, 0.95), none_special=True)


def mixed(d: Draw) -> dict:
    return _case(d, (0.05, 0.1, 0.2, 0.5, 0.9), (0.1, 0.6, 0.82, 0.88, 0.95, 0.99))


def with_special(d: Draw) -> dict:
    """The first token is special, and the chances would have chosen it."""
    case = _case(d, (0.0, 0.1), (0.0, 0.5, 0.85, 0.95))
    case["special"][..., 0] = True
    return case


def all_stay(d: Draw) -> dict:
    """Where a token is chosen, it stays itself."""
    return _case(d, (0.05, 0.5), (0.91, 0.95, 0.99), none_special=True)


def borders(d: Draw) -> dict:
    """Chances on the very borders, in float64: there 0.9 is the number that `0.9` means."""
    return _case(d, (0.15, 0.1), (0.8, 0.9, 0.5), torch.float64)


def _swapped(ids: Tensor, mask_id: int, roll: Tensor, replace: Tensor) -> Tensor:
    return torch.where(roll < 0.8, mask_id, torch.where(roll < 0.9, ids, replace))


def _overwritten(ids: Tensor, mask_id: int, roll: Tensor, replace: Tensor) -> Tensor:
    return torch.where(roll < 0.9, replace, torch.where(roll < 0.8, mask_id, ids))


def _always_masked(ids: Tensor, mask_id: int, roll: Tensor, replace: Tensor) -> Tensor:
    return torch.full_like(ids, mask_id)


def _never_itself(ids: Tensor, mask_id: int, roll: Tensor, replace: Tensor) -> Tensor:
    return torch.where(roll < 0.8, mask_id, replace)


def _of_the_rest(ids: Tensor, mask_id: int, roll: Tensor, replace: Tensor) -> Tensor:
    return torch.where(roll < 0.8, mask_id, torch.where(roll < 0.1, replace, ids))


def _changed_only(ids: Tensor, inputs: Tensor, chosen: Tensor) -> Tensor:
    return ids.where(inputs != ids, NOTHING)


def _in_place(ids: Tensor, special: Tensor, mask_id: int, vocab: int, choose: Tensor, roll: Tensor, replace: Tensor):
    inputs, targets = reference(ids, special, mask_id, vocab, choose, roll, replace)
    return ids.copy_(inputs), targets


EXERCISE = Exercise(
    id="objectives.mlm_batch",
    title="Hide some tokens and ask for them",
    answers=("mlm_batch",),
    minutes=20,
    read=("q-loss-truth",),
    properties=(
        Property("all chosen", 3, "a chosen token becomes the mask, another token, or stays, as `roll` says", chosen_all,
                 equals(reference, names=("inputs", "targets")), 45),
        Property("some chosen", 3, "a token is chosen where choose < 0.15; the rest is untouched and not asked for", mixed,
                 equals(reference, names=("inputs", "targets")), 45),
        Property("specials", 2, "a special token is never chosen, whatever its chance", with_special,
                 equals(reference, names=("inputs", "targets")), 30),
        Property("kept ones", 2, "a chosen token that stays itself is asked for all the same", all_stay,
                 equals(reference, names=("inputs", "targets")), 30),
        Property("borders", 1, "exactly 0.15 is not chosen; exactly 0.8 is replaced; exactly 0.9 stays", borders,
                 equals(reference, names=("inputs", "targets")), 60),
        Property("ids unchanged", 1, "everything handed in is afterwards what it was", mixed,
                 leaves_inputs(reference), 30),
    ),
    mistakes=(
        Mistake("special tokens chosen like any other: a model that must guess where a sentence ends learns little",
                variant(pick=lambda special, choose: choose < 0.15)),
        Mistake("a token that stays itself not asked for: then it can be told from its look that nothing is asked",
                variant(ask=_changed_only)),
        Mistake("every token asked for, chosen or not: copying what is in sight then pays best",
                variant(ask=lambda ids, inputs, chosen: ids)),
        Mistake("the inputs asked for, where the answer is the id that stood there before",
                variant(ask=lambda ids, inputs, chosen: inputs.where(chosen, NOTHING))),
        Mistake("the mask everywhere: one in ten should be another token, and one should stay", variant(put=_always_masked)),
        Mistake("no chosen token stays itself: from 0.9 on it should", variant(put=_never_itself)),
        Mistake("the last two tenths the wrong way round: `replace` belongs from 0.8 to 0.9", variant(put=_swapped)),
        Mistake("the mask overwritten: `replace` where roll < 0.9 takes the eight tenths of the mask as well", variant(put=_overwritten)),
        Mistake("roll < 0.1 for `replace`, where it can never come after roll < 0.8: the tenth lies from 0.8 to 0.9",
                variant(put=_of_the_rest)),
        Mistake("masks put at tokens that were not chosen", variant(everywhere=True)),
        Mistake("chosen where choose is above 0.15: that is 85 tokens of 100",
                variant(pick=lambda special, choose: ~special & (choose > 0.15))),
        Mistake("`special` the wrong way round: only special tokens are chosen",
                variant(pick=lambda special, choose: special & (choose < 0.15))),
        Mistake("all tokens chosen that are not special, whatever `choose` says", variant(pick=lambda special, choose: ~special)),
        Mistake("0 where nothing is asked: that is a token's id; -100 is what the loss leaves out",
                variant(ask=lambda ids, inputs, chosen: ids.where(chosen, 0))),
        Mistake("ids overwritten: whoever made the batch still needs them", _in_place),
    ),
    hints=(
        "First one bool tensor: which places are chosen. Everything else is three calls of `torch.where`, one inside the other.",
        "`chosen` is `~special & (choose < 0.15)`. What would stand there: the mask where roll < 0.8, else `replace` where "
        "roll < 0.9, else the token itself. And the targets need `chosen`, never the inputs.",
        "`put = torch.where(roll < 0.8, mask_id, torch.where(roll < 0.9, replace, ids))`; then `torch.where(chosen, put, ids)` "
        "and `torch.where(chosen, ids, -100)`.",
    ),
    explanation=(
        "Were every chosen token masked, the model would learn that only a mask needs an answer, and at work there is never a "
        "mask. One in ten is a wrong token and one the right one, so that no token in sight can be trusted and every place "
        "must be thought about."
    ),
    better=(
        "`torch.where` with a plain number on one side makes no tensor of it. The chances come from outside so that a batch "
        "can be made again: in training, draw them with a generator seeded by the step."
    ),
)
