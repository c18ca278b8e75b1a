from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from advisor.backend.arrays import decision_log_losses, sigmoid
from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.head import LinearHead
from advisor.backend.prompted_sets import few_shot_sets, zero_shot_sets
from advisor.backend.prompting import label_vectors, unit
from tests.backend.test_prompting import FEW, ZERO

LABELS = ["good", "awful", "room", "service"]


@pytest.fixture(scope="module")
def encoder(make_encoder: Callable[..., Path], cpu: Device) -> Encoder:
    return Encoder.load(make_encoder(), cpu)


@pytest.mark.parametrize("expected", [0.5, 1.0, 2.0])
def test_unlabelled_texts_get_as_many_labels_as_expected(encoder: Encoder, expected: float) -> None:
    generator = np.random.default_rng(0)
    words = ["good", "bad", "fine", "poor", "great", "awful", "film", "meal", "trip", "room", "service"]
    background = encoder.embed([" ".join(generator.choice(words, 4)) for _ in range(300)])
    settings = ZERO.model_copy(update={"labels_per_text": expected})
    head = zero_shot_sets(encoder, LABELS, {}, settings, background)
    assert (head.logits(background) > 0).sum(axis=1).mean() == pytest.approx(expected, abs=0.05)
    similarity = background @ label_vectors(encoder, LABELS, {}, ZERO).T
    centred = similarity - 0.5 * similarity.mean(axis=0)
    differences = head.logits(background) - 10 * centred
    assert np.ptp(differences) < 1e-3


def test_without_texts_a_description_is_about_its_own_label(encoder: Encoder) -> None:
    head = zero_shot_sets(encoder, LABELS, {}, ZERO, np.zeros((0, 32), dtype=np.float32))
    vectors = label_vectors(encoder, LABELS, {}, ZERO)
    assert (np.diag(head.logits(vectors)) > 0).all()
    assert (head.logits(vectors) > 0).sum() <= 6


def demonstrations(rows: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit features near the sum of their labels' directions; which labels they have, some none; the directions."""
    generator = np.random.default_rng(seed)
    directions = unit(np.random.default_rng(42).normal(size=(5, 24)))
    held = (generator.random((rows, 5)) < 0.25).astype(np.float32)
    features = held @ directions + noise * generator.normal(size=(rows, 24)) / 5 + 0.5
    return unit(features), held, directions


def f1(given: np.ndarray, held: np.ndarray) -> float:
    return float(2 * (given * held).sum() / (given.sum() + held.sum()))


def test_demonstrations_beside_descriptions_find_the_labels() -> None:
    features, held, directions = demonstrations(60, noise=1.0)
    unseen, truth, _ = demonstrations(500, noise=1.0, seed=1)
    zero = LinearHead(directions[::-1].copy(), np.zeros(5, dtype=np.float32))
    fit = few_shot_sets(features, held, zero, FEW)
    given = sigmoid(fit.head.logits(unseen)) >= fit.thresholds
    assert f1(given, truth) > 0.75
    assert given.sum(axis=1).mean() == pytest.approx(held.sum(axis=1).mean(), abs=0.35)
    assert len(set(fit.thresholds.tolist())) == 1


def test_good_descriptions_weigh_more_than_misleading_ones() -> None:
    features, held, directions = demonstrations(24, noise=1.5)
    bias = np.zeros(5, dtype=np.float32)
    good = few_shot_sets(features, held, LinearHead(directions, bias), FEW)
    misleading = few_shot_sets(features, held, LinearHead(directions[::-1].copy(), bias), FEW)
    assert good.description_weight > misleading.description_weight


def test_closed_form_leave_one_out_equals_the_loop() -> None:
    features, held, directions = demonstrations(12, noise=1.0)
    k, scale = 3.0, 10.0
    one = FEW.model_copy(update={"description_weights": (k,), "scales": (scale,)})
    fit = few_shot_sets(features, held, LinearHead(directions, np.zeros(5, dtype=np.float32)), one)
    centre, counts = features.mean(axis=0), held.sum(axis=0)
    described = directions - directions.mean(axis=0)
    described /= np.sqrt((described**2).sum(axis=1).mean())
    shares = (counts + 1) / (12 + 5)
    logits = np.empty_like(held)
    for row in range(12):
        for label in range(5):
            others = (held[:, label] > 0) & (np.arange(12) != row)
            known = others.sum()
            shown = unit((features[others] - centre).sum(axis=0)[None])[0] if known else np.zeros(24)
            vector = known / (known + k) * shown + k / (known + k) * described[label]
            logits[row, label] = scale * (features[row] - centre) @ vector + np.log(shares / (1 - shares))[label]
    losses = [decision_log_losses(logits + offset, held).mean() for offset in np.linspace(-8, 8, 3201)]
    assert fit.log_loss == pytest.approx(min(losses), abs=1e-4)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_demonstrations_leave_the_descriptions(count: int) -> None:
    features, _, directions = demonstrations(3, noise=0.5)
    held = np.zeros((3, 5), dtype=np.float32)
    held[:count, 0] = 1
    zero = LinearHead(directions, np.zeros(5, dtype=np.float32))
    fit = few_shot_sets(features, held, zero, FEW)
    assert fit.head is zero
    assert fit.thresholds.tolist() == [0.5] * 5
    assert fit.log_loss is None


def test_a_label_that_every_demonstration_has_stays_finite() -> None:
    features, held, directions = demonstrations(6, noise=0.5)
    held[:, 1] = 1
    fit = few_shot_sets(features, held, LinearHead(directions, np.zeros(5, dtype=np.float32)), FEW)
    assert np.isfinite(fit.head.bias).all()
    assert (sigmoid(fit.head.logits(features))[:, 1] >= fit.thresholds[1]).all()
