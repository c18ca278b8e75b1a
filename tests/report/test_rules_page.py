import re
from pathlib import Path

import pytest

from advisor.assets import asset
from advisor.cases import Expectation
from advisor.documents import parse_document
from advisor.knowledge.conditions import ConditionReader
from advisor.knowledge.rulebase import load_rulebase, read_rulebase
from advisor.knowledge.vocabulary import FACTS
from advisor.report.rules_page import in_words_of, rules_page

BASE = load_rulebase()
DOCS = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_current() -> None:
    written = DOCS.read_text(encoding="utf-8")
    assert written == rules_page(BASE), "run: python -m advisor.report.rules_page > docs/rules.md"


def test_every_entry_and_word_is_on_the_page() -> None:
    page = rules_page(BASE)
    names = {row.id for row in (*BASE.rules, *BASE.objections)} | {*BASE.thresholds, *BASE.evidence, *BASE.assumptions}
    names |= {row.id for rows in BASE.requirements.values() for row in rows} | {*FACTS, *Expectation.model_fields}
    assert not {name for name in names if f"`{name}`" not in page}
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_tables_have_cells_for_every_column() -> None:
    width = 0
    for before, line in zip(["", *rules_page(BASE).splitlines()], rules_page(BASE).splitlines(), strict=False):
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            width = cells if not before.startswith("|") else width
            assert cells == width, line


def test_the_example_layer_is_one(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8").split("# ours/decision.yaml\n")[1].split("```")[0]
    (tmp_path / "decision.yaml").write_text(text, encoding="utf-8")
    base = read_rulebase(asset("rules"), tmp_path)
    assert len(base.rules) == len(BASE.rules) - 1
    assert base.version.endswith(" 3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "always"),
        ("task.type: generation or regression", "task.type is generation or regression"),
        ("task.type: not generation", "task.type is not generation"),
        ("{llm_usable: yes, data.labelled: 0}", "llm_usable is yes and data.labelled is 0"),
        ("compute.memory_gb: at least 8", "compute.memory_gb is at least 8 GB"),
        ("serving.latency_ms_p95: below 10 and above 2", "serving.latency_ms_p95 is below 10 ms and "),
        (
            "any: [{llm_usable: yes}, {data.labelled: 0, classes: 3}]",
            "llm_usable is yes or (data.labelled is 0 and classes is 3)",
        ),
    ],
)
def test_conditions_read_as_sentences(text: str, words: str) -> None:
    document = parse_document(text, "rules.yaml")
    assert in_words_of(ConditionReader(document, {}).read(document.data, ()), BASE).startswith(words)
