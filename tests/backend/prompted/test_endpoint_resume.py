import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from advisor.backend.prompted.endpoint import Endpoint
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.prompted.settings import EndpointSettings
from advisor.knowledge.hyperparameters import default_values
from tests.scripted_server import Server, serving

ROWS = 60
CHOICES = ["praise", "complaint"]
PROMPTS = [Prompt("Say praise or complaint.", (), f"{'thank' if row % 3 else 'no'} {row}") for row in range(ROWS)]
_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.backend.prompted.test_endpoint_resume import ask
ask({url!r}, Path({journal!r}), {concurrency})
"""


def ask(url: str, journal: Path, concurrency: int) -> list[int]:
    settings = EndpointSettings.model_validate(default_values("endpoint") | {"concurrency": concurrency})
    model = Endpoint(LanguageModelPlace("llm-api", "tiny", url=url, journal=journal), settings)
    return [int(one) for one in model.score(PROMPTS, CHOICES).argmax(axis=1)]


def start(server: Server, journal: Path, concurrency: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[3])
    code = _RUN.format(root=root, url=server.url, journal=str(journal), concurrency=concurrency)
    # A shell's background jobs, and all that they start, would ignore an interrupt.
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([sys.executable, "-c", code], cwd=root, stderr=subprocess.PIPE, preexec_fn=heeding)


def wait_for(journal: Path, answers: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b'"answer"') < answers:
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def right() -> list[int]:
    return [0 if row % 3 else 1 for row in range(ROWS)]


def test_what_was_answered_is_never_asked_again(tmp_path: Path) -> None:
    with serving("vllm") as server:
        for _ in range(3):
            assert ask(server.url, tmp_path / "answers.jsonl", 8) == right()
        assert len(server.asked()) == ROWS
        assert server.repeated() == 0


@pytest.mark.slow
@pytest.mark.parametrize("answers", [1, 13, 40])
def test_a_killed_run_repeats_no_request_whose_answer_had_come(answers: int, tmp_path: Path) -> None:
    journal = tmp_path / "answers.jsonl"
    with serving("vllm", delay=0.03) as server:
        process = start(server, journal, 1)
        wait_for(journal, answers, process)
        process.kill()
        process.communicate()
        time.sleep(0.1)
        kept = journal.read_bytes().count(b'"answer"')
        under_way = len(server.bodies) - kept
        assert under_way <= 1
        assert ask(server.url, journal, 8) == right()
        assert server.repeated() == under_way


@pytest.mark.slow
def test_an_interrupted_run_waits_for_its_answers_and_repeats_none(tmp_path: Path) -> None:
    journal = tmp_path / "answers.jsonl"
    with serving("vllm", delay=0.05) as server:
        process = start(server, journal, 8)
        wait_for(journal, 12, process)
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=30)[1]
        asked = len(server.asked())
        assert asked < ROWS
        assert journal.read_bytes().count(b'"answer"') == len(server.bodies)
        assert ask(server.url, journal, 8) == right()
        assert server.repeated() == 0
        assert len(server.asked()) == ROWS


def test_a_journal_holds_no_prompt(tmp_path: Path) -> None:
    journal = tmp_path / "answers.jsonl"
    with serving("vllm") as server:
        ask(server.url, journal, 8)
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= ROWS
    assert "thank" not in journal.read_text(encoding="utf-8")
