"""Executing a plan in this process, stage by stage; a stage that finished before a crash is not done again."""

import json
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from advisor.backend.devices import choose_device
from advisor.backend.evaluation import evaluate
from advisor.backend.predictor import load_model
from advisor.cache import cache_folder
from advisor.errors import InputError
from advisor.estimates.forecast import default_settings
from advisor.files import write_json, write_text
from advisor.knowledge.weights import LocatedModel, locate_model
from advisor.plan.plan import Plan
from advisor.run.export import check_parity, save_model
from advisor.run.folder import RunFolder
from advisor.run.measuring import Ticks, latencies, peak_memory
from advisor.run.prepare import Fold, Prepared, Rows, prepare
from advisor.run.progress import Progress
from advisor.run.result import Result
from advisor.strategies import STRATEGIES, FitJob, Fitted

STAGES = ("prepare", "train", "baseline", "evaluate", "export")


def execute(plan: Plan, plan_folder: Path, folder: Path, progress: Progress | None = None) -> Result:
    """Run a plan to its end, going on where an earlier call for the same plan and folder stopped.

    Args:
        plan: what to do.
        plan_folder: where the plan's relative paths start.
        folder: the run folder, made if absent.
        progress: where to show progress; nowhere if left out.

    Raises:
        RunError: folder or data belong to something else, memory does not suffice, or the export is not faithful.
        InputError: the data or the model cannot be read.
    """
    run = _Run(plan, plan_folder, RunFolder(folder), progress or Progress(len(STAGES), silent=True))
    with run.folder.opened(plan):
        return run.complete()


