from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from advisor.report.charts import HEIGHT, WIDTH, Option, lay_out_map, quality_cost_plot
from advisor.report.decision_map import decision_map
from tests.report.samples import Made

BOUNDS = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted)
SECONDS = st.lists(st.one_of(st.just(0.0), st.floats(0.01, 1e6)), min_size=3, max_size=3).map(sorted)


def named(values: list[float]) -> dict[str, float]:
    return dict(zip(("low", "point", "high"), values, strict=True))


OPTIONS = st.builds(
    Option,
    strategy=st.sampled_from(["zero-shot", "linear-probe", "full-fine-tuning"]),
    engine=st.sampled_from(["encoder", "llm-api"]),
    quality=BOUNDS.map(named),
    seconds=SECONDS.map(named),
    kind=st.sampled_from(["first", "other", "measured"]),
)


@given(st.lists(OPTIONS, min_size=2, max_size=6))
def test_everything_is_drawn_inside(options: list[Option]) -> None:
    plot = quality_cost_plot(options)
    assert plot is not None
    for dot in plot.dots:
        assert 0 <= dot.x <= WIDTH + 60
        assert 0 <= dot.y_high <= dot.y + 1e-6 <= dot.y_low + 1e-5 <= HEIGHT
    ticks = [tick.at for tick in plot.x_ticks]
    assert ticks == sorted(ticks)


def test_one_option_is_no_plot() -> None:
    one = Option("zero-shot", "encoder", named([0.1, 0.2, 0.3]), named([1, 2, 3]), "first")
    assert quality_cost_plot([one]) is None


def test_better_is_higher_and_slower_is_further_right() -> None:
    cheap = Option("zero-shot", "encoder", named([0.4, 0.5, 0.6]), named([1, 2, 3]), "other")
    dear = Option("full-fine-tuning", "encoder", named([0.6, 0.7, 0.8]), named([100, 200, 300]), "first")
    plot = quality_cost_plot([cheap, dear])
    assert plot is not None
    assert plot.dots[0].x < plot.dots[1].x
    assert plot.dots[0].y > plot.dots[1].y


def test_the_map_marks_the_project_with_its_verdict(made: Made) -> None:
    found = decision_map(made.advice)
    assert found is not None
    column, row = found["here"]
    assert found["rows"][row][column] == made.advice.winner.strategy.id
    assert found["x"] == sorted(set(found["x"]))
    assert all(len(cells) == len(found["x"]) for cells in found["rows"])


def test_areas_tile_the_map(made: Made) -> None:
    found = decision_map(made.advice)
    assert found is not None
    laid = lay_out_map(found)
    for top in {area.y for area in laid.areas}:
        row = sorted((area.x, area.width) for area in laid.areas if area.y == top)
        for (x, width), (following, _) in pairwise(row):
            assert abs(x + width - following) < 1e-6
    verdicts = {strategy for row in found["rows"] for strategy in row if strategy}
    assert {area.name for area in laid.areas if area.name} | set(laid.unnamed) == verdicts
