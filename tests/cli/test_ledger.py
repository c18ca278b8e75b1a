import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from advisor.ledger.book import Book
from tests.ledger.samples import entry, measured

Invoke = Callable[..., Result]


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.setenv("ADVISOR_LEDGER", str(tmp_path / "ledger.jsonl"))
    return Book(tmp_path / "ledger.jsonl")


def test_an_empty_ledger_says_what_fills_it(invoke: Invoke, book: Book) -> None:
    shown = invoke("ledger")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("0 runs in ")
    assert "ADVISOR_LEDGER=off" in shown.stdout
    assert json.loads(invoke("ledger", "--json").stdout)["entries"] == []


def test_errors_and_entries_are_shown_within_the_screen(invoke: Invoke, book: Book) -> None:
    for found in measured([5.0, 8.0, 10.0, 12.5, 40.0], strategy="partial-unfreezing", project="a rather long name"):
        book.append(found)
    book.append(entry(9, kind="plan", measured={}, quality={}))
    lines = invoke("ledger").stdout.splitlines()
    assert lines[0].startswith("5 runs, 1 plan not run, since 2026-11-01 in ")
    assert max(map(len, lines)) <= 100
    seconds = next(line for line in lines if "Training time" in line)
    assert seconds.split()[2:] == ["5", "25", "%", "90", "%", "1", "80", "%"]
    assert sum(line.startswith("  run") for line in lines) == 6
    assert "once there are 12 of a kind" in "\n".join(lines)
    assert sum(line.startswith("  run") for line in invoke("ledger", "--last", "2").stdout.splitlines()) == 2


def test_json_holds_everything(invoke: Invoke, book: Book) -> None:
    for found in measured([10.0] * 11):
        book.append(found)
    with book.path.open("a", encoding="utf-8") as file:
        file.write("torn")
    found = json.loads(invoke("ledger", "--json").stdout)
    assert (found["schema"], found["path"], found["runs"], found["damaged"]) == (1, str(book.path), 11, 1)
    assert {row["quantity"]: row["coverage"] for row in found["accuracy"]}["train_seconds"] == 1.0
    assert [row["id"] for row in found["entries"]] == [entry(number).id for number in range(11)]
    assert found["adjusted"] == []


def test_entries_are_forgotten_by_id_with_their_plans(invoke: Invoke, book: Book) -> None:
    book.append(entry(1, id="planned", kind="plan", measured={}))
    for number in (1, 2):
        book.append(entry(number))
    assert invoke("ledger", "forget", entry(1).id).stdout.startswith("2 entries removed")
    assert [found.id for found in book.read().entries] == [entry(2).id]


def test_all_is_forgotten_on_purpose_only(invoke: Invoke, book: Book) -> None:
    book.append(entry(1))
    assert invoke("ledger", "forget").exit_code == 2
    refused = invoke("ledger", "forget", "--all")
    assert (refused.exit_code, "say --yes" in refused.stderr) == (2, True)
    assert json.loads(invoke("ledger", "forget", "--all", "--yes", "--json").stdout)["removed"] == [entry(1).id]
    assert book.read().entries == ()


@pytest.mark.parametrize(
    ("name", "message"), [("run00000", "begins those of"), ("zzzz", "no single"), ("r", "no single")]
)
def test_an_id_that_names_no_single_entry_is_said(invoke: Invoke, book: Book, name: str, message: str) -> None:
    for number in (1, 2):
        book.append(entry(number))
    found = invoke("ledger", "forget", name)
    assert found.exit_code == 2
    assert message in found.stderr
    assert len(book.read().entries) == 2


def test_pruning_keeps_the_latest_and_drops_what_is_damaged(invoke: Invoke, book: Book) -> None:
    for number in range(4):
        book.append(entry(number, time=f"20{20 + number}-01-01T00:00:00Z"))
    book.append(entry(4, time="2999-01-01T00:00:00Z"))
    with book.path.open("a", encoding="utf-8") as file:
        file.write("torn\n")
    assert invoke("ledger", "prune").stdout.startswith("0 entries removed")
    assert book.read().damaged == 0
    invoke("ledger", "prune", "--keep", "3")
    assert [found.id for found in book.read().entries] == [entry(number).id for number in (2, 3, 4)]
    invoke("ledger", "prune", "--older-than", "30")
    assert [found.id for found in book.read().entries] == [entry(4).id]
    invoke("ledger", "prune", "--keep", "0")
    assert book.read().entries == ()


def test_a_ledger_that_is_off_is_said_so(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_LEDGER", "off")
    assert "is off" in invoke("ledger").stdout
    assert json.loads(invoke("ledger", "--json").stdout) == {"schema": 1, "path": None}
    assert invoke("ledger", "prune").exit_code == 2
