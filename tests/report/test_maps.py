import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from advisor.assets import asset
from advisor.cli import main
from advisor.decision.decide import decide_answers
from advisor.decision.facts import with_answer
from advisor.errors import InputError, NoFeasibleStrategy
from advisor.report.axes import axis_input
from advisor.report.decision_map import decision_map
from advisor.report.documents import map_document
from advisor.report.map_text import map_text
from tests.report.samples import HOSTILE, Made

STARTUP = str(asset("profiles", "startup-sentiment", "profile.yaml"))


@pytest.fixture
def invoke() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("labels", "data.labelled"),
        ("memory", "compute.memory_gb"),
        ("latency", "serving.latency_ms_p95"),
        ("hours", "compute.hours"),
        ("requests", "serving.requests_per_month"),
        ("classes", "data.classes"),
        ("serving.device", "serving.device"),
        ("facts", "lifecycle.facts_change"),
    ],
)
def test_an_axis_is_named_shortly(short: str, full: str) -> None:
    assert axis_input(short) == full


@pytest.mark.parametrize(
    ("short", "message"),
    [("device", "may mean compute.device or serving.device"), ("latencyy", "there is no input"), ("", "there is no")],
)
def test_an_axis_that_is_not_clear_is_refused(short: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        axis_input(short)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("labels", "hours"),
        ("labels", None),
        ("latency", "facts"),
        ("kind", "classes"),
        ("keep", "air"),
        ("memory", "devices"),
    ],
)
def test_every_point_of_a_map_is_decided_as_such(made: Made, x: str, y: str | None) -> None:
    found = decision_map(made.advice, x, y)
    assert found is not None
    decision = made.advice.decision
    for number, row in enumerate(found["rows"][::4]):
        for column in range(0, len(row), 5):
            answers = dict(decision.answers)
            if y:
                answers = with_answer(answers, found["y_input"], found["y"][4 * number])
            answers = with_answer(answers, found["x_input"], found["x"][column])
            try:
                strategy = decide_answers(answers, decision.base, decision.machine).winner.strategy.id
            except NoFeasibleStrategy:
                strategy = None
            assert row[column] == strategy
    column, number = found["here"]
    if column is not None and number is not None:
        assert found["rows"][number][column] == made.advice.winner.strategy.id
        assert found["x"][column] == decision.facts.values[found["x_input"]]


@pytest.mark.parametrize(("x", "y"), [("labels", "hours"), ("kind", "latency"), ("facts", "labels"), ("memory", None)])
def test_a_map_in_characters_fits_and_explains_itself(made: Made, x: str, y: str | None) -> None:
    found = decision_map(made.advice, x, y)
    assert found is not None
    lines = map_text(found).plain.splitlines()
    assert max(map(len, lines)) <= 100
    verdicts = {strategy for row in found["rows"] for strategy in row if strategy}
    assert verdicts == {line.split()[1] for line in lines if line[:5].strip().isupper() and len(line.split()) == 2}
    assert any(found["x_input"] in line for line in lines)
    assert sum("●" in line for line in lines) == (2 if None not in found["here"] else 0)


@pytest.mark.parametrize(("x", "y"), [("labels", "hours"), ("kind", "latency"), ("memory", None)])
def test_the_image_stands_alone_and_draws_inside(made: Made, x: str, y: str | None) -> None:
    found = decision_map(made.advice, x, y)
    assert found is not None
    text = map_document(found, HOSTILE[0])
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for shape in root.iter(f"{space}rect"):
        right = float(shape.attrib["x"]) + float(shape.attrib["width"])
        below = float(shape.attrib["y"]) + float(shape.attrib["height"])
        assert right <= width + 0.2
        assert below <= height + 0.2
    assert not list(root.iter(f"{space}script"))
    assert root.find(f"{space}title") is not None
    assert made.advice.winner.strategy.id in str(root.findtext(f"{space}desc"))
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_maps_from_the_command_line(invoke: Callable[..., Result], tmp_path: Path) -> None:
    image = tmp_path / "map.svg"
    shown = invoke("explain", STARTUP, "--map", "labels,hours", "--map-svg", image)
    assert shown.exit_code == 0, shown.output
    assert "●  this project (few-shot)" in shown.output
    assert "<svg" in image.read_text(encoding="utf-8")
    found = json.loads(invoke("recommend", STARTUP, "--map", "labels", "--json").stdout)["map"]
    assert found["x_input"] == "data.labelled"
    assert found["y"] is None
    refused = invoke("recommend", STARTUP, "--map", "labels,hours,memory")
    assert refused.exit_code == 2
    assert "two axes at most" in refused.output


def test_why_not_and_next_labels_are_data_too(invoke: Callable[..., Result]) -> None:
    found = json.loads(invoke("explain", STARTUP, "--why-not", "linear-probe", "--json").stdout)
    assert found["why_not"]["strategy"] == "linear-probe"
    assert {"status", "because", "answers", "change"} <= found["why_not"].keys()
    assert found["next_labels"]["advised"]["gain"].keys() == {"low", "point", "high"}
    same = json.loads(invoke("explain", STARTUP, "--why-not", found["verdict"]["strategy"], "--json").stdout)
    assert same["why_not"]["status"] == "advised"
