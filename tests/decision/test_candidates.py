import pytest

from advisor.decision.candidates import candidates_of
from advisor.decision.facts import project_facts
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.vocabulary import Value
from advisor.machine import Machine

MACHINE = Machine(cores=8, memory_bytes=None, units="unknown", gpu=False)
WRITING: dict[str, Value] = {"task.type": "generation", "data.labelled": 50}


def vetoes(answers: dict[str, Value]) -> list[tuple[str, set[str]]]:
    base = load_rulebase()
    found = candidates_of("few-shot", project_facts(WRITING | answers, base), base, MACHINE)
    return [(candidate.engine, {veto.requirement for veto in candidate.vetoes}) for candidate in found]


@pytest.mark.parametrize("model", ["auto", "google/flan-t5-base", "elsewhere/other"])
def test_a_generator_that_could_be_tuned_is_prompted_only_where_weights_are_at_hand(model: str) -> None:
    without = vetoes({"model.base": model, "model.llm": "none", "constraints.model_access": "api-only"})
    assert without == [("llm-local", {"weights"})]
    assert vetoes({"model.base": model, "model.llm": "none"}) == [("llm-local", set())]


@pytest.mark.parametrize("name", [None, "Qwen/Qwen3-1.7B", "our own"])
def test_the_projects_own_language_model_takes_no_weights(name: str | None) -> None:
    named = {"model.llm": "local", "model.llm_name": name, "constraints.model_access": "api-only"}
    assert vetoes(named) == [("llm-local", set())]
