"""The kit: arguments that are recipes, built on both sides of the border, and what is seen of them afterwards."""

import pytest
import torch

from mtlib.grading import sandbox
from mtlib.grading.judge import Wrong, equals
from mtlib.grading.kit import Kit, made, make
from mtlib.grading.local import LocalSubject
from mtlib.grading.remote import Workplace
from mtlib.grading.wire import Handle, Unreadable, pack, reader, unpack

CODE = """
import torch
from torch import nn
def add(x, sublayer): return x + sublayer(x)
def twice(x, sublayer): sublayer(x); return x + sublayer(x)
def train(model, batches, steps):
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(steps):
        inputs, targets = next(batches)
        loss = nn.functional.mse_loss(model(inputs.float()), targets.float())
        optimiser.zero_grad(); loss.backward(); optimiser.step()
    return float(loss)
def hooked(model, x):
    model.register_forward_hook(lambda *a: None)
    return model(x)
def draw(generator): return torch.randn(3, generator=generator)
def draw_beside(generator): return torch.randn(3)
class Counter(nn.Module):
    def new_cache(self): return {"seen": self}
    def forward(self, x, cache=None): return x if cache is None else (x + 1, cache)
class Pupil(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.rows = nn.Embedding(vocab, vocab)
    def forward(self, ids): return self.rows(ids)
class Idler(Pupil):
    def forward(self, ids): return self.rows(ids).detach()
"""
SQUARE, LINEAR = Kit("square"), Kit("linear", 3, {"d_in": 2, "d_out": 2})
NAMES = ("add", "twice", "train", "hooked", "draw", "draw_beside", "Counter", "Pupil", "Idler")


@pytest.fixture(scope="module")
def remote():
    nursery = sandbox.Nursery(training=True)
    place = Workplace(nursery, [("cell 1", CODE)])

    class Asked:
        id, answers, forbid, allow = "", NAMES, (), ()

    subjects, why = place.answers(Asked)
    assert not why
    yield dict(zip(NAMES, subjects, strict=True))
    place.close()
    nursery.close()


@pytest.fixture(scope="module")
def local():
    names = {}
    exec(CODE, names)
    return {name: LocalSubject(names[name]) for name in NAMES}


@pytest.fixture(params=["here", "in a worker"])
def subjects(request, local, remote):
    return local if request.param == "here" else remote


X = torch.tensor([[1.0, 2.0]])


@pytest.mark.parametrize("recipe", [SQUARE, LINEAR, Kit("identity"), Kit("torch.nn.LayerNorm", 1, {"normalized_shape": 2})])
def test_both_sides_build_the_same_thing(subjects, recipe):
    equals(lambda x, f: (x + f(x)).detach())({"x": X, "f": recipe}, subjects["add"])


def test_calls_are_counted(subjects):
    assert [subjects[name].call(X, SQUARE).after[1] for name in ("add", "twice")] == [{"calls": 1}, {"calls": 2}]


def test_gradients_pass_through_a_thing_of_the_kit(subjects):
    grads = subjects["add"].grad((X, SQUARE), torch.ones(1, 2)).value
    assert torch.equal(grads[0], 1 + 2 * X)


def test_training_is_judged_by_the_weights_that_come_back(subjects):
    model = Kit("torch.nn.Linear", 5, {"in_features": 4, "out_features": 4})
    reply = subjects["train"].call(model, Kit("batches", 2, {"vocab": 3, "length": 4, "size": 8}), 5)
    left, batches = reply.after[:2]
    assert type(reply.value) is float and batches == {"taken": 5}
    trained = make(Kit(model.name, model.seed, model.options, left["state"]))
    assert not torch.equal(trained.weight, make(model).weight)


def test_a_generator_is_the_same_on_both_sides_and_tells_of_the_global_one(subjects):
    recipe = Kit("generator", 7)
    drawn, later = (subjects["draw"].call(each) for each in (recipe, Kit("generator", 7, {"used": 2})))
    assert torch.equal(drawn.value, torch.randn(3, generator=make(recipe))) and not torch.equal(drawn.value, later.value)
    moved = [subjects[name].call(recipe).after for name in ("draw", "draw_beside")]
    assert moved == [({"global moved": False},), ({"global moved": True},)]


