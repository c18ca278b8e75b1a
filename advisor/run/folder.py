"""A run folder: what a run leaves behind, what it needs to go on after a crash, and one run at a time in it."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from advisor.errors import InputError, RunError
from advisor.files import locked, write_json, write_text, write_with
from advisor.plan.plan import Plan, read_plan

_WORK = "work"
_LONGEST_NAME = 60


class RunFolder:
    """Paths in a run folder, its finished stages and its log of events.

    ``work/`` holds one JSON file a finished stage and is removed at the end, as ``last/`` and ``best/`` are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / "model"
        self.result = path / "result.json"
        self.events = path / "events.jsonl"
        self.predictions = path / "predictions.jsonl"
        self.journal = path / "answers.jsonl"
        self.work = path / _WORK

    @contextmanager
    def opened(self, plan: Plan) -> Iterator[Plan]:
        """Hold the folder for one run of one plan, and yield that plan with the forecast that the run began with.

        Raises:
            RunError: it belongs to another plan, or another process runs in it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with _exclusive(self.path):
            frozen = self.path / "plan.yaml"
            if frozen.exists():
                plan = self._same(plan, frozen)
            elif any(child.name != ".lock" for child in self.path.iterdir()):
                raise RunError(f"{self.path} is not empty and holds no run; name another folder with -o")
            else:
                write_text(frozen, plan.as_yaml())
            self._mend_events()
            yield plan

    def _same(self, plan: Plan, frozen: Path) -> Plan:
        try:
            begun = read_plan(frozen)
        except InputError:
            begun = None
        if begun is None or begun.identity() != plan.identity():
            raise RunError(f"{self.path} holds a run of another plan; name another folder with -o or remove it")
        return begun

    def finished(self, stage: str) -> dict[str, Any] | None:
        """Return what a finished stage left, or None."""
        try:
            product: dict[str, Any] = json.loads((self.work / f"{stage}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return product

    def finish(self, stage: str, product: dict[str, Any]) -> dict[str, Any]:
        """Record a stage as finished."""
        write_json(self.work / f"{stage}.json", product)
        return product

    def keep_array(self, name: str, array: np.ndarray) -> None:
        """Keep numbers that a later stage needs."""
        write_with(self.work / f"{name}.npy", lambda path: _save_array(path, array))

    def array(self, name: str) -> np.ndarray | None:
        """Return numbers that an earlier stage kept, or None."""
        path = self.work / f"{name}.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None

    def keep_texts(self, name: str, texts: list[str]) -> None:
        """Keep texts that a later stage needs."""
        write_json(self.work / f"{name}-texts.json", texts)

    def texts(self, name: str) -> list[str]:
        """Return texts that an earlier stage kept, none where it kept none."""
        path = self.work / f"{name}-texts.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    def checkpoints(self, name: str) -> Path:
        """Return the folder for the checkpoints of one fit; the final one's are the run's ``last/`` and ``best/``."""
        return self.path if name == "final" else self.work / name

    def log(self, event: str, **facts: Any) -> None:
        """Append an event; a line torn by a crash is mended by the next run."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts}, ensure_ascii=False)
        with self.events.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def logged(self) -> list[dict[str, Any]]:
        """Return all events so far."""
        try:
            lines = self.events.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line]

    def tidy(self) -> None:
        """Remove what only an unfinished run needs."""
        for name in ("last", "best", _WORK):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _mend_events(self) -> None:
        if self.events.exists():
            content = self.events.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                write_text(self.events, whole.decode("utf-8"))


def default_folder(plan: Plan, root: Path) -> Path:
    """Return ``root/project-hash``: the same plan gives the same folder, so that the same command resumes."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in plan.project[:_LONGEST_NAME])
    return root / f"{name or 'project'}-{plan.identity()[:4]}"


def _save_array(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / ".lock", wait=False))
        except BlockingIOError:
            raise RunError(f"another process is running in {folder}; wait for it or stop it") from None
        yield
