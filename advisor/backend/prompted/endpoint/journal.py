"""A journal of answers, one JSON line each: what was answered once is never asked again."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from advisor.backend.prompted.endpoint.answer import Answer, kept_answer
from advisor.errors import RunError


def request_hash(base: str, body: dict[str, Any]) -> str:
    """Return the SHA-256 of a request: where it goes, which model, and all that is asked."""
    text = json.dumps([base, body], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """Answers by the hash of their request, kept in a file where one is named.

    A line holds no prompt, only its hash. Every line is written as its answer comes; a process that is killed leaves
    at most a torn last line, which is passed over.

    Attributes:
        tokens_in, tokens_out: of all that the file tells of, answers or not.

    Args:
        path: the file; None keeps the answers in memory alone.
        hide: takes secrets out of a text.

    Raises:
        RunError: the file cannot be read or written.
    """

    def __init__(self, path: Path | None, hide: Callable[[str], str]) -> None:
        self.path, self._hide = path, hide
        self._answers: dict[str, Answer] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self.tokens_in = self.tokens_out = 0
        if path is not None and path.exists():
            self._read(path)

    def __len__(self) -> int:
        return len(self._answers)

    def answer(self, request: str) -> Answer | None:
        """Return the answer to a request, by its hash."""
        return self._answers.get(request)

    def facts(self, about: str) -> dict[str, Any] | None:
        """Return what was found out about a server, by its hash."""
        return self._facts.get(about)

    def add(self, request: str, answer: Answer) -> None:
        """Keep an answer."""
        self._append({"request": request, "answer": answer.as_json()})
        self._take(request, answer)

    def add_facts(self, about: str, facts: dict[str, Any]) -> None:
        """Keep what was found out about a server."""
        self._append({"about": about, "facts": facts})
        self._facts[about] = facts

    def add_lost(self, tokens_in: int, tokens_out: int) -> None:
        """Keep that an answer that never came, or cannot be used, may have been paid for."""
        self._append({"lost": [tokens_in, tokens_out]})
        self._count(tokens_in, tokens_out)

    def _take(self, request: str, answer: Answer) -> None:
        self._answers[request] = answer
        self._count(answer.tokens_in, answer.tokens_out)

    def _count(self, tokens_in: int, tokens_out: int) -> None:
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise RunError(
                f"{path} cannot be read ({error.strerror}); it holds the answers that are paid for"
            ) from None
        for line in lines:
            try:
                found = json.loads(line)
                if "answer" in found:
                    self._take(str(found["request"]), kept_answer(found["answer"]))
                elif "facts" in found:
                    self._facts[str(found["about"])] = dict(found["facts"])
                elif "lost" in found:
                    self._count(*map(int, found["lost"]))
            except (ValueError, LookupError, TypeError, AttributeError):
                continue  # torn by a crash: that request is asked again

    def _append(self, entry: dict[str, Any]) -> None:
        if self.path is None:
            return
        line = self._hide(json.dumps(entry)).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                if _torn(file):
                    line = b"\n" + line
                # One write, so that what a killed process leaves is whole lines and at most one torn one.
                file.write(line)
        except OSError as error:
            raise RunError(f"{self.path} cannot be written ({error.strerror}); make room and start again") from None


def _torn(file: BinaryIO) -> bool:
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
