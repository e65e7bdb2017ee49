"""interpretability.patch: one value of a run that goes right, put into one that goes wrong."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, refuses, value_of
from mtlib.grading.subject import Subject

from .models import decoder, equals_and_leaves, equals_in_logits, ids_for, layer_of, with_outputs


def effect(clean: float, corrupt: float, patched: float) -> float:
    if clean == corrupt:
        raise ValueError(f"clean and corrupt are both {clean}")
    return (patched - corrupt) / (clean - corrupt)


def logits(model: nn.Module, clean_ids: Tensor, corrupt_ids: Tensor, site: str) -> Tensor:
    return variant()(model, clean_ids, corrupt_ids, site)


def value_at(model: nn.Module, ids: Tensor, site: str) -> Tensor:
    """What the module at a site puts out."""
    seen = []
    with_outputs(model, ids, {model.get_submodule(site): lambda out: seen.append(out) or out})
    return seen[0].detach()


def variant(put=lambda clean, corrupt: clean, run=lambda clean, corrupt: corrupt, look=lambda clean, corrupt: clean):
    """Patching with a step changed: what is put in, which ids are run, which ids the value is taken from."""

    def patched_logits(model: nn.Module, clean_ids: Tensor, corrupt_ids: Tensor, site: str) -> Tensor:
        value = value_at(model, look(clean_ids, corrupt_ids), site)
        ids = run(clean_ids, corrupt_ids)
        return with_outputs(model, ids, {model.get_submodule(site): partial(put, value)})

    return patched_logits


def _number(d: Draw) -> float:
    return d.floats(1, dtype=torch.float64, high=9).item()


def _apart(d: Draw) -> tuple[float, float]:
    """Two numbers that differ by a tenth at least."""
    clean, by = _number(d), _number(d)
    return clean, clean + by + (0.5 if by >= 0 else -0.5)


def on_the_way(d: Draw) -> dict:
    """The patched number lies between the two."""
    clean, corrupt = _apart(d)
    return {"clean": clean, "corrupt": corrupt, "patched": corrupt + d.pick(0.0, 1.0, 0.5, 0.25) * (clean - corrupt)}


def beyond(d: Draw) -> dict:
    """It is made worse, or better than right."""
    clean, corrupt = _apart(d)
    return {"clean": clean, "corrupt": corrupt, "patched": corrupt + d.pick(-1.0, 2.0, -0.25, 1.5) * (clean - corrupt)}


def nowhere_to_go(d: Draw) -> dict:
    both = _number(d)
    return {"clean": both, "corrupt": both, "patched": d.pick(both, both + 1.0)}


def _texts(d: Draw, model, sites: tuple[str, ...]) -> dict:
    """Two texts of one shape that differ somewhere."""
    batch, length = d.whole(1, 2), d.whole(1, 4)
    clean = ids_for(d, model, batch, length)
    moved = d.integers(batch, length, high=1)
    moved[0, d.whole(0, length - 1)] = 1
    corrupt = (clean + moved * d.whole(1, model.options["vocab"] - 1)) % model.options["vocab"]
    return {"model": model, "clean_ids": clean, "corrupt_ids": corrupt, "site": d.pick(*sites)}


PLACES = ("attn", "ffn", "attn.core", "attn.o_proj", "norm1", "norm2", "resid_mid", "attn.core.weights")


def any_site(d: Draw) -> dict:
    model = decoder(d)
    layer = layer_of(d, model)
    return _texts(d, model, tuple(f"blocks.{layer}.{place}" for place in PLACES))


def bottleneck(d: Draw) -> dict:
    """A site that everything passes: what comes after it cannot tell that the text is another."""
    model = decoder(d, d.whole(1, 2))
    return _texts(d, model, ("tok", "pos", f"blocks.{layer_of(d, model)}", "norm"))


def only_effect(judge: Callable) -> Callable:
    """A judge that asks the first answer only."""
    return lambda case, share, _: judge(case, share)


def is_the_share(case: dict, share: Subject) -> None:
    agree(value_of(share.call(*case.values())), effect(**case), 100.0)


def _from_clean(clean: float, corrupt: float, patched: float) -> float:
    effect(clean, corrupt, patched)
    return (patched - clean) / (corrupt - clean)


def _held(clean: float, corrupt: float, patched: float) -> float:
    return min(1.0, max(0.0, effect(clean, corrupt, patched)))


def _bare(clean: float, corrupt: float, patched: float) -> float:
    effect(clean, corrupt, patched)
    return patched - corrupt


def _of_clean(clean: float, corrupt: float, patched: float) -> float:
    effect(clean, corrupt, patched)
    return (patched - corrupt) / clean


def _zero_where_equal(clean: float, corrupt: float, patched: float) -> float:
    return 0.0 if clean == corrupt else effect(clean, corrupt, patched)


def _infinite_where_equal(clean: float, corrupt: float, patched: float) -> float:
    return (patched - corrupt) / (clean - corrupt)


def _hook_stays(model: nn.Module, clean_ids: Tensor, corrupt_ids: Tensor, site: str) -> Tensor:
    value = value_at(model, clean_ids, site)
    model.get_submodule(site).register_forward_hook(lambda *_: value)
    return model(corrupt_ids).detach()


EXERCISE = Exercise(
    id="interpretability.patch",
    title="What was enough to mend it?",
    answers=("patching_effect", "patched_logits"),
    minutes=25,
    read=("answer-there",),
    allow=("mtlib.trace",),
    properties=(
        Property("share", 2, "(patched − corrupt) / (clean − corrupt): 0 changed nothing, 1 mended all", on_the_way,
                 only_effect(is_the_share), 40),
        Property("beyond", 1, "below 0 and above 1 are real", beyond, only_effect(is_the_share), 30),
        Property("nowhere to go", 1, "a ValueError where clean equals corrupt", nowhere_to_go, only_effect(refuses), 20),
        Property("any site", 4, "the corrupt run, with the clean run's value at the site", any_site, equals_in_logits(logits, 1), 18),
        Property("bottleneck", 2, "where everything passes the site, the clean run's logits come out", bottleneck,
                 equals_in_logits(logits, 1), 12),
        Property("left as found", 2, "afterwards no hook is on the model and no weight another", any_site,
                 equals_and_leaves(logits, 1), 12),
    ),
    mistakes=(
        Mistake("the share of the way from clean to corrupt: 1 where nothing changed", _from_clean, logits),
        Mistake("shares held between 0 and 1: a part can work against the answer, and that is worth knowing", _held, logits),
        Mistake("the bare difference to the corrupt run: a share of the whole way is asked for", _bare, logits),
        Mistake("the difference over clean: the way begins at corrupt", _of_clean, logits, raises="ZeroDivisionError"),
        Mistake("no sign: patched further off counts like patched nearer", lambda *three: abs(effect(*three)), logits),
        Mistake("a 0 where clean equals corrupt: there is no way to go, and no share of it", _zero_where_equal, logits),
        Mistake("a division by zero where clean equals corrupt; say it with a ValueError",
                _infinite_where_equal, logits, raises="ZeroDivisionError"),
        Mistake("the corrupt value in the clean run: the other way round it is asked for",
                effect, variant(run=lambda clean, corrupt: clean, look=lambda clean, corrupt: corrupt)),
        Mistake("the corrupt run as it is: its own value was put in", effect, variant(look=lambda clean, corrupt: corrupt)),
        Mistake("a hook that stays on the model: every later run is patched too", effect, _hook_stays),
    ),
    hints=(
        "patching_effect is a line and a refusal. For patched_logits run the model twice: first on the clean ids, to see a value, then "
        "on the corrupt ones, with that value in its place.",
        "`with mt.trace(model) as seen: model(clean_ids)`, then `seen[site]` is the value. For the second run `mt.trace(model, "
        "replace={site: function})`, where the function gets the corrupt value and returns what goes on.",
        "`with mt.trace(model, replace={site: lambda _: seen[site]}): return model(corrupt_ids)`, and `(patched - corrupt) / "
        "(clean - corrupt)` behind a ValueError.",
    ),
    explanation=(
        "Ablation asks what is needed, patching what is enough. From clean into corrupt, it shows where the difference between two texts "
        "stood at that moment. A bottleneck always mends everything and so says nothing: the news is in a site that many paths go round."
    ),
    better=(
        "One position and one head at a time: `mtlib.interp.patch_positions` and `patch_heads` replace a single row of the value, and "
        "make a map of layers and positions. Take a metric that moves evenly, a difference of two logits and not a probability."
    ),
)
