import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression as Reference

from advisor.backend.arrays import row_log_losses, sigmoid, softmax
from advisor.backend.decisions import EachClass, OneClass
from advisor.backend.folds import grouped_folds, some_rows, stratified_folds
from advisor.backend.linear import fit_logistic
from advisor.backend.logistic import LogisticRegression
from advisor.backend.settings import ProbeSettings
from advisor.knowledge.hyperparameters import default_values

SETTINGS = ProbeSettings.model_validate(
    default_values("linear-probe")
    | {"grid": (0.25, 1, 4, 16, 64, 256), "default_c": 10, "folds": 5, "folds_when_large": 3, "large_rows": 2000}
)


def blobs(per_class: list[int], spread: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around one random centre a class, all shifted in one direction as encoders' are."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(len(per_class), 16))
    labels = np.repeat(np.arange(len(per_class)), per_class)
    points = centres[labels] + spread * 4 * generator.normal(size=(len(labels), 16)) + 3
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize("c", [0.1, 10.0, 1000.0])
def test_regression_finds_scikit_learns_minimum(c: float) -> None:
    features, labels = blobs([40, 30, 20])
    weights = np.linspace(0.5, 2, 90).astype(np.float32)
    weight, bias = LogisticRegression(features, labels, 3, weights).fit(c, 1e-9, 2000)
    reference = Reference(C=c, max_iter=5000, tol=1e-8).fit(features.astype(np.float64), labels, weights)
    found = softmax(features @ weight + bias)
    assert np.abs(found - reference.predict_proba(features)).max() < 5e-3


def test_a_fit_does_not_depend_on_where_the_path_began() -> None:
    features, labels = blobs([30, 30])
    cold = LogisticRegression(features, labels, 2, np.ones(60, dtype=np.float32))
    warm = LogisticRegression(features, labels, 2, np.ones(60, dtype=np.float32))
    warm.start_from(*warm.fit(0.1, 1e-9, 500))
    for left, right in zip(cold.fit(5.0, 1e-9, 500), warm.fit(5.0, 1e-9, 500), strict=True):
        assert np.allclose(left, right, atol=2e-2)


@pytest.mark.parametrize("c", [0.1, 10.0])
def test_classes_apart_are_scikit_learns_one_against_the_rest(c: float) -> None:
    features, labels = blobs([40, 30, 20])
    held = np.stack([labels == 0, labels < 2, labels == 3], axis=1).astype(np.float32)
    weights = np.linspace(0.5, 2, 90).astype(np.float32)
    weight, bias = LogisticRegression(features, held, 3, weights).fit(c, 1e-9, 2000)
    for label in (0, 1):
        reference = Reference(C=c, max_iter=5000, tol=1e-8).fit(features.astype(np.float64), held[:, label], weights)
        found = sigmoid(features @ weight[:, label] + bias[label])
        assert np.abs(found - reference.predict_proba(features)[:, 1]).max() < 5e-3
    assert sigmoid(features @ weight[:, 2] + bias[2]).max() < 1e-3


def test_probe_is_as_good_as_scikit_learns_best_c() -> None:
    features, labels = blobs([60] * 5)
    unseen, truth = blobs([200] * 5, seed=1)
    fit = fit_logistic(features, labels, 5, SETTINGS)
    accuracy = (fit.head.logits(unseen).argmax(axis=1) == truth).mean()
    best = max(Reference(C=c, max_iter=2000).fit(features, labels).score(unseen, truth) for c in SETTINGS.grid)
    assert accuracy > best - 0.02
    assert fit.c == min(fit.scores, key=lambda c: fit.scores[c])
    assert fit.accuracy == pytest.approx(accuracy, abs=0.1)


def test_search_stops_once_the_score_declines() -> None:
    features, labels = blobs([50, 50], spread=2.0)
    fit = fit_logistic(features, labels, 2, SETTINGS)
    assert fit.c < 16
    assert max(fit.scores) < 256


def test_probabilities_are_calibrated_on_unseen_rows() -> None:
    features, labels = blobs([150] * 3, spread=1.0)
    unseen, truth = blobs([700] * 3, spread=1.0, seed=1)
    fit = fit_logistic(features, labels, 3, SETTINGS)
    probabilities = fit.head.probabilities(unseen)
    assert probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert probabilities.max(axis=1).mean() == pytest.approx((probabilities.argmax(axis=1) == truth).mean(), abs=0.05)


@pytest.mark.parametrize("per_class", [[2, 2, 2], [5, 1, 3], [1, 9], [2, 1], [3, 0, 4]])
def test_a_handful_of_rows_is_enough(per_class: list[int]) -> None:
    features, labels = blobs(per_class, spread=0.2)
    fit = fit_logistic(features, labels, len(per_class), SETTINGS)
    assert np.isfinite(fit.head.weight).all()
    assert np.isfinite(fit.head.bias).all()
    assert (fit.head.logits(features).argmax(axis=1) == labels).all()


def test_default_c_where_nothing_can_be_held_out() -> None:
    features, labels = blobs([1, 1, 1])
    fit = fit_logistic(features, labels, 3, SETTINGS)
    assert (fit.c, fit.scores, fit.accuracy, fit.scale) == (10, {}, None, 1.0)


def test_balancing_finds_more_of_the_rare_class() -> None:
    features, labels = blobs([300, 15], spread=1.2)
    unseen, truth = blobs([500, 500], spread=1.2, seed=1)
    plain = fit_logistic(features, labels, 2, SETTINGS).head.logits(unseen).argmax(axis=1)
    balanced = fit_logistic(features, labels, 2, SETTINGS, balanced=True).head.logits(unseen).argmax(axis=1)
    assert (balanced[truth == 1] == 1).mean() > (plain[truth == 1] == 1).mean() + 0.1
    assert np.unique(OneClass(labels, 3).balanced()).tolist() == pytest.approx([315 / 600, 315 / 30])


def test_the_same_seed_gives_the_same_head_and_progress_ends() -> None:
    features, labels = blobs([20, 20])
    seen: list[tuple[int, int]] = []
    first = fit_logistic(features, labels, 2, SETTINGS, seed=3, progress=lambda *step: seen.append(step))
    second = fit_logistic(features, labels, 2, SETTINGS, seed=3)
    assert np.array_equal(first.head.weight, second.head.weight)
    assert seen[-1] == (31, 31)
    assert seen == sorted(seen)


@settings(max_examples=60, deadline=None)
@given(labels=st.lists(st.integers(0, 6), min_size=1, max_size=80), folds=st.integers(2, 6))
def test_folds_deal_classes_out_evenly(labels: list[int], folds: int) -> None:
    rows = np.array(labels)
    fold = stratified_folds(rows, folds, np.random.default_rng(0))
    for label in set(labels):
        of_class = fold[rows == label]
        if len(of_class) == 1:
            assert of_class.tolist() == [-1]
        else:
            sizes = np.bincount(of_class, minlength=folds)
            assert sizes.max() - sizes.min() <= 1


def test_softmax_and_losses_survive_large_logits() -> None:
    logits = np.array([[1000.0, 0.0], [-1000.0, -1001.0]], dtype=np.float32)
    assert softmax(logits)[0] == pytest.approx([1, 0])
    assert row_log_losses(logits, np.array([1, 0])) == pytest.approx([1000, np.log1p(np.exp(-1))])


def several(per_class: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors near one centre or between two, and which of the classes they hold."""
    features, labels = blobs(per_class, spread=0.5, seed=seed)
    generator = np.random.default_rng(seed)
    other = generator.permutation(len(labels))
    both = generator.random(len(labels)) < 0.3
    mixed = np.where(both[:, None], features + features[other], features)
    held = np.eye(len(per_class), dtype=np.float32)[labels]
    held[both] = np.maximum(held[both], held[other[both]])
    return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32), held


def test_a_probe_of_several_classes_is_as_good_as_scikit_learns_best_c() -> None:
    features, held = several([80] * 4)
    unseen, truth = several([200] * 4, seed=1)
    fit = fit_logistic(features, held, 4, SETTINGS)
    right = ((fit.head.logits(unseen) > 0) == (truth > 0)).mean()
    references = [
        [Reference(C=c).fit(features, held[:, k]).score(unseen, truth[:, k]) for k in range(4)] for c in (1, 16)
    ]
    assert right > np.mean(references, axis=1).max() - 0.02
    assert fit.accuracy == pytest.approx(right, abs=0.1)
    assert fit.held_out is not None
    assert fit.held_out.logits.shape == (len(fit.held_out.rows), 4)


@pytest.mark.parametrize("counts", [[3, 0, 1], [0, 0, 0], [1, 1, 1]])
def test_rare_and_absent_classes_are_fitted(counts: list[int]) -> None:
    features, _ = blobs([6, 6])
    held = np.zeros((12, 3), dtype=np.float32)
    for label, count in enumerate(counts):
        held[label * 3 : label * 3 + count, label] = 1
    for balanced in (False, True):
        fit = fit_logistic(features, held, 3, SETTINGS, balanced=balanced)
        assert np.isfinite(fit.head.logits(features)).all()
        assert (fit.head.logits(features)[:, held.sum(axis=0) == 0] < 0).all()


def test_decisions_of_a_class_are_balanced_where_it_has_both() -> None:
    held = np.array([[1, 0], [0, 0], [0, 0], [0, 0]], dtype=np.float32)
    weights = EachClass(held, 2).balanced()
    assert weights[:, 0].tolist() == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert weights[:, 1].tolist() == [1, 1, 1, 1]
    assert EachClass(np.array([[1, 1], [1, 0], [0, 0]], dtype=np.float32), 2).strata().tolist() == [1, 0, 2]


def test_rows_of_a_group_are_held_out_together() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 7)
    fold = grouped_folds(groups, 4, generator)
    assert all(len(set(fold[groups == group])) == 1 for group in range(40))
    assert np.bincount(fold).tolist() == [70] * 4
    assert set(grouped_folds(np.zeros(5, dtype=np.int64), 4, generator)) == {-1}
    some = some_rows(280, groups, 100, generator)
    assert len(some) == 98
    assert all(np.isin(np.flatnonzero(groups == group), some).all() for group in set(groups[some]))
    assert len(some_rows(280, None, 100, generator)) == 100


def test_groups_that_repeat_a_row_do_not_deceive_the_search() -> None:
    features, labels = blobs([20, 20], spread=3.0)
    copies = np.repeat(np.arange(40), 5)
    apart = fit_logistic(features[copies], labels[copies], 2, SETTINGS)
    together = fit_logistic(features[copies], labels[copies], 2, SETTINGS, groups=copies)
    assert apart.accuracy is not None and together.accuracy is not None
    assert apart.accuracy > together.accuracy + 0.15
