"""How well every strategy does on given data of any encoder task, beside the plain library's own way.

    python benchmarks/tasks.py DATA_FOLDER... --way full-fine-tuning --way trainer --rows 1000 --seeds 3 \
        --results benchmarks/results/tasks.jsonl

Each DATA_FOLDER holds train.* and test.*. A way is a strategy's id, perhaps with settings that differ from the rules'
(``full-fine-tuning:batch_size=32,learning_rate=2e-4``), or ``trainer``: transformers' Trainer at its defaults (three
passes, AdamW at 5e-5 falling linearly, batches of 8, the stock head), as the library's example scripts for
classification, entities and questions use it, fed with the same tokens; ``trainer-partial-unfreezing``: the same with
the layers frozen that the strategy freezes; ``trainer-lora``: the same with peft's adapters at their defaults; or
``setfit``: SetFit at its defaults, stopped after ``--limit`` seconds, which it notes. A line a measurement is appended
to the results; those already there are not measured again. ``--table`` prints means and deviations over seeds, of the
leading measure or of ``--measure``.
"""

import json
import os
import platform
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast

import click
import numpy as np
import yaml

EPOCHS, RATE, BATCH = 3, 5e-5, 8


class Job(NamedTuple):
    """One measurement: a way on a draw of the training rows of a data folder."""

    data: str
    way: str
    rows: int | None
    per_class: int | None
    seed: int

    def key(self) -> tuple[Any, ...]:
        """What makes it the same measurement."""
        return (Path(self.data).name, *self[1:])


def draw(task: str, rows: Any, job: Job) -> np.ndarray:
    """Return row numbers: as many of each class, or a part of all, at random."""
    from advisor.tasks import TASKS

    order = np.random.default_rng(job.seed).permutation(len(rows))
    if job.per_class and TASKS[task].predicts in ("class", "classes"):
        taken: list[int] = []
        found: dict[int, int] = defaultdict(int)
        for row in order:
            classes = np.atleast_1d(rows.targets[row] if rows.targets.ndim == 1 else np.flatnonzero(rows.targets[row]))
            if any(found[number] < job.per_class for number in classes.tolist()):
                taken.append(int(row))
                for number in classes.tolist():
                    found[number] += 1
        return np.array(sorted(taken))
    return np.sort(order[: job.rows])


def measure(job: Job, encoder: str, device: str, threads: int, test_rows: int, limit: float) -> dict[str, Any] | None:
    """Fit once and measure on the test rows; None where the strategy does not apply to the task."""
    import torch

    from advisor.backend.devices import choose_device
    from advisor.backend.evaluation import headline, trivial_outputs
    from advisor.backend.rows import encode_rows
    from advisor.data.reading import DataSource, load_labelled
    from advisor.strategies import STRATEGIES

    torch.set_num_threads(threads)
    data = load_labelled(DataSource(job.data))
    assert data.test is not None
    strategy = STRATEGIES.get(job.way.partition(":")[0].removeprefix("trainer-"))
    if strategy and not strategy.handles(data.task, "encoder"):
        return None
    names = data.label_names
    training, test = (
        encode_rows(data.task, part.inputs, part.labels, part.rows, names) for part in (data.train, data.test)
    )
    training = training.take(draw(data.task, training, job))
    test = test.take(np.random.default_rng(0).permutation(len(test))[:test_rows])
    chosen = choose_device(device)
    started, spent = time.perf_counter(), time.process_time()
    note: dict[str, Any] = {}
    if job.way == "trivial":
        outputs, thresholds = trivial_outputs(data.task, training, test, names)[1], None
    elif job.way == "setfit":
        outputs, thresholds, note = by_setfit(job, Path(encoder), data.task, names, training, test, chosen.kind, limit)
    else:
        fit = by_trainer if job.way.startswith("trainer") else by_strategy
        model = fit(job, Path(encoder), data.task, names, training, chosen)
        outputs, thresholds = model.outputs(test.inputs), model.thresholds
    return {
        **dict(zip(Job._fields, job.key(), strict=True)),
        "task": data.task,
        "labelled": len(training),
        "test_rows": len(test),
        **headline(data.task, outputs, test, names, thresholds),
        "seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(time.process_time() - spent, 2),
        "device": f"{torch.cuda.get_device_name() if chosen.kind == 'cuda' else platform.machine()} {chosen.precision}",
        "torch": torch.__version__,
        **note,
    }


