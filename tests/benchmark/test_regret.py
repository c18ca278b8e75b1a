import pytest

from advisor.benchmark.cells import cells_of, complete_cells, field_of
from advisor.benchmark.policies import Choice, Policy
from advisor.benchmark.regret import compare
from advisor.errors import InputError
from advisor.knowledge.interval import Interval
from tests.benchmark.samples import line, measured

PROBE, TUNE = "linear-probe", "full-fine-tuning"


def always(strategy: str | None, spent: float = 0.0) -> Policy:
    return Policy(f"always {strategy}", lambda _: Choice(strategy, spent) if strategy else None)


def test_what_takes_no_labels_stands_in_every_cell() -> None:
    cells = cells_of(measured(line("zero-shot", 0.6, size="0"), line(PROBE, 0.5), line(PROBE, 0.8, size="32")))
    assert [cell.values for cell in cells] == [{"zero-shot": 0.6, PROBE: 0.5}, {"zero-shot": 0.6, PROBE: 0.8}]
    assert field_of(cells) == ["zero-shot", PROBE]


def test_the_same_rows_under_two_sizes_count_once() -> None:
    cells = cells_of(measured(line(PROBE, 0.5), line(PROBE, 0.6, size="all", labelled=24, rarest=8)))
    assert [cell.values for cell in cells] == [{PROBE: 0.5}]
    assert len(cells_of(measured(line(PROBE, 0.5), line(PROBE, 0.6, size="24-rows", labelled=24, rarest=2)))) == 2


def test_a_cell_without_all_of_the_field_does_not_count() -> None:
    cells = cells_of(measured(line(PROBE, 0.5), line(TUNE, 0.7), line(PROBE, 0.9, size="32")))
    found = compare(cells, {"probe": always(PROBE)}, [PROBE, TUNE])
    assert (found.cells, found.left_out) == (1, 1)
    assert found.standings[0].regret.value == pytest.approx(20)
    assert [cell.situation.size for cell in complete_cells(cells, [PROBE])] == ["8"]  # one alone leaves no choice


def test_models_and_test_rows_are_not_mixed() -> None:
    with pytest.raises(InputError, match="several models"):
        cells_of(measured(line(PROBE, 0.5), line(TUNE, 0.7, model="other")))
    cells = cells_of(measured(line(PROBE, 0.5), line(TUNE, 0.7, test_rows=50), line("zero-shot", 0.4, size="0")))
    assert [cell.values for cell in cells] == [{TUNE: 0.7}, {"zero-shot": 0.4, PROBE: 0.5}]


def test_regret_worst_and_cost() -> None:
    rows = [
        line(PROBE, 0.5), line(TUNE, 0.7, fit_processor_seconds=30.0),
        line(PROBE, 0.8, data="b"), line(TUNE, 0.7, data="b", fit_processor_seconds=30.0),
        line(PROBE, 0.8, data="b", seed=1), line(TUNE, 0.6, data="b", seed=1, fit_processor_seconds=30.0),
    ]  # fmt: skip
    found = compare(cells_of(measured(*rows)), {"probe": always(PROBE), "tune": always(TUNE, 4.0)}, [PROBE, TUNE])
    probe, tune = found.standings
    assert probe.regret.value == pytest.approx(10)  # 20 on one set, 0 on the other
    assert (probe.worst.value, probe.worst_at.data) == (pytest.approx(20), "a")
    assert probe.cost.value == pytest.approx(0.25)
    assert tune.regret.value == pytest.approx(7.5)
    assert tune.cost.value == pytest.approx(0.85)
    assert tune.behind is not None
    assert tune.behind.value == pytest.approx(-2.5)
    assert tune.behind.low == pytest.approx(-20)
    assert tune.behind.high == pytest.approx(15)
    assert probe.chosen == {PROBE: 3}


def test_cost_is_a_share_of_fitting_the_field_whatever_else_was_fitted() -> None:
    rows = [
        line(PROBE, 0.5),
        line(TUNE, 0.7, fit_processor_seconds=30.0),
        line("lora", 0.6, fit_processor_seconds=60.0),
    ]
    found = compare(cells_of(measured(*rows)), {"probe": always(PROBE), "lora": always("lora")}, [PROBE, TUNE])
    assert [one.cost.value for one in found.standings] == [pytest.approx(0.25), pytest.approx(1.5)]


def test_a_policy_that_chooses_what_was_not_measured_is_set_aside() -> None:
    cells = cells_of(measured(line(PROBE, 0.5), line(TUNE, 0.7)))
    policies = {"probe": always(PROBE), "contrastive": always("contrastive")}
    found = compare(cells, policies, [PROBE, TUNE])
    assert [one.policy for one in found.standings] == ["probe"]
    assert found.set_aside == ["always contrastive"]
    nothing = compare(cells, {"probe": always(PROBE), "pilot": always(None)}, [PROBE, TUNE])
    assert (nothing.cells, nothing.left_out, nothing.standings) == (0, 1, [])


def test_foresight_chooses_by_the_other_draws_of_a_data_set_and_size() -> None:
    rows = [
        line(PROBE, 0.5), line(TUNE, 0.7), line(PROBE, 0.6, seed=1), line(TUNE, 0.5, seed=1),
        line(PROBE, 0.9, size="32", labelled=96, rarest=32), line(TUNE, 0.1, size="32", labelled=96, rarest=32),
    ]  # fmt: skip
    found = compare(cells_of(measured(*rows)), {"probe": always(PROBE)}, [PROBE, TUNE])
    assert found.cells == 3
    assert found.foresight is not None
    assert found.foresight.draws == 2  # the third has no other of its size
    assert found.foresight.regret.value == pytest.approx((20 + 10) / 2)  # each takes what was best on the other
    assert found.foresight.error == pytest.approx(((10**2 + 20**2) / 2) ** 0.5)
    alone = compare(cells_of(measured(*rows[4:])), {"probe": always(PROBE)}, [PROBE, TUNE])
    assert alone.foresight is None


def test_predictions_are_held_against_what_was_measured() -> None:
    predicted = {PROBE: Interval(0.4, 0.53, 0.6), TUNE: Interval(0.71, 0.74, 0.8), "lora": Interval(0, 0, 0)}
    policy = Policy("pilot", lambda _: Choice(TUNE, 1.0, predicted))
    (found,) = compare(cells_of(measured(line(PROBE, 0.5), line(TUNE, 0.7))), {"p": policy}, [PROBE, TUNE]).standings
    assert found.error == pytest.approx((0.5 * (3**2 + 4**2)) ** 0.5)
    assert found.covered == 0.5
