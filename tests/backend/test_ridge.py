import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference
from sklearn.linear_model import RidgeCV

from advisor.backend.axes import PrincipalAxes
from advisor.backend.head_start import probe_weights
from advisor.backend.ridge import Ridge, fit_ridge
from advisor.backend.settings import ProbeSettings
from advisor.knowledge.hyperparameters import default_values

SETTINGS = ProbeSettings.model_validate(default_values("linear-probe"))


def numbers(rows: int, width: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features that share a direction, and a noisy linear number far from zero."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, width)) * np.linspace(0.2, 2, width) + 3
    targets = 40 + features @ np.random.default_rng(9).normal(size=width) + 2 * generator.normal(size=rows)
    return features.astype(np.float32), targets.astype(np.float32)


@pytest.mark.parametrize("rows", [12, 200])
def test_errors_of_rows_left_out_are_scikit_learns(rows: int) -> None:
    features, targets = numbers(rows)
    ridge = Ridge(PrincipalAxes.of(features), targets)
    penalties = [0.5, 5.0, 50.0]
    reference = RidgeCV(penalties, store_cv_results=True).fit(features.astype(np.float64), targets)
    for place, penalty in enumerate(penalties):
        found = ridge.left_out_errors(penalty)[:, 0] ** 2
        assert found == pytest.approx(reference.cv_results_[:, place], rel=2e-3, abs=1e-3)
        head = ridge.head(penalty)
        alone = Reference(alpha=penalty).fit(features, targets)
        assert head.logits(features)[:, 0] == pytest.approx(alone.predict(features), abs=5e-3)


@pytest.mark.parametrize("rows", [20, 300])
def test_a_probe_of_numbers_is_as_good_as_scikit_learns(rows: int) -> None:
    features, targets = numbers(rows)
    unseen, truth = numbers(500, seed=1)
    fit = fit_ridge(features, targets, SETTINGS)
    reference = RidgeCV(np.logspace(-3, 4, 30)).fit(features, targets)
    ours = np.sqrt(((fit.head.logits(unseen)[:, 0] - truth) ** 2).mean())
    assert ours < 1.05 * np.sqrt(((reference.predict(unseen) - truth) ** 2).mean())
    assert fit.scores[fit.strength] == pytest.approx(ours, rel=0.5)
    assert fit.left_out.shape == (rows, 1)
    assert fit.scores[fit.strength] == pytest.approx(np.sqrt(((fit.left_out[:, 0] - targets[fit.rows]) ** 2).mean()))


def test_the_strength_is_chosen_on_some_rows_and_the_head_fitted_to_all() -> None:
    features, targets = numbers(120)
    few = SETTINGS.model_copy(update={"search_rows": 50})
    fit = fit_ridge(features, targets, few, seed=2)
    assert len(fit.left_out) == len(set(fit.rows)) == 50
    axes = PrincipalAxes.of(features)
    assert np.allclose(fit.head.weight, Ridge(axes, targets).head(fit.strength * axes.variance).weight)


def test_one_row_or_one_value_gives_that_value() -> None:
    features, targets = numbers(5)
    assert fit_ridge(features[:1], targets[:1], SETTINGS).head.logits(features)[:, 0] == pytest.approx(targets[0])
    same = fit_ridge(features, np.full(5, 2.5, dtype=np.float32), SETTINGS)
    assert same.head.logits(features)[:, 0] == pytest.approx(2.5, abs=1e-4)


def test_a_head_starts_from_ridge_regression() -> None:
    features, targets = numbers(60)
    weight, bias = probe_weights("number", features, targets, 1, 0.5)
    length = np.sqrt(np.square(features).sum(axis=1).mean())
    alone = Reference(alpha=2.0).fit(features / length, targets)
    assert (features @ weight.T + bias)[:, 0] == pytest.approx(alone.predict(features / length), abs=5e-3)
    assert weight.shape == (1, 24) and bias.shape == (1,)


@pytest.mark.parametrize("predicts", ["number", "classes"])
def test_how_long_the_features_are_does_not_matter_to_a_heads_start(predicts: str) -> None:
    features, targets = numbers(60)
    aims = targets if predicts == "number" else (targets > np.median(targets))[:, None].astype(np.float32)
    weight, bias = probe_weights(predicts, features, aims, 1, 1.0)  # type: ignore[arg-type]
    longer, same = probe_weights(predicts, 10 * features, aims, 1, 1.0)  # type: ignore[arg-type]
    assert features @ weight.T + bias == pytest.approx(10 * features @ longer.T + same, abs=2e-2)


def test_a_head_starts_from_a_decision_a_class() -> None:
    features, targets = numbers(80)
    held = np.stack([targets > np.median(targets), targets > targets.mean() + 3], axis=1).astype(np.float32)
    weight, bias = probe_weights("classes", features, held, 2, 1.0)
    assert ((features @ weight.T + bias > 0) == (held > 0)).mean() > 0.8