def by_strategy(job: Job, encoder: Path, task: str, names: Sequence[str], training: Any, device: Any) -> Any:
    """Fit as a run does, validation rows held out where there are enough."""
    from advisor.estimates.forecast import default_settings
    from advisor.run.prepare import validated
    from advisor.strategies import STRATEGIES, FitJob
    from advisor.tasks import TASKS

    name, _, changes = job.way.partition(":")
    strategy = STRATEGIES[name]
    asked = dict(change.split("=") for change in changes.split(",")) if changes else {}
    settings = default_settings(name).model_dump() | {key: yaml.safe_load(value) for key, value in asked.items()}
    training, validation = validated(task, training, strategy.validation_share(len(training)), job.seed)
    with TemporaryDirectory() as workspace:
        fit = FitJob(
            encoder=encoder, task=task, labels=names, descriptions={}, training=training, validation=validation,
            settings=strategy.settings.model_validate(settings), seed=job.seed, device=device,
            workspace=Path(workspace), cache=None, measure=TASKS[task].measures[0],
        )  # fmt: skip
        return strategy.fit(fit).model


def by_trainer(job: Job, encoder: Path, task: str, names: Sequence[str], training: Any, device: Any) -> Any:
    """Fit by transformers' Trainer at its defaults, with the stock head on the same tokens; all weights or a part."""
    import torch
    from transformers import Trainer, TrainingArguments

    from advisor.backend.batching import collate
    from advisor.backend.new_head import with_new_head
    from advisor.backend.objectives import objective_for
    from advisor.backend.tuning_settings import ReadingSettings

    reading = ReadingSettings(long_texts="truncate", overlap=1 / 3, longest_answer=30)
    objective = objective_for(task, names, reading)
    model = with_new_head(encoder, objective, device.in_fp32(), seed=job.seed)
    if model.mean_pooled:
        torch.manual_seed(job.seed)
        fresh = type(model.model)(model.model.config)
        fresh.base_model.load_state_dict(model.model.base_model.state_dict(), strict=False)
        model.model, model.mean_pooled = fresh.to(device.torch), False
    keep_part(model, job.way.partition("-")[2])
    units = model.units(training.inputs)
    aims = objective.aims(units, training.targets)

    class Mean(Trainer):
        """Takes the loss from the objective, which is the library's own: cross-entropy and its like."""

        def compute_loss(self, model: Any, inputs: Any, *_: Any, **more: Any) -> Any:
            batch = inputs["numbers"].tolist()
            chosen = [units[number] for number in batch]
            ids, mask = collate([unit.ids for unit in chosen], int(tokenizer.pad_token_id or 0), device.torch)
            kinds = [unit.kinds for unit in chosen if unit.kinds is not None]
            known = {"token_type_ids": collate(kinds, 0, device.torch)[0]} if kinds else {}
            logits = objective.read(model(input_ids=ids, attention_mask=mask, **known))
            goals = [aims[number] for number in batch]
            return objective.loss(logits, chosen, goals) / sum(map(objective.weight, goals))

    tokenizer = model.tokenizer
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=EPOCHS, learning_rate=RATE, per_device_train_batch_size=BATCH, seed=job.seed,
            save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True, remove_unused_columns=False,
            use_cpu=device.kind == "cpu", dataloader_pin_memory=False,
        )  # fmt: skip
        rows = [{"numbers": number} for number in range(len(units))]
        Mean(
            model=model.model, args=arguments, train_dataset=rows,
            data_collator=lambda batch: {"numbers": torch.tensor([row["numbers"] for row in batch])},
        ).train()  # fmt: skip
    model.model.eval()
    return model


def keep_part(model: Any, strategy: str) -> None:
    """Leave to learn what a strategy leaves: the top layers, or peft's adapters at their defaults, and the head."""
    from peft import LoraConfig, get_peft_model

    from advisor.backend.layers import freeze
    from advisor.backend.tuning_settings import TuningSettings
    from advisor.estimates.forecast import default_settings

    kinds = {"token-classification": "TOKEN_CLS", "question-answering": "QUESTION_ANS"}
    if strategy == "partial-unfreezing":
        freeze(model.model, cast(TuningSettings, default_settings(strategy)))
    elif strategy == "lora":
        model.model = get_peft_model(model.model, LoraConfig(task_type=kinds.get(model.task, "SEQ_CLS")))


