"""What a run measured, in words: beside its forecast and the baselines, class by class, its worst errors."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from advisor.plan.plan import Plan
from advisor.report.confusion import Confusion, confusion_of
from advisor.report.figures import Expected, expected, outcome, point, score
from advisor.report.mistakes import Mistakes, mistakes_of
from advisor.report.task_words import forecast_measure, unit_of
from advisor.report.units import QUANTITIES, capital, significant, value_of
from advisor.run.progress import clock
from advisor.run.result import Result
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS, Measure, Predicts

_BASELINES = {
    "majority": "the majority class",
    "label-shares": "labels by their share",
    "mean": "answering the mean",
    "no-entity": "tagging nothing",
    "first-sentence": "answering the first sentence",
    "echo": "repeating the prompt",
    "longer": "preferring the longer answer",
    "untuned": "the model before tuning",
    "after-sft": "the model after SFT alone",
}
_OF_TOKENS = ("tokens_in", "tokens_out", "usd_per_1000", "spent_usd")
_AVERAGE_PRECISION = Measure("average_precision", "mean average precision")
_TABLES: dict[Predicts, tuple[str, str]] = {
    "class": ("Class", "Class by class"),
    "classes": ("Label", "Label by label"),
    "tags": ("Type", "Type by type"),
}


@dataclass(frozen=True)
class Compared:
    """A forecast beside its measurement; ``outcome`` is within, above, below or unknown."""

    title: str
    forecast: Expected
    measured: Expected
    outcome: str


@dataclass(frozen=True)
class Bar:
    """A score as a bar: what it is in words, and from 0 to 1 how far the bar and its whisker reach.

    Bounds are None where there is no interval. Scores that have no upper bound are drawn relative to the highest.
    """

    title: str
    value: str
    fill: float
    low: float | None
    high: float | None
    own: bool


@dataclass(frozen=True)
class Difference:
    """By how much the model is above a baseline by each measure, row by row; what it is compared with, in words."""

    title: str
    values: list[tuple[str, Expected]]


@dataclass(frozen=True)
class Table:
    """The table of classes, labels or types of entity: what a line is called, a heading, and what is counted."""

    line: str
    title: str
    counted: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """The measured part of a report.

    Attributes:
        unit: what the rows measured are called, in the plural.
        differences: to what a generator was before it was tuned.
        table: None for numbers and answers.
        seeds: the measure that leads with other seeds, where they were tried.
        confusion: None but for single classes.
    """

    sentence: str
    rows: int
    unit: str
    compared: list[Compared]
    bars: list[Bar]
    bar_metric: str
    differences: list[Difference]
    metrics: list[tuple[str, Expected]]
    table: Table | None
    confusion: Confusion | None
    calibration: str
    seeds: str
    mistakes: Mistakes
    chosen: dict[str, Any]
    device: dict[str, str]
    parity: str
    resumed: bool


def measured_page(plan: Plan, result: Result, errors: Iterable[dict[str, Any]]) -> Measured:
    """Put the result of a run into words.

    Args:
        plan: the plan that ran.
        result: what it found.
        errors: rows of ``predictions.jsonl``; right ones among them are passed over.
    """
    parity = result.parity
    own = plan.measure
    return Measured(
        sentence=_sentence(plan, result),
        rows=result.data["measured_rows"],
        unit=unit_of(plan),
        compared=list(_compared(plan, result)),
        bars=_bars(result, own),
        bar_metric=own.title,
        differences=list(_differences(plan, result)),
        metrics=list(_metrics(plan, result)),
        table=_table(plan, result),
        confusion=confusion_of(result.confusion),
        calibration=_calibration(result),
        seeds=seed_spread(result, own),
        mistakes=mistakes_of(plan.task, errors),
        chosen=result.chosen,
        device=result.device,
        parity=f"{parity['texts']:.0f} {unit_of(plan)}, largest difference {parity['largest_difference']:.1e}",
        resumed=result.resumed,
    )


def baseline_values(result: Result, measure: Measure) -> dict[str, float]:
    """Return a measure of every baseline that has one; an answer without a model has no perplexity."""
    return {name: found[measure.key] for name, found in result.baseline.items() if measure.key in found}


def baseline_difference(result: Result, name: str, measure: Measure) -> str:
    """Return by how much the model is above a baseline, with its interval; nothing where that is not known."""
    found = result.differences.get(name, {}).get(measure.key)
    return score(measure, found).both if found else ""


def baseline_title(name: str) -> str:
    """Return a baseline of a result in words."""
    return _BASELINES.get(name, name)


def seed_spread(result: Result, measure: Measure) -> str:
    """Return a sentence on how a measure came out with other seeds; nothing where none was tried."""
    others = [found[measure.key] for found in result.seeds.values()]
    if not others:
        return ""
    every = [result.metrics[measure.key]["value"], *others]
    mean, spread = point(measure, fmean(every)), stdev(every)
    told = ", ".join(point(measure, value) for value in others)
    fits = "Another fit" if len(others) == 1 else f"{len(others)} more fits"
    return (
        f"{fits} with {'another seed' if len(others) == 1 else 'other seeds'} reached {measure.title} {told}; the mean "
        f"of all {len(every)} is {mean}, their standard deviation {significant(spread)}."
    )


def _sentence(plan: Plan, result: Result) -> str:
    measure = plan.measure
    own = result.metrics[measure.key]["value"]
    title = STRATEGIES[result.strategy].title if result.strategy in STRATEGIES else result.strategy
    rows = f"{result.data['measured_rows']:,} {unit_of(plan)} it had not seen"
    said = f"{capital(title)} reached {measure.title} {point(measure, own)} on {rows}"
    others = baseline_values(result, measure)
    if not others:
        return f"{said}."
    best = (min if measure.lower_is_better else max)(others, key=lambda name: others[name])
    apart = point(measure, abs(own - others[best]))
    return f"{said}, {apart} {'above' if own >= others[best] else 'below'} {baseline_title(best)}."


def _bars(result: Result, measure: Measure) -> list[Bar]:
    own = result.metrics[measure.key]
    others = [(baseline_title(name), value) for name, value in baseline_values(result, measure).items()]
    full = max((own["high"], *(value for _, value in others))) if measure.in_label_units else 1.0

    def bar(title: str, found: dict[str, float], is_own: bool) -> Bar:
        fill, low, high = (min(max(found[name] / (full or 1.0), 0.0), 1.0) for name in ("value", "low", "high"))
        known = found["low"] < found["high"]
        return Bar(title, score(measure, found).value, fill, low if known else None, high if known else None, is_own)

    bars = [bar(title, {"value": value, "low": value, "high": value}, False) for title, value in others]
    return [*bars, bar(result.strategy, own, True)]


def _metrics(plan: Plan, result: Result) -> Iterable[tuple[str, Expected]]:
    for measure in dict.fromkeys((plan.measure, *TASKS[plan.task].measures, _AVERAGE_PRECISION)):
        if measure.key in result.metrics:
            yield measure.title, score(measure, result.metrics[measure.key])


def _differences(plan: Plan, result: Result) -> Iterable[Difference]:
    for name, found in result.differences.items():
        values = [
            (measure.title, score(measure, found[measure.key]))
            for measure in dict.fromkeys((plan.measure, *TASKS[plan.task].measures))
            if measure.key in found
        ]
        yield Difference(baseline_title(name), values)


def _table(plan: Plan, result: Result) -> Table | None:
    predicts = TASKS[plan.task].predicts
    if not result.classes or predicts not in _TABLES:
        return None
    line, title = _TABLES[predicts]
    return Table(line, title, "Entities" if predicts == "tags" else capital(unit_of(plan)), result.classes)


def _compared(plan: Plan, result: Result) -> Iterable[Compared]:
    for name in ("quality", "train_seconds", "train_memory_bytes", "latency_ms_p50", "latency_ms_p95", *_OF_TOKENS):
        forecast, measured, title = result.forecast.get(name), result.measured.get(name), QUANTITIES[name].title
        if name == "quality":
            measure = forecast_measure(plan)
            title, found = capital(measure.title), result.metrics[measure.key]
            measured, shown = found["value"], score(measure, found)
        elif measured is None:
            continue
        else:
            shown = Expected(clock(measured) if name == "train_seconds" else value_of(name, measured))
        yield Compared(title, expected(name, forecast), shown, outcome(forecast, measured))


def _calibration(result: Result) -> str:
    error = result.metrics.get("expected_calibration_error", {}).get("value")
    loss = result.metrics.get("log_loss", {}).get("value")
    parts = []
    if error is not None:
        parts.append(
            f"On average a stated probability is {error * 100:.1f} points off the share that proves right "
            "(expected calibration error)."
        )
    if loss is not None:
        parts.append(f"Log loss {loss:.3f}.")
    return " ".join(parts)
