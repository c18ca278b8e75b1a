"""Rows and outputs of every task, drawn from a seed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from advisor.backend.answers import prediction_rows
from advisor.backend.rows import Rows, encode_targets
from advisor.backend.written_rows import written_rows
from advisor.tasks import TASKS, WRITING, Answer, Demonstration, Input, Pair, Preferred

LABELS = ["a", "b", "c", "d"]
TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
CONTEXT = "It rained in Oslo. The ferry to Bergen left at nine, full of cars and a few very tired people."


class Sample(NamedTuple):
    outputs: np.ndarray[Any, Any]
    rows: Rows
    labels: list[str]


def rows_of(task: str, truth: Sequence[Any], labels: Sequence[str] = (), inputs: Sequence[Input] | None = None) -> Rows:
    numbers = {name: number for number, name in enumerate(labels)}
    if inputs is None:
        inputs = [tuple(tags) if TASKS[task].predicts == "tags" else "some text" for tags in truth]
    return Rows(inputs, encode_targets(task, truth, numbers), list(range(1, len(truth) + 1)))


def one_hot(tags: Sequence[Sequence[str]], names: Sequence[str] = TAGS) -> np.ndarray[Any, Any]:
    """Outputs of a model that is sure of these tags."""
    numbers = [names.index(tag) for row in tags for tag in row]
    return np.eye(len(names), dtype=np.float32)[numbers].reshape(-1, len(names))


def sample(task: str, rows: int, seed: int) -> Sample:
    """Outputs that know something of the truth."""
    generator = np.random.default_rng(seed)
    match TASKS[task].predicts:
        case "class":
            truth = [LABELS[number] for number in generator.integers(4, size=rows)]
            return Sample(
                generator.dirichlet(np.ones(4), size=rows).astype(np.float32), rows_of(task, truth, LABELS), LABELS
            )
        case "classes":
            sets = generator.random((rows, 4)) < 0.4
            outputs = (0.5 * sets + 0.6 * generator.random((rows, 4))).clip(0, 1).astype(np.float32)
            truth = [tuple(label for label, there in zip(LABELS, row, strict=True) if there) for row in sets]
            return Sample(outputs, rows_of(task, truth, LABELS), LABELS)
        case "number":
            numbers = generator.normal(size=rows).round(1)
            outputs = (numbers + generator.normal(size=rows))[:, None].astype(np.float32)
            return Sample(outputs, rows_of(task, numbers.tolist()), [])
        case "tags":
            tags = [[TAGS[tag] for tag in generator.integers(5, size=generator.integers(1, 9))] for _ in range(rows)]
            noise = generator.dirichlet(np.ones(5), size=sum(map(len, tags)))
            return Sample((0.3 * one_hot(tags) + 0.7 * noise).astype(np.float32), rows_of(task, tags, TAGS), TAGS)
        case "text":
            answers = [Demonstration((f"it is {LABELS[number % 4]}", f"there is {number}")) for number in range(rows)]
            tokens = generator.integers(2, 9, size=rows)
            found = [-2.5 * generator.random(rows) * tokens, tokens, generator.random(rows), generator.random(rows)]
            written = np.arange(rows) % 3 != 2
            outputs = np.stack([*found, written], axis=1).astype(np.float32)
            return Sample(outputs, rows_of(task, answers), [])
        case "preference":
            pairs = [Preferred(f"yes {number}", "no" + " or never" * (number % 2)) for number in range(rows)]
            likelihoods = generator.normal(-20, 2, size=(rows, 2))
            before = likelihoods + generator.normal([-0.3, 0.3], 1, size=(rows, 2))
            tokens = generator.integers(2, 9, size=(rows, 2))
            columns = (likelihoods[:, 0], tokens[:, 0], before[:, 0], likelihoods[:, 1], tokens[:, 1], before[:, 1])
            return Sample(np.stack(columns, axis=1).astype(np.float32), rows_of(task, pairs), [])
        case _:
            starts = generator.integers(0, len(CONTEXT) - 12, size=(rows, 2))
            answers = [tuple(Answer(CONTEXT[start : start + 12], int(start)) for start in pair) for pair in starts]
            spans = np.stack(
                [starts[:, 0], starts[:, 0] + generator.integers(1, 30, size=rows), generator.random(rows)], 1
            )
            return Sample(spans.astype(np.float32), rows_of(task, answers, inputs=[Pair("where?", CONTEXT)] * rows), [])


def perfect(task: str, rows: Rows, labels: Sequence[str]) -> np.ndarray[Any, Any]:
    """Outputs that are right in every row."""
    match TASKS[task].predicts:
        case "class":
            return np.eye(len(labels), dtype=np.float32)[rows.targets]
        case "classes":
            return rows.targets
        case "number":
            return rows.targets[:, None]
        case "tags":
            return np.eye(len(labels), dtype=np.float32)[np.concatenate(rows.targets)]
        case "text":
            return np.tile(np.array([0, 5, 1, 1, 1], dtype=np.float32), (len(rows), 1))
        case "preference":
            return np.tile(np.array([-1, 5, -1.5, -2, 5, -1.5], dtype=np.float32), (len(rows), 1))
        case _:
            golds = [answers[-1] for answers in rows.targets]
            return np.array([(gold.start, gold.start + len(gold.text), 1.0) for gold in golds], dtype=np.float32)


def predictions(task: str, rows: Rows, labels: Sequence[str], outputs: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Rows of ``predictions.jsonl``; what is written says the same of all."""
    if TASKS[task].predicts in WRITING:
        return list(written_rows(task, rows, outputs, ["it is so"] * len(rows)))
    return list(prediction_rows(task, rows, labels, outputs))
