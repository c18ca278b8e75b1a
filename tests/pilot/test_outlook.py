"""The outlook conditions on what is measured, and says how sure it is."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.pilot.cells import Cell, cells_of
from advisor.pilot.outlook import Candidate, Measured, Outlook

CONTENDERS = ["zero-shot", "linear-probe", "contrastive", "full-fine-tuning"]
REACHED = {"zero-shot": 0.0, "linear-probe": 0.1, "contrastive": 0.2, "full-fine-tuning": 0.25}


def elsewhere() -> list[Cell]:
    """Four made-up data sets on which tuning gains more from labels than a probe does."""
    return [
        Cell(f"set {number}", name, count, 4, 0.35 + 0.05 * number + gain * math.log2(1 + count) / 8, 500)
        for number in range(4)
        for count in (0.0, 4.0, 32.0, 256.0)
        for name, gain in REACHED.items()
        if (count == 0) == (name == "zero-shot")
    ]


@pytest.fixture(scope="module")
def outlook() -> Outlook:
    return Outlook.prior(CONTENDERS, 4, known=elsewhere())


def test_the_prior_follows_what_was_measured_elsewhere(outlook: Outlook) -> None:
    assert outlook.expected("full-fine-tuning", 256) > outlook.expected("linear-probe", 256)
    assert outlook.at("zero-shot", 4) == outlook.at("zero-shot", 256)


def test_a_measurement_moves_the_curve_and_its_kin_and_narrows_them(outlook: Outlook) -> None:
    before = outlook.at("full-fine-tuning", 32)
    after = outlook.after([Measured("contrastive", 64, 16, 0.95, 200)]).at("full-fine-tuning", 32)
    assert after.point > before.point
    assert after.high - after.low < before.high - before.low


def test_many_judged_rows_leave_little_doubt(outlook: Outlook) -> None:
    measured = [Measured("linear-probe", 128, 32, 0.9, 100_000), Measured("full-fine-tuning", 128, 32, 0.6, 100_000)]
    after = outlook.after(measured)
    assert after.at("linear-probe", 32).point == pytest.approx(0.9, abs=0.02)
    assert after.best(32)["linear-probe"] > 0.9
    assert after.loss("full-fine-tuning", 32) == pytest.approx(0.3, abs=0.05)
    assert after.within("linear-probe", 32, 0.01) > 0.9


def test_the_order_of_measurements_does_not_matter(outlook: Outlook) -> None:
    measured = [Measured("linear-probe", 32, 8, 0.5, 40), Measured("zero-shot", 0, 0, 0.4, 40)]
    one, other = outlook.after(measured), outlook.after(measured[:1]).after(measured[1:])
    assert one.best(64) == pytest.approx(other.best(64), abs=1e-9)
    assert outlook.after(measured[::-1]).expected("contrastive", 64) == pytest.approx(one.expected("contrastive", 64))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(CONTENDERS[1:]), st.floats(0, 1), st.integers(1, 1000)), max_size=5))
def test_probabilities_are_probabilities_and_intervals_are_ordered(
    measured: list[tuple[str, float, int]],
) -> None:
    outlook = Outlook.prior(CONTENDERS, 4, known=elsewhere()).after(
        [Measured(name, 32, 8, value, judged) for name, value, judged in measured]
    )
    assert sum(outlook.best(32).values()) == pytest.approx(1)
    assert sum(outlook.shapes.values()) == pytest.approx(1, abs=0.01)
    for name in CONTENDERS:
        found = outlook.at(name, 32)
        assert 0 <= found.low <= found.point <= found.high <= 1
        assert outlook.loss(name, 32) >= 0


def test_a_measurement_on_more_rows_is_worth_more_and_a_settled_one_nothing(outlook: Outlook) -> None:
    alike = outlook.after([Measured(name, 128, 32, 0.6, 30) for name in CONTENDERS[2:]])
    few, many = alike.worth([Candidate("contrastive", 16, 10), Candidate("contrastive", 16, 1000)], 32)
    assert 0 < few < many
    settled = outlook.after(
        [Measured(name, 128, 32, 0.9 if name == "contrastive" else 0.3, 10**6) for name in CONTENDERS]
    )
    assert settled.worth([Candidate("contrastive", 16, 1000)], 32)[0] < few / 10


def test_a_higher_target_takes_more_labels(outlook: Outlook) -> None:
    measured = outlook.after([Measured("full-fine-tuning", 128, 32, 0.6, 5000)])
    near, far = measured.labels_for(0.55, "full-fine-tuning"), measured.labels_for(0.7, "full-fine-tuning")
    assert near and far
    assert near.point < 128 < far.point
    assert measured.labels_for(0.9999, "linear-probe") is None


def test_leaders_change_where_curves_cross(outlook: Outlook) -> None:
    leaders = outlook.leaders(256)
    assert leaders[-1][1] == "full-fine-tuning"
    assert leaders[0][0] == 1.0
    assert all(one[1] != other[1] for one, other in itertools.pairwise(leaders))


ROW = {"data": "set", "strategy": "few-shot", "size": "8", "labelled": 32, "classes": 4, "test_rows": 100}


def test_seeds_are_averaged() -> None:
    row = ROW | {"task": "text-classification"}
    (cell,) = cells_of([row | {"accuracy": 0.5}, row | {"accuracy": 0.7}])
    assert cell.value == pytest.approx(0.6)
    assert (cell.fits, cell.per_class) == (2, 8.0)


def test_a_cell_holds_the_leading_measure_of_its_task() -> None:
    (cell,) = cells_of([ROW | {"task": "regression", "pearson": -0.2, "rmse": 3.0}])
    assert (cell.value, cell.classes, cell.per_class) == (0.0, 1, 32.0)


def test_rows_drawn_as_they_come_are_told_from_rows_in_equal_shares() -> None:
    row = ROW | {"task": "text-classification", "accuracy": 0.5}
    cells = cells_of([row, row | {"size": "32-rows"}, row | {"size": "0", "labelled": 0, "strategy": "zero-shot"}])
    assert {cell.strategy: cell.natural for cell in cells if cell.strategy == "zero-shot"} == {"zero-shot": False}
    assert sorted(cell.natural for cell in cells if cell.strategy == "few-shot") == [False, True]


def test_classes_in_equal_shares_widen_what_is_expected_and_do_not_move_it(outlook: Outlook) -> None:
    chosen = Outlook.prior(CONTENDERS, 4, known=elsewhere(), equal_shares=True)
    for name in CONTENDERS:
        came, alike = outlook.at(name, 32), chosen.at(name, 32)
        assert alike.high - alike.low > came.high - came.low
        assert alike.point == pytest.approx(came.point, abs=0.01)
        assert chosen.expected(name, 32) == outlook.expected(name, 32)


def test_what_a_strategy_does_on_another_task_tells_less() -> None:
    poor = [Cell("pairs", "linear-probe", 16, 4, 0.3, 500, task="pair-classification")]
    poor += [Cell("pairs", "full-fine-tuning", 16, 4, 0.8, 500, task="pair-classification")]

    def ahead(task: str) -> float:
        found = Outlook.prior(CONTENDERS, 4, known=[*elsewhere(), *poor], task=task)
        return found.expected("full-fine-tuning", 16) - found.expected("linear-probe", 16)

    assert ahead("pair-classification") > ahead("text-classification")
