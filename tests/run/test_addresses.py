"""Servers that a plan or run of somebody else names: no key and no text is sent there unless a person says so."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from advisor.api import open_plan, run_plan
from advisor.cache import cache_folder
from advisor.cli import main
from advisor.errors import InputError
from advisor.plan.addresses import check_servers, remember
from advisor.plan.plan import PlannedPrompting
from advisor.run.predict import argument_rows, open_model, predict_rows
from tests.run.test_prompted import FEW, KEY, planned, served
from tests.scripted_server import Server, serving

__all__ = ["planned"]


def terms(url: str | None, key_variable: str | None = None) -> PlannedPrompting:
    return PlannedPrompting(encoder="e", url=url, key_variable=key_variable, template="t")


def host(server: Server) -> str:
    return server.url.removeprefix("http://").removesuffix("/v1")


def test_what_was_made_elsewhere_asks_for_agreement() -> None:
    far = [None, terms(None), terms("https://api.example.com/v1", "EXAMPLE_KEY")]
    said = "not made here.*https://api.example.com/v1 with the key in EXAMPLE_KEY.*--allow-host api.example.com"
    with pytest.raises(InputError, match=said):
        check_servers("a plan", b"a plan", far, ["example.com"])
    check_servers("a plan", b"a plan", far, ["api.example.com"])
    remember(b"a plan")
    check_servers("a plan", b"a plan", far, [])
    with pytest.raises(InputError):
        check_servers("a plan", b"another", far, [])


@pytest.mark.parametrize("url", ["http://localhost:8000/v1", "http://127.0.0.1/v1"])
def test_a_server_on_this_machine_needs_agreement_for_a_key_alone(url: str) -> None:
    check_servers("a plan", b"a plan", [terms(url)], [])
    with pytest.raises(InputError, match="--allow-host"):
        check_servers("a plan", b"a plan", [terms(url, "A_KEY")], [])
    with pytest.raises(InputError, match=r"--allow-host localhost\.example\.com"):
        check_servers("a plan", b"a plan", [terms("http://localhost.example.com/v1")], [])


def test_a_strangers_plan_and_run_send_nothing_unasked(
    planned: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_TEST_KEY", KEY)
    with serving("vllm") as server:
        _, folder = planned("zero-shot", served(server), hyperparameters=FEW)
        shutil.rmtree(cache_folder("made-here"))  # as if both had been made elsewhere
        with pytest.raises(InputError, match=f"--allow-host {host(server)}"):
            run_plan(folder, tmp_path / "run")
        assert not server.heads
        run_plan(folder, tmp_path / "run", allowed_hosts=[host(server)])
        asked = len(server.heads)
        model = open_model(tmp_path / "run")  # a run that was made here
        assert next(predict_rows(model, argument_rows(model, ["thank you"])))["label"]
        assert len(server.heads) > asked
        shutil.rmtree(cache_folder("made-here"))
        asked = len(server.heads)
        refused = CliRunner().invoke(main, ["predict", str(tmp_path / "run"), "thank you"])
        assert refused.exit_code == 2
        assert f"--allow-host {host(server)}" in refused.output
        assert len(server.heads) == asked
        done = CliRunner().invoke(main, ["predict", str(tmp_path / "run"), "thank you", "--allow-host", host(server)])
        assert done.exit_code == 0


def test_a_plan_made_here_may_be_edited_but_not_sent_elsewhere(planned: Any, tmp_path: Path) -> None:
    with serving("vllm") as server:
        _, folder = planned("zero-shot", served(server, **{"model.llm_key_variable": "ADVISOR_TEST_KEY"}))
        plan, _, _ = open_plan(folder)
        worded = plan.model_copy(update={"seed": 5})
        check_servers("the plan", worded.sending, worded.prompts, [])
        elsewhere = plan.prompting.model_copy(update={"url": "http://example.com/v1"})
        moved = plan.model_copy(update={"prompting": elsewhere})
        with pytest.raises(InputError, match=r"--allow-host example\.com"):
            run_plan(moved, tmp_path / "run", plan_folder=folder)
        other = plan.prompting.model_copy(update={"key_variable": "AWS_SECRET_ACCESS_KEY"})
        greedy = plan.model_copy(update={"prompting": other})
        with pytest.raises(InputError, match="with the key in AWS_SECRET_ACCESS_KEY"):
            run_plan(greedy, tmp_path / "run", plan_folder=folder)
        assert not server.heads
