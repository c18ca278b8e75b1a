from itertools import pairwise

import pytest

from advisor.benchmark.cells import cells_of
from advisor.benchmark.curves import crossings_of, curves_of
from advisor.benchmark.regret import compare
from advisor.report.learning_curves import curve_plots, regret_plot
from tests.benchmark.samples import line, measured
from tests.benchmark.test_regret import always

PROBE, TUNE = "linear-probe", "full-fine-tuning"
CELLS = cells_of(
    measured(
        line("zero-shot", 0.4, size="0"),
        line(PROBE, 0.6), line(TUNE, 0.5), line(PROBE, 0.62, seed=1), line(TUNE, 0.52, seed=1),
        line(PROBE, 0.7, size="128"), line(TUNE, 0.9, size="128"),
        line(PROBE, 0.7, size="128", seed=1), line(TUNE, 0.6, size="128", seed=1),
    )
)  # fmt: skip


def test_a_curve_has_the_spread_of_its_draws() -> None:
    curves = {curve.strategy: curve for curve in curves_of(CELLS)}
    assert [point.labelled for point in curves[PROBE].points] == [24, 384]
    assert curves[TUNE].points[1][1:4] == pytest.approx((0.75, 0.6, 0.9))
    assert [point.value for point in curves["zero-shot"].points] == [0.4, 0.4]


def test_a_crossing_lies_where_the_lines_meet() -> None:
    (crossing,) = crossings_of(curves_of(CELLS))
    assert (crossing.before, crossing.after) == (PROBE, TUNE)
    assert crossing.labels == pytest.approx(24 * 16 ** (2 / 3))
    assert (crossing.low, crossing.high) == (24, 384)
    assert not crossing.sure  # one draw has the probe ahead at 128


def test_a_strategy_not_measured_at_both_ends_does_not_cross() -> None:
    cells = cells_of(measured(line(PROBE, 0.6), line(PROBE, 0.7, size="128"), line(TUNE, 0.9, size="128")))
    assert crossings_of(curves_of(cells)) == []


def test_plots_stay_within_their_frame() -> None:
    (plot,) = curve_plots(curves_of(CELLS))
    marks = [mark for drawn in plot.lines for mark in drawn.marks]
    frame = plot.frame
    assert all(frame.left <= mark.x <= frame.right and 0 <= mark.y <= frame.bottom for mark in marks)
    labels = sorted(drawn.label_y for drawn in plot.lines)
    assert all(below - above >= 14 for above, below in pairwise(labels))
    found = compare(CELLS, {"probe": always(PROBE), "tune": always(TUNE)}, ["zero-shot", PROBE, TUNE])
    bars = regret_plot(found.standings)
    assert all(bars.left <= bar.x_low <= bar.x <= bar.x_high <= bar.x_worst <= bars.right for bar in bars.bars)
