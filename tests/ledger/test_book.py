import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from advisor.errors import AdvisorError
from advisor.ledger.book import Book, latest_entries, open_book
from tests.ledger.samples import entry


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "deep" / "ledger.jsonl")


def test_what_is_appended_is_read_oldest_first(book: Book) -> None:
    assert book.read().entries == ()
    for number in (2, 1):
        book.append(entry(number))
    assert [found.id for found in book.read().entries] == [entry(2).id, entry(1).id]
    assert book.read().entries[0] == entry(2)
    assert [found.id for found in book.read(latest=1).entries] == [entry(1).id]


def test_an_entry_is_written_once(book: Book) -> None:
    book.append(entry(1))
    book.append(entry(1))
    assert len(book.path.read_text(encoding="utf-8").splitlines()) == 1


def test_a_plan_gives_way_to_its_run(book: Book) -> None:
    book.append(entry(1, id="planned", kind="plan", measured={}))
    book.append(entry(2, id="other plan", kind="plan", measured={}))
    book.append(entry(1))
    assert [found.id for found in book.read().entries] == ["other plan", entry(1).id]


def test_a_torn_line_costs_itself_alone(book: Book) -> None:
    book.append(entry(1))
    with book.path.open("a", encoding="utf-8") as file:
        file.write('{"schema": 1, "id": "to')
    book.append(entry(2))
    found = book.read()
    assert [one.id for one in found.entries] == [entry(1).id, entry(2).id]
    assert found.damaged == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"measured": {"train_seconds": math.nan}},
        {"quality": {"accuracy": math.inf}},
        {"forecast": {"train_seconds": {"low": 1.0, "point": math.inf, "high": math.inf}}},
        {"forecast": {"train_seconds": {"low": 1.0, "high": 2.0}}},
        {"time": "yesterday"},
        {"time": "2026-11-01T10:00:00"},
    ],
)
def test_what_no_run_writes_is_damaged(book: Book, damage: dict[str, Any]) -> None:
    book.append(entry(1))
    with book.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry(2).as_dict() | damage) + "\n")
    assert (book.read().entries, book.read().damaged) == ((entry(1),), 1)


def test_a_name_may_hold_what_ends_a_line_elsewhere(book: Book) -> None:
    named = entry(1, project="a\u2028b\x85c")
    book.append(named)
    assert book.read().entries == (named,)
    assert book.remove(lambda found: False) == []
    assert book.read().entries == (named,)


def test_lines_of_a_newer_advisor_are_passed_over_and_kept(book: Book) -> None:
    book.append(entry(1))
    with book.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"schema": 2, "id": "future"}) + "\nnonsense\n")
    assert (book.read().newer, book.read().damaged) == (1, 1)
    assert book.remove(lambda found: True) == [entry(1)]
    assert (book.read().newer, book.read().damaged, book.read().entries) == (1, 0, ())


def test_processes_that_append_at_once_lose_nothing(book: Book) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom advisor.ledger.book import Book\n"
        "from tests.ledger.samples import entry\n"
        "for number in range(15):\n    Book(Path(sys.argv[1])).append(entry(int(sys.argv[2]) * 100 + number))"
    )
    root = Path(__file__).parents[2]
    commands = [[sys.executable, "-c", code, str(book.path), str(worker)] for worker in range(2)]
    processes = [subprocess.Popen(command, cwd=root) for command in commands]
    assert [process.wait() for process in processes] == [0, 0]
    found = book.read()
    assert len(found.entries) == 30
    assert not found.damaged


def test_the_environment_names_the_file_or_switches_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    found = open_book()
    assert found and found.path == tmp_path / "adaptation-advisor" / "ledger.jsonl"
    monkeypatch.setenv("ADVISOR_LEDGER", str(tmp_path / "mine.jsonl"))
    found = open_book()
    assert found and found.path == tmp_path / "mine.jsonl"
    monkeypatch.setenv("ADVISOR_LEDGER", "OFF")
    assert open_book() is None
    assert latest_entries() == ()


def test_a_ledger_that_cannot_be_read_is_said_so_and_stops_no_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_LEDGER", str(tmp_path))
    with pytest.raises(AdvisorError, match="cannot be read"):
        Book(tmp_path).read()
    assert latest_entries() == ()
