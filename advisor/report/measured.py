"""What a run measured, in words: beside its forecast and the baselines, class by class, its worst errors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from advisor.plan.plan import Plan
from advisor.report.escaping import one_line
from advisor.report.figures import METRIC_NAMES, Expected, expected, metric_key, score
from advisor.report.units import QUANTITIES, value_of
from advisor.run.progress import clock
from advisor.run.result import Result
from advisor.strategies import STRATEGIES

_MATRIX_CLASSES = 20
_PAIRS = 15
_ERRORS = 10
_TEXT_LETTERS = 320


@dataclass(frozen=True)
class Compared:
    """A forecast beside its measurement; ``outcome`` is within, above, below or unknown."""

    title: str
    forecast: Expected
    measured: Expected
    outcome: str


@dataclass(frozen=True)
class Bar:
    """A score from 0 to 1 as a bar; bounds are None where there is no interval."""

    title: str
    value: float
    low: float | None
    high: float | None
    own: bool


@dataclass(frozen=True)
class Confused:
    """A pair of classes that the model confuses: how many rows of ``truth`` were taken for ``predicted``."""

    truth: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix with its share of the row."""

    count: int
    share: float
    diagonal: bool


@dataclass(frozen=True)
class Mistake:
    """A wrong prediction."""

    row: int
    text: str
    label: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Measured:
    """The measured part of a report; exactly one of ``matrix`` and ``pairs`` is there."""

    sentence: str
    rows: int
    compared: list[Compared]
    bars: list[Bar]
    bar_metric: str
    metrics: list[tuple[str, Expected]]
    classes: list[dict[str, Any]]
    labels: list[str]
    matrix: list[tuple[str, list[Cell]]] | None
    pairs: list[Confused] | None
    calibration: str
    mistakes: list[Mistake]
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
    confusion = result.confusion or {"labels": [], "rows": []}
    labels, counts = confusion["labels"], confusion["rows"]
    small = len(labels) <= _MATRIX_CLASSES
    metric = metric_key(plan)
    bars = _bars(result, metric)
    return Measured(
        sentence=_sentence(result, metric, bars),
        rows=result.data["measured_rows"],
        compared=list(_compared(result)),
        bars=bars,
        bar_metric=METRIC_NAMES[metric],
        metrics=[(METRIC_NAMES[name], score(result.metrics[name])) for name in METRIC_NAMES],
        classes=result.classes,
        labels=labels,
        matrix=_matrix(labels, counts) if small else None,
        pairs=None if small else _most_confused(labels, counts),
        calibration=_calibration(result),
        mistakes=_mistakes(errors),
        chosen=result.chosen,
        device=result.device,
        parity=f"{parity['texts']:.0f} texts, largest difference {parity['largest_difference']:.1e}",
        resumed=result.resumed,
    )


def _sentence(result: Result, metric: str, bars: list[Bar]) -> str:
    others = [bar for bar in bars if not bar.own]
    own, best = result.metrics[metric]["value"], max(others, key=lambda bar: bar.value, default=None)
    title = STRATEGIES[result.strategy].title if result.strategy in STRATEGIES else result.strategy
    title = title[:1].upper() + title[1:]
    rows = f"{result.data['measured_rows']:,} texts it had not seen"
    said = f"{title} reached {METRIC_NAMES[metric]} {own:.2f} on {rows}"
    if best is None:
        return f"{said}."
    gap = own - best.value
    return f"{said}, {abs(gap):.2f} {'above' if gap >= 0 else 'below'} {best.title}."


def _bars(result: Result, metric: str) -> list[Bar]:
    own = result.metrics[metric]
    bars = [Bar(_baseline(name), found[metric], None, None, False) for name, found in result.baseline.items()]
    return [*bars, Bar(result.strategy, own["value"], own.get("low"), own.get("high"), True)]


def _baseline(name: str) -> str:
    return "the majority class" if name == "majority" else name


def _compared(result: Result) -> Iterable[Compared]:
    for name in ("quality", "train_seconds", "train_memory_bytes", "latency_ms_p50", "latency_ms_p95"):
        measured = result.measured.get(name)
        if measured is None:
            continue
        forecast = result.forecast.get(name)
        shown = Expected(clock(measured) if name == "train_seconds" else value_of(name, measured))
        if name == "quality":
            shown = score(result.metrics["accuracy"])
        yield Compared(QUANTITIES[name].title, expected(name, forecast), shown, _outcome(forecast, measured))


def _outcome(forecast: dict[str, float] | None, measured: float) -> str:
    if forecast is None:
        return "unknown"
    if measured < forecast["low"]:
        return "below"
    return "above" if measured > forecast["high"] else "within"


def _matrix(labels: list[str], counts: list[list[int]]) -> list[tuple[str, list[Cell]]]:
    return [
        (
            label,
            [Cell(count, round(count / max(sum(row), 1), 3), number == place) for place, count in enumerate(row)],
        )
        for number, (label, row) in enumerate(zip(labels, counts, strict=True))
    ]


def _most_confused(labels: list[str], counts: list[list[int]]) -> list[Confused]:
    pairs = [
        Confused(labels[truth], labels[predicted], count, count / max(sum(row), 1))
        for truth, row in enumerate(counts)
        for predicted, count in enumerate(row)
        if truth != predicted and count
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:_PAIRS]


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


def _mistakes(errors: Iterable[dict[str, Any]]) -> list[Mistake]:
    wrong = [
        Mistake(
            row=int(row.get("row", 0)),
            text=_cut(str(row["text"])),
            label=str(row["label"]),
            predicted=str(row["predicted"]),
            confidence=float(row["probabilities"][row["predicted"]]),
        )
        for row in errors
        if row["label"] != row["predicted"]
    ]
    return sorted(wrong, key=lambda mistake: (-mistake.confidence, mistake.row))[:_ERRORS]


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _TEXT_LETTERS else f"{line[:_TEXT_LETTERS].rstrip()} …"
