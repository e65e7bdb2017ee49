"""The dimension walk's arithmetic is mtlib's: shapes, parameters, operations, bytes, refusals."""

import json
import re

import pytest

from mtlib.widgets.bundle import bundle
from mtlib.widgets.walk import presets, setting, tables

from . import walk_sizes
from .walk_sizes import PUBLISHED

COUNTED = """async ([sizes, fits, settings, tables, wanted]) => {
    const load = (text) => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    const { parts, totals } = await load(sizes), { problem } = await load(fits);
    const only = (part) => Object.fromEntries(wanted.map((what) => [what, part[what]]));
    const say = (s) => { if (problem(s)) return problem(s); const all = parts(s, tables); return { parts: all.map(only), totals: totals(all, s) }; };
    return JSON.stringify(settings.map(say), (key, n) => (typeof n === 'bigint' ? String(n) : n)); }"""


def counted(page, settings, *wanted):
    """What the script says of these settings, all in one visit: its sums, and of each part what is wanted."""
    page.goto("about:blank")
    return json.loads(page.evaluate(COUNTED, [bundle("sizes"), bundle("fits"), settings, tables(), wanted]))


without_the_hook = pytest.mark.usefixtures("shapes_unchecked")  # hundreds of models, and lines that are mtlib's own


def numbers(axes):
    return [int(axis) for axis in axes]


@without_the_hook
def test_every_shape_and_parameter_is_that_of_a_model_that_runs(page):
    settings = walk_sizes.drawn(200, seed=1)
    for s, found in zip(settings, counted(page, settings, "value", "weights")):
        rows = walk_sizes.rows_of(s)
        values = [part["value"] for part in found["parts"] if part["value"]]
        assert [[v["name"], v["letters"], numbers(v["shape"])] for v in values] == rows["values"], s
        weights = [w for part in found["parts"] for w in part["weights"]]
        assert sorted([w["path"], w["letters"], numbers(w["shape"]), int(w["params"])] for w in weights) == sorted(rows["weights"]), s


@without_the_hook
def test_every_sum_is_the_closed_form_up_to_the_largest_models(page):
    settings = walk_sizes.drawn(100, seed=2) + walk_sizes.drawn(100, seed=3, large=True)
    largest = 0
    for s, found in zip(settings, counted(page, settings, "at", "family", "times", "params", "flops")):
        wanted, sums = walk_sizes.expected(s), {what: int(n) for what, n in found["totals"].items()}
        assert sums == {what: n if isinstance(n, int) else n["total"] for what, n in wanted.items()}, s
        for what, group in (("params", lambda part: part["family"]), ("flops", walk_sizes.group)):
            by_part = dict.fromkeys(wanted[what], 0) | {"total": sums[what]}
            for part in found["parts"]:
                if int(part[what]):
                    by_part[group(part)] += int(part["times"]) * int(part[what])
            assert by_part == wanted[what], s
        largest = max(largest, sums["flops"])
    assert largest > 2**53  # where a plain number of the script would round


@without_the_hook
def test_what_cannot_be_gets_the_line_that_python_gives(page):
    settings = walk_sizes.spoilt(60, seed=4)
    refused = [walk_sizes.refusal(s) for s in settings]
    assert [found if isinstance(found, str) else "" for found in counted(page, settings)] == refused
    assert len({re.sub(r"\d+", "", line) for line in refused}) > 12


def test_named_models_have_the_parameters_they_are_known_for(page):
    models = {name: setting(kind, config, **more) for name, (kind, config, more) in presets().items()}
    found = dict(zip(models, counted(page, list(models.values()))))
    assert {name: int(found[name]["totals"]["params"]) for name in PUBLISHED} == PUBLISHED
    for name in models:
        assert walk_sizes.expected(models[name])["params"]["total"] == int(found[name]["totals"]["params"])
