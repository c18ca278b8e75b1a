import json
import math
from pathlib import Path
from typing import Any

import pytest

from advisor.benchmark.policies import Choice, choice_line, read_choices
from advisor.benchmark.results import append_line, done, read_results
from advisor.errors import InputError
from advisor.knowledge.interval import Interval
from tests.benchmark.samples import line, measured


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    assert read_results(path) == []
    append_line(path, line("linear-probe", 0.7))
    append_line(path, line("zero-shot", 0.5, size="0"))
    found = read_results(path)
    assert [(one.strategy, one.value, one.situation.labelled) for one in found] == [
        ("linear-probe", 0.7, 24), ("zero-shot", 0.5, 0),
    ]  # fmt: skip
    assert done(path) == {("a", "linear-probe", "8", 0), ("a", "zero-shot", "0", 0)}


def test_a_torn_last_line_is_passed_over_and_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    append_line(path, line("linear-probe", 0.7))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"data": "a", "strat')
    assert len(read_results(path)) == 1
    append_line(path, line("zero-shot", 0.5, size="0"))
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert len(read_results(path)) == 2


@pytest.mark.parametrize(
    "broken",
    [
        "{", "[1]", json.dumps({"data": "a"}), json.dumps(line("x", 1) | {"task": "no"}),
        json.dumps(line("x", math.nan)), json.dumps(line("x", 1) | {"labelled": "many"}),
        json.dumps(line("x", 1) | {"classes": 0}),
    ],
)  # fmt: skip
def test_a_broken_line_is_named(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "results.jsonl"
    append_line(path, line("linear-probe", 0.7))
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{broken}\n")
    with pytest.raises(InputError, match=r"results\.jsonl:2: not a measurement"):
        read_results(path)


def test_a_line_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    append_line(path, line("linear-probe", 0.7))
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n")
    for read in (read_results, done):
        with pytest.raises(InputError, match=r"results\.jsonl:2: not a measurement"):
            read(path)


@pytest.mark.parametrize("broken", [{}, {"predicted": {"lora": {"low": 0.1}}}, {"spent_processor_seconds": "long"}])
def test_a_broken_choice_is_named(tmp_path: Path, broken: dict[str, Any]) -> None:
    path, [found] = tmp_path / "choices.jsonl", measured(line("lora", 0.5))
    good = choice_line("pilot", found.situation, Choice("lora", 2.0, {"lora": Interval(0.4, 0.5, 0.6)}))
    append_line(path, good)
    assert read_choices(path) == [good]
    append_line(path, good | broken if broken else broken)
    with pytest.raises(InputError, match=r"choices\.jsonl:2: not a measurement"):
        read_choices(path)
