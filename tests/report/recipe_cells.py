"""Cells of the matrix of tasks and strategies as plan folders: tiny data in any format, a plan, its recipe."""

import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.data.examples import in_order_of_tags
from advisor.data.tags import as_bio
from advisor.estimates.forecast import default_settings
from advisor.files import sha256_of, write_text
from advisor.knowledge.pretrained import pretraining_head
from advisor.knowledge.weights import locate_model
from advisor.plan.plan import Plan
from advisor.report.recipe import recipe_documents
from advisor.settings import load_settings
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS
from tests.conftest import TEXTS

NAMES = {"praise": 'it\'s "fine" 🦊', "complaint": "{{7*7}}\\", "question": "what_isThis"}
SPLITS: dict[str, dict[str, Any]] = {
    "test-file": {"kind": "test-file"},
    "held-out": {"kind": "held-out", "share": 0.3},
    "cross-validation": {"kind": "cross-validation", "folds": 3},
}
QUICK = {"min_steps": 24, "epochs": 2, "learning_rate": 1e-3}
EVALUATION = load_settings("evaluation.yaml")
FEW_STEPS = {"min_steps": 6, "epochs": 2, "batch_size": 8}
Record = dict[str, Any]
_READ = {"the text", "the other", "tokens", "question", "context", "prompt"}
_RUNNER = """
import contextlib, io, json, runpy, sys, traceback
sys.modules["advisor"] = None
for path, *flags in json.loads(sys.argv[1]):
    sys.argv = [path, *flags]
    said, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        error = str(end.code)
    except BaseException:
        error = traceback.format_exc()
    print(json.dumps({"path": path, "said": said.getvalue(), "error": error}), flush=True)
"""


@dataclass(frozen=True)
class Cell:
    """A task, a strategy, and how its plan looks.

    Attributes:
        pair: whether a regression reads two texts.
        validation: share of the training rows that choose the checkpoint.
        settings: hyper-parameters other than the default ones.
    """

    task: str
    strategy: str
    split: str = "test-file"
    format: str = "jsonl"
    pair: bool = False
    validation: float = 0.2
    weights: str = "none"
    seeds: int = 1
    settings: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return "-".join([self.task, self.strategy, self.split, self.format, *["pair"] * self.pair, *self.settings])


