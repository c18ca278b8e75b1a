"""How labelled rows are used: labels, their weights, and what quality is measured on."""

from collections import Counter
from itertools import chain
from typing import Literal, cast

from advisor.data.duplicates import folded
from advisor.data.examples import context_of
from advisor.data.names import shown
from advisor.data.reading import LabelledData
from advisor.errors import InputError
from advisor.plan.plan import PlannedSplit
from advisor.profile import Profile
from advisor.settings import load_settings
from advisor.strategies import Engine, Strategy
from advisor.tasks import TASKS, WRITING, Measure, Task

_FEWEST_FOLDS = 2


def planned_labels(profile: Profile, data: LabelledData) -> dict[str, str | None]:
    """Return classes or tags with what the profile says of them; a tag's type has the description."""
    found, named = data.label_names, profile.task.labels or {}
    if TASKS[data.task].predicts not in ("class", "classes", "tags"):
        return {}
    kinds = {tag: tag.partition("-")[2] or None if TASKS[data.task].predicts == "tags" else tag for tag in found}
    there = {kind for kind in kinds.values() if kind}
    if named and set(named) != there and profile.source("task.labels") != "detected":
        missing, unknown = sorted(set(named) - there), sorted(there - set(named))
        parts = [f"the data lack {', '.join(map(shown, missing))}"] if missing else []
        parts += [f"the profile lacks {', '.join(map(shown, unknown))}"] if unknown else []
        raise InputError(f"task.labels and {data.train_part.path} disagree: {'; '.join(parts)}")
    return {name: named.get(kind) if kind else None for name, kind in kinds.items()}


def insist_on_apart(data: LabelledData) -> None:
    """Refuse rows of which none can be held out: all questions about one context, or one prompt to answer.

    Raises:
        InputError: it is so.
    """
    predicts = TASKS[data.task].predicts
    if predicts in ("span", *WRITING) and _contexts(data) < _FEWEST_FOLDS:
        shared = "context" if predicts == "span" else "prompt"
        raise InputError(
            f"{data.train_part.path}: one {shared} in all {len(data.train):,} rows leaves none to measure on; add a "
            "test file"
        )


def _contexts(data: LabelledData) -> int:
    return len(set(map(context_of, data.train.inputs)))


def _counts(data: LabelledData) -> list[int]:
    """Return how many rows each class has; without classes one number, of contexts or of rows."""
    match TASKS[data.task].predicts:
        case "class":
            return list(Counter(data.train.labels).values())
        case "classes":
            return list(Counter(chain.from_iterable(cast("list[tuple[str, ...]]", data.train.labels))).values())
        case "span":
            return [_contexts(data)]
        case _:
            return [len(data.train)]


def class_weights(
    data: LabelledData, measure: Measure, strategy: Strategy
) -> tuple[Literal["none", "balanced"], list[str]]:
    """Weight classes where they are imbalanced and the measure counts them alike; it costs accuracy otherwise."""
    counts = _counts(data)
    ratio = max(counts) / min(counts)
    if strategy.family == "prompting" or ratio < load_settings("evaluation.yaml")["balance_from"]:
        return "none", []
    if measure.key == "macro_f1":
        return "balanced", []
    return "none", [f"The largest class is {ratio:.0f} times the smallest; task.metric=macro-f1 would weight classes."]


def other_measure(profile: Profile, task: Task) -> list[str]:
    """Say that the metric asked for does not judge the task, and what does."""
    asked, leads = profile.task.metric, task.measure(profile.task.metric)
    if asked in (None, leads.choice):
        return []
    known = ", ".join(measure.choice for measure in task.measures if measure.choice)
    return [f"task.metric is {asked}, which does not judge {task.title}; {leads.title} leads. Known: {known}."]


def seen_before(data: LabelledData) -> list[str]:
    """Say how many test rows the training data have too: on these memory is measured."""
    if data.test is None:
        return []
    known = set(map(folded, data.train.inputs))
    count = sum(folded(one) in known for one in data.test.inputs)
    share = f"{count:,} of {len(data.test):,} test {TASKS[data.task].unit}"
    return [f"{share} stand in the training data too, which flatters what is measured."] if count else []


def planned_split(data: LabelledData, strategy: Strategy, engine: Engine = "encoder") -> PlannedSplit:
    """Return what quality is measured on: the test file, a part held out of many rows, or folds of few.

    A language model that is prompted gets fewer folds: for each it is asked again which prompt does best. What a
    generator writes is never cross-validated: every fold would tune it again.

    Raises:
        InputError: there is no test file, and only one row a class, or one context or prompt in all rows.
    """
    settings, validation = load_settings("evaluation.yaml"), strategy.validation_share(len(data.train))
    if data.test is not None:
        return PlannedSplit(kind="test-file", validation_share=validation)
    writes = TASKS[data.task].predicts in WRITING
    if writes or strategy.needs_labels:
        insist_on_apart(data)
    if writes or len(data.train) >= settings["cross_validate_below"]:
        return PlannedSplit(kind="held-out", share=settings["test_share"], validation_share=validation)
    most = max(_counts(data))
    if strategy.needs_labels and most < _FEWEST_FOLDS:
        raise InputError(f"{data.train_part.path}: one example a class leaves none to measure on; add a test file")
    wished = settings["folds" if engine == "encoder" else "folds_of_prompts"]
    folds = max(_FEWEST_FOLDS, min(wished, most))
    return PlannedSplit(kind="cross-validation", folds=folds, validation_share=validation)
