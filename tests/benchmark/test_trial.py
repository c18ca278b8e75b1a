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


@pytest.mark.parametrize("trial", [("linear-probe", "0"), ("zero-shot", "2"), ("linear-probe", "1-rows"), ("sft", "2")])
def test_what_does_not_apply_is_not_measured(messages: Path, tmp_path: Path, trial: tuple[str, str]) -> None:
    data = load_labelled(DataSource(messages))
    assert measure(Trial(*trial, 0), data, tmp_path, "cpu", LIMITS) is None
