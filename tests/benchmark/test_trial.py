import json
from pathlib import Path

import pytest

from advisor.benchmark.trial import Limits, Trial, measure
from advisor.data.reading import DataSource, load_labelled
from tests.tiny import write_tiny_encoder

LIMITS = Limits(rows=100, test_rows=5, threads=1)


def test_a_trial_measures_quality_and_cost(messages: Path, tmp_path: Path) -> None:
    data = load_labelled(DataSource(messages))
    encoder = write_tiny_encoder(tmp_path / "tiny")
    found = measure(Trial("linear-probe", "2", 0), data, encoder, "cpu", LIMITS)
    assert found is not None
    assert (found["classes"], found["labelled"], found["rarest"], found["test_rows"]) == (3, 6, 2, 5)
    assert 0 <= found["accuracy"] <= 1
    assert found["fit_processor_seconds"] >= 0
    again = measure(Trial("linear-probe", "2", 0), data, encoder, "cpu", LIMITS)
    assert again is not None
    assert again["accuracy"] == found["accuracy"]


def test_a_strategy_without_labels_reads_the_texts_of_a_draw(messages: Path, tmp_path: Path) -> None:
    data = load_labelled(DataSource(messages))
    encoder = write_tiny_encoder(tmp_path / "tiny")
    found = [measure(Trial("zero-shot", size, 0), data, encoder, "cpu", LIMITS) for size in ("0", "2")]
    assert [row and (row["labelled"], row["classes"]) for row in found] == [(0, 3), (6, 3)]


def test_a_draw_knows_the_classes_among_its_rows_and_is_judged_by_all(tmp_path: Path) -> None:
    rows = [(f"{'good' if number % 2 else 'bad'} thing {number}", str(number % 2)) for number in range(60)]
    rows[0] = ("something else", "2")
    for name, part in (("train", rows), ("test", [rows[0], *rows[1:5]])):
        lines = (json.dumps({"text": text, "label": label}) for text, label in part)
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = load_labelled(DataSource(tmp_path))
    found = measure(Trial("linear-probe", "20-rows", 0), data, write_tiny_encoder(tmp_path / "tiny"), "cpu", LIMITS)
    assert found is not None
    assert (found["classes"], found["test_rows"]) == (2, 5)
    assert found["rarest"] > 0
    assert found["accuracy"] <= 0.8


@pytest.mark.parametrize("trial", [("linear-probe", "0"), ("linear-probe", "1-rows"), ("sft", "2")])
def test_what_does_not_apply_is_not_measured(messages: Path, tmp_path: Path, trial: tuple[str, str]) -> None:
    data = load_labelled(DataSource(messages))
    assert measure(Trial(*trial, 0), data, tmp_path, "cpu", LIMITS) is None
