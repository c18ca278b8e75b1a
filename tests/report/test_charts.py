from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from advisor.report.charts import FRAME, Option, quality_cost_plot
from advisor.report.decision_map import decision_map
from advisor.report.map_layout import lay_out_map
from advisor.report.palette import PALETTE
from advisor.strategies import STRATEGIES
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
        assert 0 <= dot.x <= FRAME.width + 60
        assert 0 <= dot.y_high <= dot.y + 1e-6 <= dot.y_low + 1e-5 <= FRAME.height
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
    named = {laid.letters.get(area.name, area.name) for area in laid.areas if area.name}
    assert named == verdicts


ROWS = st.integers(1, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([*STRATEGIES, None]), min_size=width, max_size=width), min_size=1, max_size=6
    )
)


def regions(rows: list[list[str | None]]) -> list[set[tuple[int, int]]]:
    """Cells of one verdict that touch, by flooding."""
    left = {(y, x) for y, row in enumerate(rows) for x, strategy in enumerate(row) if strategy}
    found = []
    while left:
        region, reached = set(), [left.pop()]
        while reached:
            y, x = reached.pop()
            region.add((y, x))
            beside = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            same = {cell for cell in beside if rows[cell[0]][cell[1]] == rows[y][x]}
            left -= same
            reached += same
        found.append(region)
    return found


@given(ROWS)
def test_every_region_of_a_map_is_named_once(rows: list[list[str | None]]) -> None:
    found = {"x_input": "data.labelled", "x": [10 * 2**n for n in range(len(rows[0]))], "y_input": "compute.hours"}
    found |= {"y": [2.0**-n for n in range(len(rows))], "rows": rows, "here": [0, 0]}
    laid = lay_out_map(found)
    cell, height = (laid.width - 16 - laid.left) / len(rows[0]), laid.areas[0].height
    named = []
    for area in laid.areas:
        if area.name:
            assert laid.letters.get(area.name, area.name) == area.strategy
            named.append((round((area.y - laid.areas[0].y) / height), round((area.x - laid.left) / cell)))
    expected = regions(rows)
    assert len(named) == len(expected)
    assert all(sum(place in region for place in named) == 1 for region in expected)


def test_every_strategy_has_colours_of_its_own() -> None:
    assert PALETTE.keys() == STRATEGIES.keys()
    for shades in zip(*PALETTE.values(), strict=True):
        assert len(set(shades)) == len(PALETTE)
