from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.head import LinearHead
from advisor.backend.prompting import few_shot_head, zero_shot_head
from advisor.backend.settings import FewShotSettings, ZeroShotSettings
from advisor.backend.wording import describe, humanise

ZERO = ZeroShotSettings(
    templates=("{label}", "the {label} film"),
    description_templates=("{label}: {description}",),
    scale=10,
    centring=0.5,
    labels_per_text=1.5,
    long_texts="truncate",
)
FEW = FewShotSettings(
    description_weights=(0.5, 1, 2, 4, 8, 16, 32),
    scales=(2, 5, 10, 20),
    default_description_weight=4,
    default_scale=7,
    description_weight_deviation=1,
    scale_deviation=0.5,
)


@pytest.fixture(scope="module")
def encoder(make_encoder: Callable[..., Path], cpu: Device) -> Encoder:
    return Encoder.load(make_encoder(), cpu)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Refund_not_showing_up", "refund not showing up"),
        ("RefundNotShowingUp", "refund not showing up"),
        ("card_linking", "card linking"),
        ("HR Support", "HR support"),
        ("IT_ticket", "IT ticket"),
        ("HTTPError", "HTTP error"),
        ("agonist-inhibitor", "agonist-inhibitor"),
        ("  2 ", "2"),
        ("Größe", "größe"),
    ],
)
def test_labels_become_words(label: str, words: str) -> None:
    assert humanise(label) == words


def test_description_templates_need_a_description() -> None:
    assert describe("Bad_trip", "", ZERO) == ["bad trip", "the bad trip film"]
    assert describe("bad", " Awful. ", ZERO) == ["bad", "the bad film", "bad: Awful"]
    assert describe("{x}", "{label}", ZERO)[-1] == "{x}: {label}"


def test_zero_shot_rows_are_mean_directions_of_the_filled_templates(encoder: Encoder) -> None:
    head = zero_shot_head(encoder, ["good", "bad"], {"bad": "awful"}, ZERO)
    expected = unit(encoder.embed(["bad", "the bad film", "bad: awful"]).mean(axis=0))
    assert head.weight[1] == pytest.approx(10 * expected, abs=1e-4)
    assert head.bias.tolist() == [0, 0]


def test_background_lowers_labels_near_to_everything(encoder: Encoder) -> None:
    background = encoder.embed(["good meal", "good film", "good trip"])
    plain = zero_shot_head(encoder, ["good", "awful"], {}, ZERO)
    centred = zero_shot_head(encoder, ["good", "awful"], {}, ZERO, background)
    assert np.array_equal(plain.weight, centred.weight)
    assert centred.bias == pytest.approx(-0.5 * plain.weight @ background.mean(axis=0), abs=1e-4)


def demonstrations(per_class: list[int], noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unit features, labels and the true class directions."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(42).normal(size=(len(per_class), 24))
    labels = np.repeat(np.arange(len(per_class)), per_class)
    return unit(centres[labels] + noise * generator.normal(size=(len(labels), 24)) + 1), labels, unit(centres)


def naive_leave_one_out(features: np.ndarray, labels: np.ndarray, zero: LinearHead, k: float) -> float:
    """Accuracy of heads built again without each row, around the centre of all."""
    classes = len(zero.weight)
    centre = np.mean([features[labels == label].mean(axis=0) for label in range(classes)], axis=0)
    directions = unit(zero.weight) - unit(zero.weight).mean(axis=0)
    directions /= np.sqrt((directions**2).sum(axis=1).mean())
    hits = 0
    for row in range(len(labels)):
        rest = np.arange(len(labels)) != row
        similarities = []
        for label in range(classes):
            own = features[rest & (labels == label)]
            share = len(own) / (len(own) + k)
            vector = share * unit(own.mean(axis=0) - centre) + (1 - share) * directions[label]
            similarities.append((features[row] - centre) @ vector)
        hits += int(np.argmax(similarities)) == labels[row]
    return hits / len(labels)


@pytest.mark.parametrize("k", [0.01, 3.0])
def test_closed_form_leave_one_out_equals_the_loop(k: float) -> None:
    features, labels, centres = demonstrations([4, 6, 3], noise=2.5)
    zero = LinearHead(centres[::-1].copy(), np.zeros(3, dtype=np.float32))
    fit = few_shot_head(features, labels, zero, FEW.model_copy(update={"description_weights": (k,)}))
    assert fit.description_weight == k
    assert fit.accuracy == pytest.approx(naive_leave_one_out(features, labels, zero, k))


def test_good_descriptions_weigh_more_than_misleading_ones() -> None:
    features, labels, centres = demonstrations([8] * 4, noise=2.0)
    bias = np.zeros(4, dtype=np.float32)
    good = few_shot_head(features, labels, LinearHead(centres, bias), FEW)
    misleading = few_shot_head(features, labels, LinearHead(centres[::-1].copy(), bias), FEW)
    assert good.description_weight > misleading.description_weight
    unseen, truth, _ = demonstrations([200] * 4, noise=2.0, seed=1)
    right = [(fit.head.logits(unseen).argmax(axis=1) == truth).mean() for fit in (good, misleading)]
    alone = (((unseen - unseen.mean(axis=0)) @ centres.T).argmax(axis=1) == truth).mean()
    assert right[0] >= right[1]
    assert right[0] > alone - 0.05


def test_a_class_without_demonstrations_keeps_its_description() -> None:
    features, labels, centres = demonstrations([3, 3, 0], noise=0.5)
    fit = few_shot_head(features, labels, LinearHead(centres, np.zeros(3, dtype=np.float32)), FEW)
    unseen, truth, _ = demonstrations([0, 0, 50], noise=0.5, seed=1)
    assert (fit.head.logits(unseen).argmax(axis=1) == truth).mean() > 0.9


def test_defaults_where_no_demonstration_can_be_left_out() -> None:
    features, labels, centres = demonstrations([1, 1], noise=0.5)
    fit = few_shot_head(features, labels, LinearHead(centres, np.zeros(2, dtype=np.float32)), FEW)
    assert (fit.description_weight, fit.scale, fit.accuracy, fit.log_loss) == (4, 7, None, None)


def test_few_demonstrations_leave_k_and_scale_near_their_defaults() -> None:
    features, labels, centres = demonstrations([2, 2], noise=0.1)
    zero = LinearHead(centres, np.zeros(2, dtype=np.float32))
    bound = FEW.model_copy(update={"description_weight_deviation": 0.01, "scale_deviation": 0.01, "default_scale": 5})
    few = few_shot_head(features, labels, zero, bound)
    assert (few.description_weight, few.scale) == (4, 5)
    assert few_shot_head(features, labels, zero, FEW).scale > 5
