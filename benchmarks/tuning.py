"""Full fine-tuning as the advisor does it against a plain training loop, on the same rows of given data.

    python benchmarks/tuning.py DATA_FOLDER... --results benchmarks/results/tuning.jsonl [--rows 600] [--seeds 2]

Each DATA_FOLDER holds train.* and test.*. The plain loop is what Trainer does at its defaults: fp32, AdamW at 5e-5
falling linearly, batches of 16 in random order, the last weights kept. ``stock`` puts transformers' own classification
head on; ``mean`` a linear head on the mean of the tokens, which suits a mean-pooled encoder. A line a measurement is
appended to the results; those already there are not measured again.
"""

import json
import platform
import random
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import torch

from advisor.backend.devices import choose_device
from advisor.data.reading import DataSource, Examples, load_labelled
from advisor.estimates.forecast import default_settings
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.hyperparameters import load_evaluation
from advisor.knowledge.weights import locate_model
from advisor.machine import this_machine
from advisor.run.prepare import stratified_split
from advisor.strategies import STRATEGIES, FitJob

BATCH, RATE, DECAY, CLIP = 16, 5e-5, 0.0, 1.0
LONGEST = 256


def draw(examples: Examples, rows: int, seed: int) -> list[int]:
    """Return row numbers of a balanced draw: the classes dealt out in turn until ``rows`` are taken."""
    by_class: dict[str, list[int]] = defaultdict(list)
    for row in np.random.default_rng(seed).permutation(len(examples)):
        by_class[examples.labels[row]].append(int(row))
    turns = [(place, row) for members in by_class.values() for place, row in enumerate(members)]
    return [row for _, row in sorted(turns)[:rows]]


def ours(encoder: Path, names: list[str], texts: list[str], classes: np.ndarray, test: list[str], seed: int) -> Any:
    """Fit as a run does, validation rows held out where there are enough; return the predicted classes."""
    strategy, evaluation, validation = STRATEGIES["full-fine-tuning"], load_evaluation(), None
    if len(texts) >= evaluation["validate_from"]:
        kept, held = stratified_split(classes, evaluation["validation_share"], seed)
        validation = ([texts[row] for row in held], classes[held])
        texts, classes = [texts[row] for row in kept], classes[kept]
    with TemporaryDirectory() as workspace:
        job = FitJob(
            encoder=encoder, labels=names, descriptions={}, texts=texts, classes=classes, validation=validation,
            settings=default_settings("full-fine-tuning"), seed=seed, device=choose_device(), workspace=Path(workspace),
            cache=None,
        )  # fmt: skip
        return strategy.fit(job).model.outputs(test).argmax(axis=1)


class MeanHead(torch.nn.Module):
    """An encoder with a linear head on the mean of its tokens."""

    def __init__(self, encoder: Path, classes: int) -> None:
        from transformers import AutoModel

        super().__init__()
        self.encoder = AutoModel.from_pretrained(encoder)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, classes)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **other: Any) -> torch.Tensor:
        """Return logits (rows, classes)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **other).last_hidden_state
        mask = attention_mask.unsqueeze(-1)
        logits: torch.Tensor = self.head((hidden * mask).sum(1) / mask.sum(1))
        return logits


def plain(
    way: str, encoder: Path, names: list[str], texts: list[str], classes: np.ndarray, test: list[str], seed: int,
    epochs: int,
) -> Any:  # fmt: skip
    """Train by the plain loop; return the predicted classes."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model: Any
    if way == "stock":
        model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=len(names))
    else:
        model = MeanHead(encoder, len(names))

    def logits(part: list[str]) -> torch.Tensor:
        found = model(**tokenizer(part, truncation=True, max_length=LONGEST, padding=True, return_tensors="pt"))
        return found if way == "mean" else found.logits  # type: ignore[no-any-return]

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    steps = epochs * -(-len(texts) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    generator = random.Random(seed)
    model.train()
    for _ in range(epochs):
        order = generator.sample(range(len(texts)), len(texts))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            loss = torch.nn.functional.cross_entropy(logits([texts[r] for r in rows]), torch.from_numpy(classes[rows]))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    model.eval()
    with torch.inference_mode():
        parts = [logits(test[start : start + 64]).argmax(1).numpy() for start in range(0, len(test), 64)]
    return np.concatenate(parts)


def measure(folder: Path, way: str, epochs: int, rows: int, test_rows: int, seed: int) -> dict[str, Any]:
    """Train one way on one draw; return its accuracy on the test rows, and its cost."""
    data = load_labelled(DataSource(folder))
    assert data.test is not None
    names = data.label_names
    number = {name: index for index, name in enumerate(names)}
    drawn = draw(data.train, rows, seed)
    texts = [data.train.texts[row] for row in drawn]
    classes = np.array([number[data.train.labels[row]] for row in drawn], dtype=np.int64)
    picked = np.random.default_rng(0).permutation(len(data.test))[:test_rows]
    test = [data.test.texts[row] for row in picked]
    truth = np.array([number[data.test.labels[row]] for row in picked])
    encoder = locate_model(load_catalogue().default_model).folder
    started = time.process_time()
    if way == "ours":
        predicted = ours(encoder, names, texts, classes, test, seed)
    else:
        predicted = plain(way, encoder, names, texts, classes, test, seed, epochs)
    return {
        "data": folder.name,
        "way": way,
        "epochs": epochs,
        "seed": seed,
        "rows": len(texts),
        "test_rows": len(test),
        "accuracy": round(float((predicted == truth).mean()), 4),
        "cpu_seconds": round(time.process_time() - started, 1),
        "settings": default_settings("full-fine-tuning").model_dump(mode="json") if way == "ours" else {},
        "machine": f"{platform.machine()}, {this_machine().describe()}",
    }


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--results", type=click.Path(path_type=Path), required=True, help="Measurements, read and appended.")
@click.option("--way", "ways", multiple=True, default=("ours", "stock", "mean"), help="Only these.")
@click.option("--epochs", default=8, show_default=True, help="Passes of the plain loop; ours has its own.")
@click.option("--rows", default=600, show_default=True, help="Training rows, the classes balanced.")
@click.option("--test-rows", default=1000, show_default=True, help="Most test rows.")
@click.option("--seeds", default=2, show_default=True, help="Draws of the training rows.")
def main(
    folders: tuple[Path, ...], results: Path, ways: tuple[str, ...], epochs: int, rows: int, test_rows: int, seeds: int
) -> None:
    """Measure what is not in the results yet."""
    results.parent.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    current = default_settings("full-fine-tuning").model_dump(mode="json")
    done = {
        (row["data"], row["way"], row["epochs"], row["rows"], row["seed"])
        for row in known
        if row["settings"] in ({}, current)
    }
    for seed in range(seeds):
        for folder in folders:
            for way in ways:
                passes = int(current["epochs"]) if way == "ours" else epochs
                if (folder.name, way, passes, rows, seed) in done:
                    continue
                row = measure(folder, way, passes, rows, test_rows, seed)
                with results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                click.echo(
                    f"{folder.name:18} {way:6} {passes} epochs  seed {seed}  accuracy {row['accuracy']:.3f}  "
                    f"{row['cpu_seconds']:.0f} CPU s"
                )


if __name__ == "__main__":
    main()
