"""Probes of every task on a tiny encoder: what is read, what is fitted, what is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.backend import layer_choice
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.evaluation import headline
from advisor.backend.features import FeatureCache
from advisor.backend.layer_choice import choose_layers
from advisor.backend.linear import HeldOut
from advisor.backend.probe import Probe
from advisor.backend.rows import Rows, encode_rows
from advisor.backend.settings import ProbeSettings
from advisor.backend.truncation import truncation
from advisor.backend.words import TaggedWords, outside_margin, tagged_words
from advisor.knowledge.hyperparameters import default_values
from advisor.tasks import Input, Label, Pair
from tests.backend.conftest import WORDS

SETTINGS = ProbeSettings.model_validate(default_values("linear-probe"))
GENERATOR = np.random.default_rng(5)
GOOD, BAD = ("good", "fine", "great"), ("bad", "poor", "awful")
TAGS = ["O", "B-good", "B-bad"]


def text(*of: str) -> str:
    return " ".join(GENERATOR.permutation([*of, *GENERATOR.choice(WORDS[8:], 3)]))


def rows(task: str, count: int) -> tuple[Rows, list[str]]:
    """Rows that the words alone decide."""
    inputs: list[Input] = []
    labels: list[Label] = []
    for number in range(count):
        good, bad = str(GENERATOR.choice(GOOD)), str(GENERATOR.choice(BAD))
        if task == "text-classification":
            inputs.append(text(good if number % 2 else bad))
            labels.append("yes" if number % 2 else "no")
        elif task == "multi-label":
            inputs.append(text(*([good] * (number % 2)), *([bad] * (number % 3 == 0))))
            labels.append(tuple(["g"] * (number % 2) + ["b"] * (number % 3 == 0)))
        elif task == "pair-classification":
            same = bool(number % 2)
            inputs.append(Pair(good, good if same else bad))
            labels.append("same" if same else "other")
        elif task == "regression":
            times = number % 4
            inputs.append(text(*[good] * times, *[bad] * (3 - times)))
            labels.append(10.0 + times)
        else:
            words = text(good, bad).split()
            inputs.append(tuple(words))
            labels.append(tuple("B-good" if word in GOOD else "B-bad" if word in BAD else "O" for word in words))
    names = {"text-classification": ["no", "yes"], "multi-label": ["b", "g"], "pair-classification": ["other", "same"]}
    of_task = names.get(task, [] if task == "regression" else TAGS)
    return encode_rows(task, inputs, labels, range(1, count + 1), of_task), of_task


@pytest.fixture(scope="module")
def encoder(make_encoder: Callable[..., Path], cpu: Device) -> Encoder:
    return Encoder.load(make_encoder(), cpu)


def probe(encoder: Encoder, task: str, labels: Sequence[str], events: list[Any], **changes: Any) -> Probe:
    balanced = changes.pop("balanced", False)
    settings = SETTINGS.model_copy(update=changes)
    return Probe(
        encoder, FeatureCache(None), task, labels, settings, balanced, 0, lambda done, total: None, events.append
    )


@pytest.mark.parametrize(
    ("task", "measure", "least"),
    [
        ("text-classification", "accuracy", 0.9),
        ("multi-label", "micro_f1", 0.85),
        ("pair-classification", "accuracy", 0.85),
        ("regression", "pearson", 0.8),
        ("token-classification", "micro_f1", 0.9),
    ],
)
@pytest.mark.parametrize("balanced", [False, True])
def test_a_probe_learns_the_task(encoder: Encoder, task: str, measure: str, least: float, balanced: bool) -> None:
    training, labels = rows(task, 160)
    test, _ = rows(task, 60)
    events: list[dict[str, Any]] = []
    model = probe(encoder, task, labels, events, balanced=balanced).fit(training)
    assert (model.task, model.labels) == (task, labels)
    assert (model.thresholds is not None) == (task == "multi-label")
    outputs = model.outputs(test.inputs)
    assert headline(task, outputs, test, labels, model.thresholds)[measure] > least
    assert [event["event"] for event in events] == ["layers"]


@pytest.mark.parametrize("task", ["text-classification", "multi-label", "regression", "token-classification"])
def test_two_rows_are_enough(encoder: Encoder, task: str) -> None:
    training, labels = rows(task, 2)
    outputs = probe(encoder, task, labels, []).fit(training).outputs(training.inputs)
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize("how", ["last", "mean", "best"])
@pytest.mark.parametrize("task", ["text-classification", "regression", "pair-classification", "token-classification"])
def test_layers_are_those_that_the_settings_ask_for(encoder: Encoder, task: str, how: str) -> None:
    training, labels = rows(task, 40)
    model = probe(encoder, task, labels, [], layers=how, word_layers=how).fit(training)
    if how != "best":
        assert model.encoder.layers == {"last": (), "mean": (1, 2)}[how]
    assert model.chosen.get("layers", []) == list(model.encoder.layers)


def test_the_best_layer_is_the_one_that_tells_the_targets(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    targets = np.eye(2, dtype=np.float32)[generator.integers(2, size=60)]
    states = generator.normal(size=(3, 60, 8)).astype(np.float32)
    for best in range(3):
        told = states.copy()
        told[best, :, 0] += 5 * targets[:, 0]
        monkeypatch.setattr(layer_choice, "_states", lambda *_, told=told: lambda layer: told[layer])
        layers, errors = choose_layers(encoder, "best", ["x"] * 60, targets, SETTINGS)
        assert layers == (() if best == 2 else (best,))
        assert int(np.argmin(errors)) == best
        assert errors[best] < 0.5 < min(errors[:best] + errors[best + 1 :])
    unsure = SETTINGS.model_copy(update={"layer_sureness": 1e6})
    assert choose_layers(encoder, "best", ["x"] * 60, targets, unsure)[0] == ()
    monkeypatch.setattr(layer_choice, "_states", lambda *_: lambda layer: states[0])
    assert choose_layers(encoder, "best", ["x"] * 60, targets, SETTINGS)[0] == ()


def keeping(most: int, whole: int) -> ProbeSettings:
    return SETTINGS.model_copy(update={"most_words": most, "search_rows": whole})


def test_no_more_words_are_kept_than_asked_for(encoder: Encoder) -> None:
    training, labels = rows("token-classification", 60)
    every = tagged_words(encoder, training.inputs, training.targets, labels, keeping(10_000, 10_000), seed=0)
    assert len(every.vectors) == sum(map(len, training.inputs))
    assert (every.weights == 1).all()
    assert every.whole.tolist() == list(range(len(every.vectors)))
    some = tagged_words(encoder, training.inputs, training.targets, labels, keeping(230, 40), seed=0)
    inside = (every.tags > 0).sum()
    assert (some.tags > 0).sum() == inside
    assert len(some.vectors) == len(some.tags) == len(some.rows) < len(every.tags)
    assert some.weights.sum() == pytest.approx(len(every.tags))
    assert 30 < len(some.whole) <= 40
    assert (some.weights[some.whole] == 1).all()
    for row in set(some.rows[some.whole]):
        assert some.tags[some.whole][some.rows[some.whole] == row].tolist() == training.targets[row].tolist()
    kept = {vector.tobytes() for vector in every.vectors}
    assert all(vector.tobytes() in kept for vector in some.vectors)


def test_words_beyond_the_limit_teach_nothing(make_encoder: Callable[..., Path], cpu: Device) -> None:
    short = Encoder.load(make_encoder(), cpu, max_length=5)
    training, labels = rows("token-classification", 10)
    words = tagged_words(short, training.inputs, training.targets, labels, SETTINGS, seed=0)
    assert len(words.vectors) == 30
    assert words.tags.tolist() == [tag for row in training.targets for tag in row[:3]]


def test_the_margin_of_the_outside_finds_more_entities() -> None:
    generator = np.random.default_rng(0)
    tags = (generator.random(2000) < 0.1).astype(np.int64)
    empty = np.zeros((2000, 0), dtype=np.float32)
    words = TaggedWords(empty, tags, np.arange(2000) // 8, np.ones(2000, dtype=np.float32), np.arange(2000))
    order = generator.permutation(2000)
    unsure = np.stack([np.zeros(2000), 2 * tags - 2.5 + generator.normal(size=2000)], axis=1).astype(np.float32)
    sure = np.stack([np.zeros(2000), 20.0 * tags - 10], axis=1).astype(np.float32)
    assert outside_margin(HeldOut(order, unsure[order]), words, ["O", "B-x"], SETTINGS.outside_margins) > 0
    assert outside_margin(HeldOut(order, sure[order]), words, ["O", "B-x"], SETTINGS.outside_margins) == 0


@pytest.mark.parametrize(
    ("inputs", "long_texts", "rows", "tokens"),
    [
        (["good " * 10, "bad"], "truncate", 0.5, 6 / 11),
        (["good " * 10, "bad"], "windows", 0.5, 0),
        ([Pair("good", "bad " * 6), Pair("a", "the")], "truncate", 0.5, 2 / 9),
        ([("good",) * 7, ("bad",)], "truncate", 0.5, 3 / 8),
    ],
)
def test_what_is_not_read_is_told(
    encoder: Encoder, inputs: list[Input], long_texts: str, rows: float, tokens: float
) -> None:
    short = replace(encoder, max_length=6, long_texts=long_texts)
    found = truncation(short, inputs)
    assert found == {
        "event": "truncated",
        "rows": rows,
        "tokens": pytest.approx(tokens),
        "max_length": 6,
        "long_texts": long_texts,
    }
    assert truncation(encoder, inputs) is None
    assert truncation(encoder, []) is None


def test_a_probe_tells_what_it_cut(encoder: Encoder) -> None:
    events: list[dict[str, Any]] = []
    training, labels = rows("text-classification", 8)
    model = probe(replace(encoder, max_length=4), "text-classification", labels, events, long_texts="windows").fit(
        training
    )
    assert [event["event"] for event in events] == ["truncated", "layers"]
    assert model.details.frame == ([2], [3])
