import json
import os
from pathlib import Path

import pytest

from advisor.backend.prompted.endpoint.answer import Answer, Likely, Step
from advisor.backend.prompted.endpoint.journal import Journal, request_hash
from advisor.backend.prompted.secrecy import Key
from advisor.errors import RunError

ANSWER = Answer(
    "good", True, (Step(Likely(b"good", -0.25), (Likely(b"good", -0.25), Likely(b"bad", -1.5))),), 10, 1, True
)


def shown(text: str) -> str:
    return text


def test_the_hash_is_of_address_model_and_request() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 1}
    same = {"max_tokens": 1, "messages": [{"content": "a", "role": "user"}], "model": "m"}
    assert request_hash("u", body) == request_hash("u", same)
    others = [("v", body), ("u", body | {"model": "n"}), ("u", body | {"max_tokens": 2})]
    assert len({request_hash("u", body), *(request_hash(*other) for other in others)}) == 4
    assert len(request_hash("u", {"text": "\ud800 lone"})) == 64


def test_what_was_added_is_there_when_opened_again(tmp_path: Path) -> None:
    first = Journal(tmp_path / "deep" / "answers.jsonl", shown)
    first.add("r", ANSWER)
    first.add_facts("s", {"likeliest": 5})
    first.add_lost(100, 20)
    second = Journal(tmp_path / "deep" / "answers.jsonl", shown)
    assert second.answer("r") == ANSWER
    assert second.facts("s") == {"likeliest": 5}
    assert (second.tokens_in, second.tokens_out) == (110, 21)
    assert (first.tokens_in, first.tokens_out) == (110, 21)
    assert len(second) == 1


def test_without_a_file_answers_are_kept_in_memory() -> None:
    journal = Journal(None, shown)
    journal.add("r", ANSWER)
    assert journal.answer("r") == ANSWER


def test_a_file_torn_anywhere_keeps_all_other_answers_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    whole = Journal(path, shown)
    whole.add("first", ANSWER)
    kept = path.stat().st_size
    whole.add("second", ANSWER)
    content = path.read_bytes()
    for size in range(kept, len(content)):
        path.write_bytes(content[:size])
        torn = Journal(path, shown)
        assert torn.answer("first") == ANSWER
        # Without the end of its line it is a whole answer already.
        assert (torn.answer("second") is None) == (size < len(content) - 1)
        torn.add("third", ANSWER)
        again = Journal(path, shown)
        assert again.answer("first") == again.answer("third") == ANSWER


@pytest.mark.parametrize(
    "line",
    [
        "", "3", "null", "[1]", "{", '{"request": "x"}', '{"answer": 3, "request": "x"}', '{"lost": 3}',
        '{"lost": [1]}',
        '{"request": "x", "answer": {"text": "a"}}', '{"facts": 3, "about": "x"}', "\x00\x00", '{"lost": ["a", 1]}',
        '{"request": "x", "answer": {"text": "a", "whole": true, "in": 1, "out": 1, "steps": [[1]]}}',
    ],
)  # fmt: skip
def test_lines_that_are_no_entries_are_passed_over(line: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{line}\n", encoding="utf-8")
    journal = Journal(path, shown)
    assert len(journal) == journal.tokens_in == journal.tokens_out == 0


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"\xff\xfe\x80\n")
    assert len(Journal(path, shown)) == 0


def test_a_key_that_a_server_repeats_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    journal = Journal(path, Key("planted-secret", "SOME_KEY").hide)
    journal.add("r", ANSWER._replace(text="it is planted-secret or sk-abcdef0123456789"))
    assert b"planted" not in path.read_bytes()
    assert b"abcdef0123456789" not in path.read_bytes()
    json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot be written"):
        Journal(tmp_path / "answers.jsonl", shown).add("r", ANSWER)
    tmp_path.chmod(0o700)


def test_a_file_that_is_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        Journal(tmp_path, shown)