def make_plan(
    task: str,
    strategy: str,
    labels: dict[str, str | None],
    *,
    split: str = "test-file",
    train: dict[str, Any] | None = None,
    test: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    validation: float = 0.2,
    settings: dict[str, Any] | None = None,
    weights: str = "none",
    modifiers: dict[str, Any] | None = None,
) -> Plan:
    """Return a plan; of files that are not there where none are given."""
    file = {"path": "train.csv", "sha256": "0" * 64, "rows": 10}
    pairs = TASKS[task].reads in ("pair", "question")
    columns = {"text_column": "the text", "pair_column": "the other" if pairs else None, "label_column": "label"}
    return Plan.model_validate(
        {
            "schema": 1,
            "project": "a project",
            "advisor": "0",
            "task": task,
            "metric": TASKS[task].measures[0].key,
            "strategy": strategy,
            "family": STRATEGIES[strategy].family,
            "engine": "encoder",
            "model": {
                "discarded_head": "none in the files (BertModel)",
                "task_head": "a head",
                "max_length": 40,
                **(model or {"id": "embedded/all-MiniLM-L6-v2", "sha256": "1" * 64}),
            },
            "data": {
                "train": train or file,
                "test": test or (file if split == "test-file" else None),
                "split": {"validation_share": validation, **SPLITS[split]},
                **columns,
                **(data or {}),
            },
            "labels": labels,
            "seed": 13,
            "class_weights": weights,
            "modifiers": modifiers or {},
            "hyperparameters": default_settings(strategy).model_dump(mode="json") | (settings or {}),
            "evaluation": EVALUATION | {"bootstrap_draws": 10, "latency_texts": 1, "parity_texts": 1},
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


def write_cell(cell: Cell, place: Path, encoder: Path) -> Plan:
    """Write data, and ``plan.yaml`` and the recipe to a folder ``a plan`` beside them; return the plan."""
    folder, data = place / "a plan", place / "my data"
    data.mkdir(parents=True)
    folder.mkdir()
    (folder / "encoder").symlink_to(encoder)
    records = _RECORDS[cell.task](cell)
    parts = {"train": records}
    if cell.split == "test-file":
        parts = {"train": [row for number, row in enumerate(records) if number % 3], "test": records[::3]}
    code = locate_model(str(encoder), trust_remote_code=True).code_sha256
    files = {}
    for part, some in parts.items():
        path = data / f"{part}.{cell.format}"
        write_records(path, some)
        files[part] = {"path": f"../my data/{path.name}", "sha256": sha256_of(path), "rows": len(some)}
    plan = make_plan(
        cell.task,
        cell.strategy,
        dict.fromkeys(_label_names(cell.task, records, parts["train"])) | _described(cell),
        split=cell.split,
        model={
            "id": "encoder",
            "sha256": sha256_of(encoder / "model.safetensors"),
            "discarded_head": pretraining_head(encoder),
            "trust_remote_code": code is not None,
            "code_sha256": code,
        },
        data=_columns(cell, records),
        validation=cell.validation,
        weights=cell.weights,
        settings=_short(cell.strategy) | cell.settings,
        modifiers={"multi-seed": {"seeds": cell.seeds}} if cell.seeds > 1 else {},
        **files,
    )
    plan.save(folder / "plan.yaml")
    if not STRATEGIES[cell.strategy].handles(cell.task, "encoder"):
        return plan
    for document, text in recipe_documents(plan).items():
        write_text(folder / document, text)
    return plan


def run_recipes(folders: list[Path], flags: dict[Path, str] | None = None) -> dict[Path, dict[str, str]]:
    """Run the recipes of plan folders in one process that has no advisor; return what each said and its error."""
    asked = [[str(folder / "recipe.py"), *([flags[folder]] if flags and folder in flags else [])] for folder in folders]
    command = [sys.executable, "-W", "error::UserWarning", "-c", _RUNNER, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    found = (json.loads(line) for line in done.stdout.splitlines())
    return {Path(one["path"]).parent: one for one in found}


def faults_in(folder: Path, *ignored: str) -> str:
    """Return what ruff finds to say of the Python files of a folder, but for some rules."""
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--isolated", "--line-length", "120", "--target-version", "py311", str(folder)]
    rules = [
        "--select",
        "E,F,W,I,UP,B,SIM,C4,RET,D",
        "--ignore",
        ",".join(["B905", "D203", "D213", *ignored]),
        "--output-format",
        "concise",
    ]
    found = ""
    for command in (["check", *rules], ["format", "--diff"]):
        done = subprocess.run([*ruff, *command, *settings], capture_output=True, encoding="utf-8", check=False)
        found += done.stdout[:5000] if done.returncode else ""
    return found


def write_records(path: Path, records: list[Record]) -> None:
    """Write records, and one more without a label, in the format that the path ends with."""
    columns = list(records[0])
    match path.suffix:
        case ".csv" | ".tsv":
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
                writer.writerow([f" {name} " for name in columns])
                writer.writerows([record[name] for name in columns] for record in records)
                writer.writerow(["  " if name in _READ else "" for name in columns])
        case ".jsonl":
            lines = [json.dumps(record) for record in records]
            unlabelled = {name: value for name, value in records[0].items() if name in _READ}
            path.write_text("\n".join([*lines, "", json.dumps(unlabelled)]), encoding="utf-8")
        case ".json":
            path.write_text(json.dumps(_nested(records) if "context" in columns else records), encoding="utf-8")
        case ".conll":
            sentences = [
                "".join(f"{word} - {tag}\n" for word, tag in zip(record["tokens"], record["tags"], strict=True))
                for record in records
            ]
            path.write_text("# id = 1\n" + "\n".join(["-DOCSTART- -X- O\n", *sentences]), encoding="utf-8")
        case ".parquet":
            import pyarrow
            from pyarrow import parquet

            parquet.write_table(pyarrow.Table.from_pylist(records), path)


def _texts() -> list[tuple[str, str]]:
    return [(text, NAMES[label]) for label, texts in TEXTS.items() for text in texts]


def _classes(cell: Cell) -> list[Record]:
    return [{"number": number, "the text": text, "label": label} for number, (text, label) in enumerate(_texts())]


def _label_sets(cell: Cell) -> list[Record]:
    """Return texts with the name of their kind and whether they are long; as lists, or as columns of 0 and 1."""
    found = []
    for text, label in _texts():
        labels = [name for name, there in {label: "the" in text, "long": len(text) > 38}.items() if there]
        if cell.format == "parquet":
            found.append({"the text": text, **{name: int(name in labels) for name in (*NAMES.values(), "long")}})
        else:
            listed = (
                labels
                if cell.format == "jsonl"
                else str(labels)
                if cell.format == "csv"
                else "|".join(labels or ["long"])
            )
            found.append({"the text": text, "label": listed})
    return found


def _pairs(cell: Cell) -> list[Record]:
    texts = _texts()
    found = []
    for number, (text, label) in enumerate(texts):
        other, other_label = texts[(number + (1 if number % 2 else 10)) % len(texts)]
        found.append({"the text": text, "the other": other, "label": label == other_label})
    return found


def _numbers(cell: Cell) -> list[Record]:
    found = [{"the text": text, "label": len(text) / 7 + 3} for text, _ in _texts()]
    if not cell.pair:
        return found
    return [{**one, "the other": other["the text"]} for one, other in zip(found, reversed(found), strict=True)]


def _tagged(cell: Cell) -> list[Record]:
    found = []
    for text, _ in _texts():
        words = text.split()
        kinds = ["long" if len(word) > 5 else "small" if len(word) < 3 else "" for word in words]
        before = ["", *kinds[:-1]]
        marks = ["E" if kind == last else "S" for last, kind in zip(before, kinds, strict=True)]
        tags = [f"{mark}-{kind}" if kind else "O" for mark, kind in zip(marks, kinds, strict=True)]
        if cell.format == "conll":
            lower = [f"{tag[0].lower()}{tag[1:]}" for tag in tags]
            found.append({"tokens": words, "tags": lower})
        elif cell.format == "csv":
            found.append({"the text": text, "label": " ".join(tags)})
        else:
            found.append({"the text": words, "label": tags})
    return found


def _questions(cell: Cell) -> list[Record]:
    texts = [text for text, _ in _texts()]
    found = []
    for number, text in enumerate(texts):
        context = ". ".join([texts[number // 2], text, texts[(number * 7) % len(texts)]])
        answer = " ".join(text.split()[-2:])
        start = context.index(text) + len(text) - len(answer)
        question = f"{' '.join(text.split()[:3])}?"
        told = {"text": [answer], "answer_start": [start]} if number % 5 else {"text": [], "answer_start": []}
        match cell.format:
            case "csv":
                one = {"question": question, "context": context, "answers": str(told)}
            case "jsonl":
                one = {"question": question, "context": context, "answers": [answer], "answer_starts": [start]}
            case _:
                one = {"question": question, "context": context, "answers": told}
        found.append(one)
    return found


def _prompts(cell: Cell) -> list[Record]:
    """Return prompts with their answers: texts, some with further answers, or chats of which every second goes on."""
    found: list[Record] = []
    for number, (text, label) in enumerate(_texts()):
        if cell.format != "json":
            found.append({"prompt": f"Go on: {text[:20]}", "completion": text[20:] or text, "references": [label]})
            continue
        asked = [{"role": "user", "content": text}]
        more = [{"role": "assistant", "content": "Why?"}, {"role": "user", "content": "So."}] if number % 2 else []
        found.append({"messages": [*asked, *more, {"role": "assistant", "content": text[5:]}]})
    return found


def _nested(records: list[Record]) -> dict[str, Any]:
    """Return questions in SQuAD's nesting."""
    paragraphs = []
    for record in records:
        told = zip(record["answers"]["text"], record["answers"]["answer_start"], strict=True)
        answers = [{"text": text, "answer_start": start} for text, start in told]
        paragraphs.append({"context": record["context"], "qas": [{"question": record["question"], "answers": answers}]})
    return {"version": "1.1", "data": [{"title": "one", "paragraphs": paragraphs}]}


_RECORDS = {
    "text-classification": _classes,
    "multi-label": _label_sets,
    "pair-classification": _pairs,
    "regression": _numbers,
    "token-classification": _tagged,
    "question-answering": _questions,
    "generation": _prompts,
}


def _label_names(task: str, records: list[Record], train: list[Record]) -> list[str]:
    match TASKS[task].predicts:
        case "class":
            return ["false", "true"] if task == "pair-classification" else sorted(NAMES.values())
        case "classes":
            return sorted(["long", *NAMES.values()])
        case "tags":
            tags = (record.get("tags") or record["label"] for record in records)
            listed = (one.split() if isinstance(one, str) else one for one in tags)
            return in_order_of_tags(tag for one in listed for tag in as_bio(one))
        case _:
            return []


def _described(cell: Cell) -> dict[str, str | None]:
    if STRATEGIES[cell.strategy].family != "prompting":
        return {}
    if TASKS[cell.task].predicts == "tags":
        return {"B-long": "a long word"}
    named = TASKS[cell.task].predicts in ("class", "classes")
    return {NAMES["praise"]: "the writer is pleased.", NAMES["question"]: "somebody asks"} if named else {}


def _short(strategy: str) -> dict[str, Any]:
    """Return settings with which a strategy takes no time."""
    return QUICK if STRATEGIES[strategy].whole_model else FEW_STEPS if strategy == "contrastive" else {}


def _columns(cell: Cell, records: list[Record]) -> dict[str, Any]:
    if cell.task == "question-answering":
        return {"text_column": "question", "pair_column": "context", "label_column": "answers"}
    if "messages" in records[0]:
        return {"text_column": "messages", "label_column": "messages"}
    if "prompt" in records[0]:
        return {"text_column": "prompt", "label_column": "completion"}
    if "tokens" in records[0]:
        return {"text_column": "tokens", "label_column": "tags"}
    if "label" not in records[0]:
        return {"label_column": ",".join(name for name in records[0] if name != "the text")}
    return {"pair_column": "the other"} if "the other" in records[0] else {}
