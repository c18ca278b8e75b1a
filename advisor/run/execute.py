"""Executing a plan in this process, stage by stage; a stage that finished before a crash is not done again."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

from advisor.backend.answers import prediction_rows
from advisor.backend.arrays import Floats
from advisor.backend.devices import choose_device
from advisor.backend.evaluation import differences, evaluate, headline, trivial_outputs
from advisor.backend.evaluation.preferences import of_reference
from advisor.backend.predictor import load_model, writes
from advisor.backend.pretraining_settings import PretrainingSettings
from advisor.backend.prompted.place import PROMPT_DETAILS
from advisor.backend.remote_code import allow
from advisor.backend.written_rows import written_rows
from advisor.data.examples import as_text
from advisor.errors import InputError
from advisor.files import write_json, write_text
from advisor.plan.addresses import check_servers, remember
from advisor.plan.plan import Plan
from advisor.run.export import check_parity, save_model
from advisor.run.fits import Fits
from advisor.run.folder import RunFolder
from advisor.run.measuring import peak_memory, serving
from advisor.run.models import Models
from advisor.run.prepare import Prepared, learnt, prepare
from advisor.run.progress import Progress
from advisor.run.recording import record_run
from advisor.run.result import Result, read_result
from advisor.strategies import STRATEGIES
from advisor.strategies.modifiers import MORE_PRETRAINING
from advisor.tasks import TASKS, WRITING, Input


def stages_of(plan: Plan) -> tuple[str, ...]:
    """Return the stages of a plan's run, in order."""
    first = ("prepare", "pretrain") if MORE_PRETRAINING in plan.modifiers else ("prepare",)
    return (*first, "train", "baseline", "evaluate", "export")


def execute(
    plan: Plan,
    plan_folder: Path,
    folder: Path,
    progress: Progress | None = None,
    *,
    trust_remote_code: bool = False,
    allowed_hosts: Collection[str] = (),
) -> Result:
    """Run a plan to its end, going on where an earlier call for the same plan and folder stopped.

    Args:
        plan: what to do.
        plan_folder: where the plan's relative paths start.
        folder: the run folder, made if absent.
        progress: where to show progress; nowhere if left out.
        trust_remote_code: agreement that Python code that comes with the model runs, where the plan needs that.
        allowed_hosts: servers that texts may be sent to where a plan that was not made here says so.

    Raises:
        RunError: folder or data belong to something else, memory does not suffice, or the export is not faithful.
        InputError: the data or the model cannot be read, or the model's code would run, or texts be sent, without
            agreement.
    """
    if plan.model.trust_remote_code and not trust_remote_code:
        raise InputError(
            f"the plan runs Python code that comes with {plan.model.id}; read that, then agree by --trust-remote-code"
        )
    check_servers("the plan", plan.sending, plan.prompts, allowed_hosts)
    run_folder = RunFolder(folder)
    with run_folder.opened(plan) as begun:
        progress = progress or Progress(len(stages_of(plan)), silent=True)
        return _Run(begun, plan_folder, run_folder, progress).complete()


