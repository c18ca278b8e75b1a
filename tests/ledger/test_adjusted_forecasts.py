"""Past runs in advice: what they adjust, that it is said, and that other machines' and other users' advice stays."""

import json
from pathlib import Path

import pytest

from advisor.decision.advice import Advice, recommend
from advisor.decision.replay import Record, replay
from advisor.estimates.here import basis
from advisor.knowledge.rulebase import load_rulebase
from advisor.ledger.book import Book
from advisor.machine import Machine, this_machine
from advisor.profile import Profile
from advisor.report.explanation_text import explanation_text
from tests.ledger.samples import measured

MEMORY = 1.5e9
ANSWERS = {
    "task.type": "text-classification", "data.classes": 3, "data.labelled": 300, "data.tokens_median": 20,
    "task.languages": ["en"], "compute.device": "cpu", "serving.device": "cpu", "compute.memory_gb": MEMORY / 1e9,
}  # fmt: skip


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.setenv("ADVISOR_LEDGER", str(tmp_path / "ledger.jsonl"))
    return Book(tmp_path / "ledger.jsonl")


def advised(machine: Machine | None = None) -> Advice:
    return recommend(Profile(name="messages").with_answers(ANSWERS, "asked"), machine=machine)


def fill(book: Book, count: int = 12) -> None:
    machine = this_machine()
    for work in ("passes", "updates"):
        for found in measured([30.0] * count, machine=machine.fingerprint, basis=basis(machine), work=work):
            book.append(found.model_copy(update={"id": f"{work}{found.id}", "data": f"{work}{found.data}"}))


def test_enough_runs_adjust_every_candidate_on_the_encoder_and_are_named(book: Book) -> None:
    before = advised()
    assert before.adjusted == {}
    fill(book)
    after = advised()
    assert {name: found.runs for name, found in after.adjusted.items()} == {
        "train_seconds": 12, "train_memory_bytes": 12, "latency_ms_p50": 24, "latency_ms_p95": 24,
    }  # fmt: skip
    verdicts: set[tuple[str, str]] = set()
    pairs = zip(before.decision.candidates, after.decision.candidates, strict=True)
    for then, now in ((then, now) for then, now in pairs if then.engine == "encoder"):
        assert then.forecast and now.forecast
        assert now.forecast.train_seconds.point == pytest.approx(3 * then.forecast.train_seconds.point)
        assert now.forecast.least_train_seconds.point == pytest.approx(3 * then.forecast.least_train_seconds.point)
        assert now.forecast.latency_ms_p95.point == pytest.approx(3 * then.forecast.latency_ms_p95.point)
        assert now.forecast.quality == then.forecast.quality
        assert now.forecast.room_bytes == now.forecast.host_memory_bytes == now.forecast.train_memory_bytes
        for quantity, terms in now.forecast.terms.items():
            whole = sum(term.point for term in terms.values())
            assert whole == pytest.approx(getattr(now.forecast, quantity).point)
        least, high = now.forecast.least_room_bytes.low, now.forecast.room_bytes.high
        assert now.forecast.fits == ("fits" if high <= MEMORY else "tight" if least <= MEMORY else "too large")
        verdicts |= {(then.forecast.fits, now.forecast.fits)}
    assert ("fits", "tight") in verdicts or ("fits", "too large") in verdicts
    assert after.as_dict()["adjusted"][0]["bias"] == pytest.approx(3)


def test_too_few_runs_adjust_nothing(book: Book) -> None:
    before = advised().as_dict()["verdict"]
    fill(book, 5)
    assert advised().adjusted == {}
    assert advised().as_dict()["verdict"] == before


def test_a_machine_that_is_named_is_not_this_one(book: Book, machine: Machine) -> None:
    fill(book)
    found = advised(machine)
    assert found.adjusted == {}
    assert found.past_runs == ()


def test_past_runs_of_the_task_come_with_the_advice(book: Book) -> None:
    fill(book)
    found = advised()
    assert len(found.past_runs) == 24
    shown = found.as_dict()
    assert len(shown["past_runs"]) == 5
    assert shown["past_runs"][0]["value"] == 0.75
    text = "\n".join(explanation_text(shown))
    assert "Your past runs, most similar first\n  linear-probe on all-MiniLM-L6-v2: accuracy 0.75 with 240" in text
    assert "Forecast\n  Adjusted on this machine: training time, memory by your last 12 runs; latency by" in text


def test_a_replay_takes_what_past_runs_taught_then(book: Book) -> None:
    fill(book)
    record = Record.model_validate(json.loads(json.dumps(advised().as_dict())))
    book.path.unlink()
    again = replay(record, load_rulebase())
    assert again.same
    assert again.advice and again.advice.adjusted["train_seconds"].runs == 12
