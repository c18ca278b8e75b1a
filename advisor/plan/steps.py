"""The steps of a plan in the textbook's order, from the choice of a model to its export."""

from collections.abc import Mapping
from typing import Any

from advisor.data.reading import LabelledData
from advisor.knowledge.weights import LocatedModel
from advisor.plan.plan import PlannedModel, PlannedSplit, PlannedStep
from advisor.strategies import STRATEGIES, Strategy
from advisor.strategies.modifiers import DISTILLATION, MORE_PRETRAINING, MULTI_SEED
from advisor.tasks import TASKS, WRITING


def planned_steps(
    strategy: Strategy,
    model: PlannedModel,
    located: LocatedModel | None,
    data: LabelledData,
    split: PlannedSplit,
    modifiers: Mapping[str, Any],
    *,
    prompted: bool,
) -> list[PlannedStep]:
    """Return the textbook's order: choose, discard the head, add the task's, prepare, train, evaluate, export.

    Args:
        strategy: what is carried out.
        model: as the plan pins it.
        located: its files, where they are on this machine.
        data: the labelled data.
        split: what quality is measured on.
        modifiers: settings of what is added to the strategy, by name.
        prompted: whether a language model is prompted rather than an encoder adapted.
    """
    measured = {
        "test-file": f"Predict the {len(data.test or ())} rows of the test file",
        "held-out": f"Predict the {split.share or 0:.0%} of the rows held out by a stratified split",
        "cross-validation": f"Predict every row by {split.folds}-fold cross-validation, then fit on all rows",
    }[split.kind]
    validation = (
        f" Hold out {split.validation_share:.0%} of the training rows to choose the checkpoint."
        if split.validation_share
        else ""
    )
    task = TASKS[data.task]
    labels = f", {len(data.label_names)} labels" if data.label_names else ""
    compared = (
        "the majority class and with zero-shot"
        if STRATEGIES["zero-shot"].handles(task.id, "encoder")
        else "the model before tuning"
        if task.predicts in WRITING and not prompted
        else "an answer that takes no model"
    )
    steps = [
        (
            "model",
            "Choose the pre-trained model",
            f"{located.name}: {located.facts.parameters:,} parameters, pinned."
            if located
            else f"{model.id}, as its server has it: what a server answers with cannot be pinned.",
        ),
        ("discard-head", "Discard its pre-training head", f"{model.discarded_head}."),
        ("add-head", "Add the task's head", f"{model.task_head}{labels}."),
        (
            "prepare",
            "Prepare the labelled data",
            f"Check {len(data.train):,} rows against their hash.{validation}",
        ),
        ("train", f"Train: {strategy.changes}", strategy.asks if prompted else strategy.trains),
        ("evaluate", "Evaluate", f"{measured}; compare with {compared}."),
        (
            "export",
            "Export",
            f"Write the {'prompt' if prompted else 'model'}, load it in a fresh process, compare its outputs.",
        ),
    ]
    if MORE_PRETRAINING in modifiers:
        steps.insert(1, ("pretrain", "Go on with its pre-training",
            f"Guess tokens in {len(data.unlabelled):,} unlabelled texts and those of the training rows; test rows are "
            "left out.",
        ))  # fmt: skip
    if DISTILLATION in modifiers:
        place = next(number for number, step in enumerate(steps) if step[0] == "train")
        share = modifiers[DISTILLATION]["kept_share"]
        steps.insert(place, ("label", "Label unlabelled texts",
            f"Let a prompted teacher label {len(data.unlabelled):,} texts, learn from the {share:.0%} it is surest of; "
            "check its labels on those of people.",
        ))  # fmt: skip
    if MULTI_SEED in modifiers:
        place = next(number for number, step in enumerate(steps) if step[0] == "evaluate")
        count = modifiers[MULTI_SEED]["seeds"]
        steps.insert(place, ("seeds", "Repeat with other seeds", f"Fit {count} times in all; report the spread."))
    return [PlannedStep(id=name, title=title, does=does) for name, title, does in steps]