class _Run:
    """One run: the plan, its data and model, and the stages."""

    def __init__(self, plan: Plan, plan_folder: Path, folder: RunFolder, progress: Progress) -> None:
        self.plan, self.plan_folder, self.folder, self.progress = plan, plan_folder, folder, progress
        self.settings = plan.evaluation
        self.resumed = False

    def complete(self) -> Result:
        """Do what is not done yet."""
        if self.folder.result.exists():
            result = read_result(self.folder.path)
            self.folder.log("already-finished")
            self.folder.tidy()
            return result
        if self.plan.model.trust_remote_code:
            allow(self.folder.model)
        self.resumed = bool(self.folder.logged())
        self.folder.log("resumed" if self.resumed else "started", strategy=self.plan.strategy, seed=self.plan.seed)
        products: dict[str, dict[str, Any]] = {}
        first = {"pretrain": self.pretrain} if MORE_PRETRAINING in self.plan.modifiers else {}
        stages: dict[str, Callable[[], dict[str, Any]]] = first | {
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
        unrecorded = record_run(self.plan, result, learnt(self.plan, self.data), self.folder.logged()[0]["time"])
        if unrecorded:
            self.folder.log("not-recorded", why=unrecorded)
            self.progress.note(f"Note: {unrecorded}")
        write_json(self.folder.result, result.as_dict())
        self.folder.tidy()
        self.folder.log("ended")
        return result

    @cached_property
    def data(self) -> Prepared:
        """The data, read and split."""
        return prepare(self.plan, self.plan_folder)

    @cached_property
    def models(self) -> Models:
        """The pre-trained models."""
        return Models(self.plan, self.plan_folder, self.folder.journal)

    @cached_property
    def fits(self) -> Fits:
        """The fits of the run."""
        models = self.models
        encoder = self.pretrained if MORE_PRETRAINING in self.plan.modifiers else models.encoder
        return Fits(self.plan, self.data, encoder, self.folder, self.progress, models.place, models.teacher_place)

    @property
    def pretrained(self) -> Path:
        """Where the encoder is that was pre-trained further."""
        return self.folder.work / "encoder"

    def pretrain(self) -> dict[str, Any]:
        """Go on with the encoder's pre-training on unlabelled texts and those of the training rows."""
        from advisor.backend.pretraining import pretrain

        made = pretrain(
            self.models.adapted.folder,
            [*self.data.unlabelled, *map(as_text, self.data.folds[-1].training.inputs)],
            PretrainingSettings.model_validate(self.plan.modifiers[MORE_PRETRAINING]),
            seed=self.plan.seed,
            device=choose_device(),
            folder=self.pretrained,
            checkpoints=self.folder.work / "pretraining",
            max_length=self.plan.model.max_length,
            progress=lambda step, steps, loss: self.progress.steps(step, steps),
            on_event=lambda event: self.folder.log(event.pop("event", "note"), **event),
        )
        return {"loss_before": made.loss_before, "loss_after": made.loss_after, "steps": made.steps, "note": made.note}

    def train(self) -> dict[str, Any]:
        """Fit every fold with every seed, predict the test rows, export the last fold's model."""
        self.fits.others()
        fitted, seconds = self.fits.final()
        memory = peak_memory()
        self.folder.keep_array("parity", fitted.model.in_fp32().outputs(self.parity_inputs()))
        save_model(fitted.model, self.folder.model)
        if self.plan.prompting:
            remember((self.folder.model / PROMPT_DETAILS).read_bytes())
        return {"seconds": seconds, "memory_bytes": memory, "chosen": fitted.chosen}

    def baseline(self) -> dict[str, Any]:
        """Measure an answer that takes no model and, where it applies and is not the strategy itself, zero-shot.

        A model that writes is compared with itself before it was tuned, and after each stage but the last, row by row.
        """
        task, measured, fold = self.plan.task, self.data.measured, self.data.folds[-1]
        name, outputs = trivial_outputs(task, fold.training, measured, self.data.labels)
        found = {name: headline(task, outputs, measured, self.data.labels)}
        if self.plan.strategy != "zero-shot" and STRATEGIES["zero-shot"].handles(task, "encoder"):
            model = self.fits.fit(STRATEGIES["zero-shot"], fold, self.plan.seed).model
            outputs = model.outputs(measured.inputs)
            found["zero-shot"] = headline(task, outputs, measured, self.data.labels, model.thresholds)
        above: dict[str, Any] = {}
        for name, outputs in self.earlier().items():
            found[name] = headline(task, outputs, measured, self.data.labels)
            own, draws = self.fits.kept(self.plan.seed)[0], self.settings["bootstrap_draws"]
            apart = differences(task, own, outputs, measured, draws=draws, seed=self.plan.seed)
            above[name] = {key: asdict(interval) for key, interval in apart.items()}
        finite = {name: {key: v for key, v in values.items() if isfinite(v)} for name, values in found.items()}
        return {"baseline": finite, "differences": above}

    def earlier(self) -> dict[str, Floats]:
        """Return what a generator that is tuned made of the measured rows earlier: before tuning, and after SFT."""
        if TASKS[self.plan.task].predicts not in WRITING or self.plan.prompting is not None:
            return {}
        found = {"untuned": self.fits.untuned().observe(self.data.measured, self.progress.steps).numbers}
        if self.fits.prefers:
            found["after-sft"] = of_reference(self.fits.kept(self.plan.seed)[0])
        return found

    def evaluate(self) -> dict[str, Any]:
        """Write the predictions down, score them, and time single rows on the exported model."""
        task, measured, labels = self.plan.task, self.data.measured, self.data.labels
        outputs, thresholds = self.fits.kept(self.plan.seed)
        rows = (
            written_rows(task, measured, outputs, self.fits.texts(self.plan.seed))
            if TASKS[task].predicts in WRITING
            else prediction_rows(task, measured, labels, outputs, thresholds)
        )
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        write_text(self.folder.predictions, "".join(f"{line}\n" for line in lines))
        found = evaluate(
            task,
            outputs,
            measured,
            labels,
            thresholds=thresholds,
            draws=self.settings["bootstrap_draws"],
            seed=self.plan.seed,
        )
        spread = {}
        for seed in self.fits.other_seeds:
            again, levels = self.fits.kept(seed)
            spread[str(seed)] = headline(task, again, measured, labels, levels)
        model = load_model(self.folder.model, choose_device())
        timed = self.settings["latency_answers" if writes(model) else "latency_texts"]
        served = serving(model, measured.inputs[:timed], self.progress.steps)
        return {"evaluation": found.as_dict(), "seeds": spread, "serving": served}

    def export(self) -> dict[str, Any]:
        """Load the model in a fresh process and compare, both in fp32: rounding to bf16 would hide a fault."""
        inputs, expected = self.parity_inputs(), self.folder.array("parity")
        assert expected is not None
        difference = check_parity(
            self.folder.model, self.plan.task, inputs, self.data.labels, expected, self.settings["parity_tolerance"],
            trust_remote_code=self.plan.model.trust_remote_code, prompted=self.plan.prompting is not None,
        )  # fmt: skip
        return {"texts": len(inputs), "largest_difference": difference}

    def parity_inputs(self) -> Sequence[Input]:
        """Return what the exported model must repeat the outputs for."""
        return self.data.measured.inputs[: self.settings["parity_texts"]]

    def result(self, products: dict[str, dict[str, Any]]) -> Result:
        """Put the stages' products together."""
        plan, train, measured = self.plan, products["train"], products["evaluate"]
        found = measured["evaluation"]
        device = choose_device()
        confusion = found["confusion"]
        return Result(
            project=plan.project,
            task=plan.task,
            metric=plan.metric,
            strategy=plan.strategy,
            family=plan.family,
            model=plan.model.model_dump(exclude_none=True),
            data=plan.data.model_dump(exclude_none=True) | {"measured_rows": found["rows"]},
            metrics=found["metrics"],
            classes=found["classes"],
            confusion={"labels": self.data.labels, "rows": confusion} if confusion else None,
            baseline=products["baseline"]["baseline"],
            differences=products["baseline"]["differences"],
            seeds=measured["seeds"],
            forecast=plan.forecast,
            adjusted=plan.premises.runs if plan.premises else {},
            measured={
                "train_seconds": train["seconds"],
                "train_memory_bytes": train["memory_bytes"],
                **measured["serving"],
                "quality": found["metrics"][plan.metric]["value"],
            },
            chosen=train["chosen"] | ({"pretraining": products["pretrain"]} if "pretrain" in products else {}),
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
    "pretrain": "pretrain  {model} on unlabelled texts",
    "baseline": "baseline  what takes no training",
    "train": "train     {strategy} · {model}",
    "evaluate": "evaluate  held-out texts, latency",
    "export": "export    reload in a fresh process and compare",
}