def test_noise_is_a_share_of_targets_at_random():
    options = {"vocab": 50, "length": 40, "size": 50}
    ids, targets = next(make(Kit("batches", 1, options | {"noise": 0.5})))
    assert 0.4 < (targets != (ids + 1) % 50).float().mean() < 0.6
    ids, targets = next(make(Kit("batches", 1, options)))
    assert torch.equal(targets, (ids + 1) % 50)


def test_hooks_left_behind_are_seen(subjects):
    reply = subjects["hooked"].call(Kit("torch.nn.Linear", 0, {"in_features": 2, "out_features": 1}), X)
    assert reply.after[0]["hooks"] == 1


def test_a_cache_stays_on_its_side_and_comes_back_as_itself(subjects):
    counter = subjects["Counter"].build().value
    cache = counter.exchange("new_cache").value
    out, again = counter.exchange("", X, cache).value
    assert torch.equal(out, X + 1)
    assert torch.equal(counter.exchange("", X, again).value[0], X + 1)


def _taught(subjects, name, seed):
    ids = torch.randint(5, (600, 3), generator=torch.Generator().manual_seed(1))
    targets = ((ids + 1) % 5).where(ids > 0, -100)  # what comes after 0 is not asked, and stays unlearnt
    before = torch.get_rng_state()
    reply = subjects[name].train((5,), (ids,), targets, seed=seed, size=10, rate=0.1)
    assert torch.equal(before, torch.get_rng_state())
    return reply


def test_a_class_is_trained_where_it_lives_and_the_same_seed_gives_the_same_weights(subjects):
    first, again, other = (_taught(subjects, "Pupil", seed).value for seed in (7, 7, 8))
    logits = first.call(torch.arange(5)).value
    assert logits.argmax(-1)[1:].tolist() == [2, 3, 4, 0]
    assert torch.equal(logits, again.call(torch.arange(5)).value)
    assert not torch.equal(logits[0], other.call(torch.arange(5)).value[0])


def test_a_class_that_cannot_be_trained_says_so(subjects):
    assert _taught(subjects, "Idler", 7).trouble.type == "RuntimeError"


def test_a_model_of_mtlib_comes_from_the_kit_whole():
    options = {"vocab": 5, "max_len": 4, "d_model": 4, "n_heads": 2, "n_layers": 1}
    first, second = made([Kit("mtlib.DecoderLM", 1, options), Kit("mtlib.DecoderLM", 1, options)])
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(first(ids), second(ids)) and not first.training


def test_a_name_that_is_not_in_the_kit_is_told():
    with pytest.raises(LookupError, match="no 'os.system' in the kit"):
        make(Kit("os.system"))


# The wire.


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 2.5, "ä", [], (1, (2, [])), {"a": {1: None}}, float("inf"), Handle(3, "a cache"),
        Kit("linear", 2, {"d_in": 1}, {"w": torch.ones(2)}),
    ],
)  # fmt: skip
def test_plain_values_cross_and_come_back(value):
    assert str(unpack(reader(pack(value)))) == str(value)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.bfloat16, torch.float64, torch.complex64])
def test_tensors_cross_with_their_dtype_and_layout(dtype):
    tensor = torch.arange(24).reshape(2, 3, 4).to(dtype).permute(2, 0, 1)
    back = unpack(reader(pack(tensor)))
    assert back.dtype is dtype and back.stride() == tensor.stride() and torch.equal(back, tensor)
    assert unpack(reader(pack(torch.ones(2, 0, 3)))).shape == (2, 0, 3)
    assert unpack(reader(pack(torch.tensor(3)))).shape == ()


@pytest.mark.parametrize(
    "head",
    [
        b"[1", b"{}", b'[{"k": "x", "v": [0, "torch.float32", [9], [0]]}, [4]]', b"[[1], []]", b'[1, [-4]]', b"\xff",
        b'[{"k": "x", "v": [0, "torch.float32", [-1], [0]]}, [4]]', b'[{"k": "x", "v": [5, "torch.bool", [], []]}, []]',
        b'[{"k": "h", "v": ["x", 1]}, []]', b'[{"k": "?", "v": 1}, []]', b'[1, ["9"]]', b"[" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_frame_is_unreadable(head):
    with pytest.raises(Unreadable):
        unpack(reader(len(head).to_bytes(8, "big") + head + bytes(64)))


def test_a_length_beyond_all_measure_is_not_waited_for():
    with pytest.raises(Unreadable, match="a head of"):
        unpack(reader(b"\xff" * 16))
    assert issubclass(Wrong, Exception)