def by_setfit(
    job: Job, encoder: Path, task: str, names: Sequence[str], training: Any, test: Any, device: str, limit: float
) -> tuple[Any, Any, dict[str, Any]]:
    """Fit by SetFit at its defaults; return its classes as outputs of 0 and 1, thresholds, steps done and planned."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from transformers import TrainerCallback

    class Limit(TrainerCallback):
        """Stops when time is up."""

        steps, asked, until = 0, 0, time.perf_counter() + limit

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            self.steps, self.asked = state.global_step, state.max_steps
            control.should_training_stop = control.should_training_stop or time.perf_counter() > self.until
            return control

    several = task == "multi-label"
    model = SetFitModel.from_pretrained(
        str(encoder), local_files_only=True, device=device,
        **({"multi_target_strategy": "one-vs-rest"} if several else {}),
    )  # fmt: skip
    ended = Limit()
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, seed=job.seed, report_to="none", save_strategy="no", logging_strategy="no", show_progress_bar=False
        )
        rows = {"text": list(training.inputs), "label": training.targets.astype(int).tolist()}
        Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict(rows), callbacks=[ended]).train()
    found = np.asarray(model.predict(list(test.inputs), as_numpy=True))
    outputs = found.astype(np.float32) if several else np.eye(len(names), dtype=np.float32)[found.astype(int)]
    thresholds = np.full(len(names), 0.5, dtype=np.float32) if several else None
    return outputs, thresholds, {"steps": ended.steps, "steps_asked": ended.asked}


def table(results: Sequence[dict[str, Any]], measured: str | None = None) -> str:
    """Return a markdown table of a measure, the leading one if none is named: mean and deviation over seeds.

    Rows with nothing to compare are left out.
    """
    from advisor.tasks import TASKS

    cells: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in results:
        cells[row["data"], row["labelled"]][row["way"]].append(row[measured or TASKS[row["task"]].measures[0].key])
    ways = list(dict.fromkeys(row["way"] for row in results))
    lines = [f"| data | rows | {' | '.join(ways)} |", f"|---|---|{'---|' * len(ways)}"]
    for (data, rows), found in sorted(cells.items()):
        if len(found) == 1 < len(ways):
            continue
        shown = [
            f"{mean(values):.3f} ± {stdev(values):.3f}" if len(values) > 1 else "".join(f"{v:.3f}" for v in values)
            for values in (found[way] for way in ways)
        ]
        lines.append(f"| {data} | {rows} | {' | '.join(shown)} |")
    return "\n".join(lines)


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, metavar="DATA_FOLDER...")
@click.option("--way", "ways", multiple=True, default=("full-fine-tuning", "trainer"), show_default=True)
@click.option("--rows", multiple=True, type=int, help="Training rows; all if left out.")
@click.option("--per-class", multiple=True, type=int, help="Training rows of each class instead.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--test-rows", default=1000, show_default=True)
@click.option("--encoder", help="Folder of the encoder; the embedded one if left out.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--workers", default=1, show_default=True, help="Measurements at the same time.")
@click.option("--threads", default=2, show_default=True, help="Threads of each.")
@click.option("--limit", default=600.0, show_default=True, help="Seconds of training after which SetFit is stopped.")
@click.option("--measure", "measured", help="What the table shows, such as processor_seconds.")
@click.option("--results", type=click.Path(path_type=Path), required=True)
@click.option("--table", "only_table", is_flag=True, help="Print what is there of the ways, measure nothing.")
def main(
    folders: tuple[str, ...], ways: tuple[str, ...], rows: tuple[int, ...], per_class: tuple[int, ...], seeds: int,
    test_rows: int, encoder: str | None, device: str, workers: int, threads: int, limit: float, measured: str | None,
    results: Path, only_table: bool,
) -> None:  # fmt: skip
    """Measure what is not measured yet."""
    known = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    if only_table:
        click.echo(table([row for row in known if row["way"] in ways], measured))
        return
    if encoder is None:
        from advisor.knowledge.catalogue import load_catalogue
        from advisor.knowledge.weights import locate_model

        encoder = str(locate_model(load_catalogue().default_model).folder)
    sizes: list[tuple[int | None, int | None]] = [(count, None) for count in rows]
    sizes += [(None, count) for count in per_class]
    jobs = [
        Job(data, way, some, each, seed)
        for seed in range(seeds)
        for data in folders
        for some, each in sizes or [(None, None)]
        for way in ways
    ]
    done = {tuple(row[name] for name in Job._fields) for row in known}
    left = [job for job in jobs if job.key() not in done]
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    results.parent.mkdir(parents=True, exist_ok=True)
    work = partial(measure, encoder=encoder, device=device, threads=threads, test_rows=test_rows, limit=limit)
    with ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=1) as pool, results.open("a") as file:
        running = {pool.submit(work, job): job for job in left}
        for ended in as_completed(running):
            if failure := ended.exception():
                click.echo(f"{running[ended]}: {failure!r}", err=True)
            elif found := ended.result():
                file.write(json.dumps(found) + "\n")
                file.flush()
                click.echo(json.dumps(found), err=True)
    click.echo(table([json.loads(line) for line in results.read_text().splitlines()], measured))


if __name__ == "__main__":
    main()
