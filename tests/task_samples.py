"""Small data of every task: the same rows in each layout that is read."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

CONTEXT = "The mill on the Aare was built in 1874, and it closed in 1911."

ROWS: dict[str, list[dict[str, Any]]] = {
    "text-classification": [
        {"text": "good, really", "label": "pos"},
        {"text": "not so good", "label": "neg"},
        {"text": "very good", "label": "pos"},
    ],
    "multi-label": [
        {"text": "slow and dear", "labels": ["speed", "price"]},
        {"text": "it is blue", "labels": []},
        {"text": "far too dear", "labels": ["price"]},
    ],
    "pair-classification": [
        {"text": "a dog runs", "text_pair": "an animal moves", "label": "entailed"},
        {"text": "a dog runs", "text_pair": "a cat sleeps", "label": "not"},
        {"text": "the sun sets", "text_pair": "it gets dark", "label": "entailed"},
    ],
    "regression": [
        {"text": "a dog runs", "text_pair": "an animal moves", "label": 3.5},
        {"text": "a dog runs", "text_pair": "a cat sleeps", "label": 1.0},
        {"text": "the sun sets", "text_pair": "it gets dark", "label": 4.25},
    ],
    "token-classification": [
        {"tokens": ["Ada", "Lovelace", "in", "Rome"], "tags": ["B-PER", "I-PER", "O", "B-LOC"]},
        {"tokens": ["nobody", "there"], "tags": ["O", "O"]},
    ],
    "question-answering": [
        {"question": "When was it built?", "context": CONTEXT, "answers": ["1874"], "answer_starts": [34]},
        {
            "question": "When did it close?",
            "context": CONTEXT,
            "answers": ["1911", "in 1911"],
            "answer_starts": [57, 54],
        },
        {"question": "Who built it?", "context": CONTEXT, "answers": [], "answer_starts": []},
    ],
    "generation": [
        {"prompt": "Name a colour of the sky", "completion": "Blue, or grey on most days."},
        {"prompt": "Name a fruit that is red", "completion": "A cherry."},
        {"prompt": "Name a river of France", "completion": "The Loire."},
    ],
    "preference": [
        {"prompt": "Name a colour of the sky", "chosen": "Blue, of course.", "rejected": "No."},
        {"prompt": "Name a fruit that is red", "chosen": "A cherry.", "rejected": "A lemon."},
        {"prompt": "Name a river of France", "chosen": "The Loire.", "rejected": "The Rhine, the Main and the Elbe."},
    ],
}

LABELS = {"label", "labels", "tags", "answers", "completion", "chosen", "rejected"}
"""Names of the columns above that hold what is predicted."""


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as the ending of the path says; lists become JSON in CSV and TSV."""
    if path.suffix in {".csv", ".tsv"}:
        buffer = io.StringIO(newline="")
        names = list(rows[0])
        writer = csv.writer(buffer, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerow(names)
        for row in rows:
            writer.writerow([json.dumps(row[n]) if isinstance(row[n], list | dict) else row[n] for n in names])
        path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    return path