class _Run:
    """One run: the plan, its data and model, and the stages."""

    def __init__(self, plan: Plan, plan_folder: Path, folder: RunFolder, progress: Progress) -> None:
        self.plan, self.plan_folder, self.folder, self.progress = plan, plan_folder, folder, progress
        self.strategy = STRATEGIES[plan.strategy]
        self.settings = plan.evaluation
        self.fitted_after = 0.0
        self.resumed = False

    def complete(self) -> Result:
        """Do what is not done yet."""
        if self.folder.result.exists():
            self.folder.log("already-finished")
            return Result.model_validate_json(self.folder.result.read_text(encoding="utf-8"))
        self.resumed = bool(self.folder.logged())
        self.folder.log("resumed" if self.resumed else "started", strategy=self.plan.strategy, seed=self.plan.seed)
        products: dict[str, dict[str, Any]] = {}
        stages: dict[str, Callable[[], dict[str, Any]]] = {
            "train": self.train, "baseline": self.baseline, "evaluate": self.evaluate, "export": self.export,
        }  # fmt: skip
        self.progress.stage("prepare   data and model")
        self.folder.log(
            "prepared",
            rows=len(self.data.folds[-1].training),
            measured_on=len(self.data.measured),
            discarded_head=self.plan.model.discarded_head,
            task_head=self.plan.model.task_head,
        )
        self.progress.end()
        for name, stage in stages.items():
            self.progress.stage(_TITLES[name].format(strategy=self.plan.strategy, model=self.plan.model.id))
            products[name] = self.folder.finished(name) or self.folder.finish(name, stage())
            self.folder.log("finished", stage=name)
            self.progress.end()
        result = self.result(products)
        write_json(self.folder.result, result.as_dict())
        self.folder.tidy()
        self.folder.log("ended")
        return result

    @cached_property
    def data(self) -> Prepared:
        """The data, read and split."""
        return prepare(self.plan, self.plan_folder)

    @cached_property
    def model(self) -> LocatedModel:
        """The pre-trained model, checked against the plan's pin.

        Raises:
            InputError: its weights are not the planned ones.
        """
        planned = self.plan.model
        located = locate_model(planned.id, planned.revision, relative_to=self.plan_folder)
        if planned.sha256 and located.sha256 != planned.sha256:
            raise InputError(f"{planned.id}: the weights changed since the plan was made; make the plan again")
        return located

    def fit(self, strategy: str, fold: Fold) -> Fitted:
        """Fit a strategy to a fold."""
        chosen = STRATEGIES[strategy]
        own = strategy == self.plan.strategy
        ticks = Ticks(self.folder) if own else None

        def report(done: int, total: int) -> None:
            self.progress.steps(done, total)
            if ticks:
                ticks.tick()

        job = FitJob(
            encoder=self.model.folder,
            labels=self.data.labels,
            descriptions={name: text for name, text in self.plan.labels.items() if text},
            texts=fold.training.texts,
            classes=fold.training.classes,
            validation=(fold.validation.texts, fold.validation.classes) if fold.validation else None,
            settings=chosen.settings.model_validate(self.plan.hyperparameters) if own else default_settings(strategy),
            seed=self.plan.seed,
            device=choose_device(),
            workspace=self.folder.checkpoints(fold.name),
            cache=cache_folder("features"),
            max_length=self.plan.model.max_length,
            metric="macro_f1" if self.plan.metric == "macro-f1" else "accuracy",
            balanced=own and self.plan.class_weights == "balanced",
            progress=report,
            event=lambda event: self.folder.log(event.pop("event", "note"), fold=fold.name, **event),
        )
        return chosen.fit(job)

    def baseline(self) -> dict[str, Any]:
        """Measure the majority class and, where it is not the strategy itself, zero-shot."""
        measured = self.data.measured
        majority = np.zeros((len(measured), len(self.data.labels)))
        majority[:, np.bincount(self.data.folds[-1].training.classes).argmax()] = 1.0
        found = {"majority": self.scores(majority, measured)}
        if self.plan.strategy != "zero-shot":
            fitted = self.fit("zero-shot", self.data.folds[-1])
            found["zero-shot"] = self.scores(fitted.model.outputs(measured.texts), measured)
        return found

    def train(self) -> dict[str, Any]:
        """Fit every fold, predict its test rows, export the last fold's model."""
        for fold in self.data.folds[:-1]:
            if self.folder.array(fold.name) is None:
                self.folder.keep_array(fold.name, self.fit_and_predict(fold)[1])
        before = 0.0 if len(self.data.folds) > 1 else Ticks.earlier(self.folder)
        started = time.perf_counter()
        fitted, probabilities = self.fit_and_predict(self.data.folds[-1])
        seconds, memory = self.fitted_after - started + before, peak_memory()
        self.folder.keep_array("final", probabilities)
        self.folder.keep_array("parity", fitted.model.in_fp32().outputs(self.parity_texts()))
        save_model(fitted.model, self.folder.model)
        return {"seconds": seconds, "memory_bytes": memory, "chosen": fitted.chosen}

    def fit_and_predict(self, fold: Fold) -> tuple[Fitted, np.ndarray]:
        """Fit to a fold and predict its test rows, where it has any."""
        fitted = self.fit(self.plan.strategy, fold)
        self.fitted_after = time.perf_counter()
        texts = fold.test.texts if fold.test else []
        return fitted, fitted.model.outputs(texts, self.progress.steps)

    def evaluate(self) -> dict[str, Any]:
        """Write the predictions down, score them, and time single texts on the exported model."""
        folds = [self.folder.array(fold.name) for fold in self.data.folds if fold.test]
        probabilities = np.concatenate([fold for fold in folds if fold is not None])
        measured, labels = self.data.measured, self.data.labels
        write_text(self.folder.predictions, "".join(_prediction_lines(measured, labels, probabilities)))
        found = evaluate(
            probabilities,
            measured.classes,
            labels,
            draws=self.settings["bootstrap_draws"],
            seed=self.plan.seed,
        )
        model = load_model(self.folder.model, choose_device())
        latency = latencies(model, measured.texts[: self.settings["latency_texts"]], self.progress.steps)
        return {"evaluation": found.as_dict(), **latency}

    def export(self) -> dict[str, Any]:
        """Load the model in a fresh process and compare, both in fp32: rounding to bf16 would hide a fault."""
        texts, expected = self.parity_texts(), self.folder.array("parity")
        assert expected is not None
        difference = check_parity(
            self.folder.model,
            texts,
            self.data.labels,
            expected,
            self.settings["parity_tolerance"],
        )
        return {"texts": len(texts), "largest_difference": difference}

    def parity_texts(self) -> list[str]:
        """Return the texts that the exported model must repeat the outputs for."""
        return self.data.measured.texts[: self.settings["parity_texts"]]

    def scores(self, probabilities: np.ndarray, rows: Rows) -> dict[str, float]:
        """Return accuracy and macro-F1."""
        found = evaluate(probabilities, rows.classes, self.data.labels, draws=1, seed=self.plan.seed)
        return {"accuracy": found.accuracy.value, "macro_f1": found.macro_f1.value}

    def result(self, products: dict[str, dict[str, Any]]) -> Result:
        """Put the stages' products together."""
        plan, train, measured = self.plan, products["train"], products["evaluate"]
        found = measured["evaluation"]
        device = choose_device()
        return Result(
            project=plan.project,
            strategy=plan.strategy,
            family=plan.family,
            model=plan.model.model_dump(exclude_none=True),
            data=plan.data.model_dump(exclude_none=True) | {"measured_rows": found["rows"]},
            metrics={
                "accuracy": found["accuracy"],
                "macro_f1": found["macro_f1"],
                "log_loss": {"value": found["log_loss"]},
                "expected_calibration_error": {"value": found["expected_calibration_error"]},
            },
            classes=found["classes"],
            confusion={"labels": self.data.labels, "rows": found["confusion"]},
            baseline=products["baseline"],
            forecast=plan.forecast,
            measured={
                "train_seconds": train["seconds"],
                "train_memory_bytes": train["memory_bytes"],
                "latency_ms_p50": measured["latency_ms_p50"],
                "latency_ms_p95": measured["latency_ms_p95"],
                "quality": found["accuracy"]["value"],
            },
            chosen=train["chosen"],
            device={"kind": device.kind, "precision": device.precision, "reason": device.reason},
            parity=products["export"],
            seed=plan.seed,
            resumed=self.resumed,
            versions=plan.versions,
            files={
                name: name for name in ("plan.yaml", "events.jsonl", "predictions.jsonl", "report.html", "README.md")
            }
            | {"model": "model/"},
        )


_TITLES = {
    "baseline": "baseline  majority class and zero-shot",
    "train": "train     {strategy} · {model}",
    "evaluate": "evaluate  held-out texts, latency",
    "export": "export    reload in a fresh process and compare",
}


def _prediction_lines(rows: Rows, labels: list[str], probabilities: np.ndarray) -> Iterator[str]:
    """Yield one JSON line a measured row."""
    for place, text, truth, row in zip(rows.places, rows.texts, rows.classes, probabilities, strict=True):
        prediction = {
            "row": place,
            "text": text,
            "label": labels[truth],
            "predicted": labels[int(row.argmax())],
            "probabilities": {label: round(float(p), 6) for label, p in zip(labels, row, strict=True)},
        }
        yield json.dumps(prediction, ensure_ascii=False) + "\n"
