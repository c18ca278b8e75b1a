"""The page: everything a written report says about a plan, in words, before any layout."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from advisor.knowledge.rulebase import load_rulebase
from advisor.plan.plan import Plan
from advisor.profile import INPUTS
from advisor.report.charts import Map, Option, Plot, lay_out_map, option_of, quality_cost_plot
from advisor.report.measured import METRIC_NAMES, Measured, measured_page
from advisor.report.record import spoken
from advisor.report.units import QUANTITIES, interval_of, range_of, value_of
from advisor.run.progress import clock
from advisor.run.result import Result
from advisor.strategies import STRATEGIES

_CITED = re.compile(r"arXiv (\d{4}\.\d{4,5})|(?<=, )(\d{4}\.\d{4,5})(?=,|$)")
_WITH = {"prompting": "with", "freezing": "of", "fine-tuning": "of"}
_FORECAST = (
    "quality", "train_seconds", "train_memory_bytes", "latency_ms_p50", "latency_ms_p95", "train_usd", "usd_per_1000",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One of the three numbers on top."""

    title: str
    value: str
    range: str
    note: str


@dataclass(frozen=True)
class Choice:
    """One option in the table: the plan's advice first, then the alternatives."""

    strategy: str
    title: str
    model: str
    changes: str
    quality: str
    seconds: str
    latency: str
    usd_per_1000: str
    first: bool
    why_not: list[str]
    dominated_by: str | None


@dataclass(frozen=True)
class Forecasted:
    """A row of the forecast: low, point and high, and the same in one piece."""

    title: str
    low: str
    point: str
    high: str


@dataclass(frozen=True)
class Finding:
    """A cited finding; ``cited`` is its source in pieces, each with the address of the paper or None."""

    id: str
    claim: str
    conditions: str
    certainty: str
    rated_down: str | None
    cited: list[tuple[str, str | None]]
    read: str


@dataclass(frozen=True)
class Page:
    """A report's content; what is not known is None or empty."""

    plan: Plan
    sentence: str
    advised: str
    departs: bool
    metric: str
    facts: list[str]
    figures: list[Figure]
    note: str | None
    reasons: list[dict[str, Any]]
    objections: list[dict[str, Any]]
    flips: list[dict[str, str]]
    map: Map | None
    questions: list[dict[str, Any]]
    stability: float | None
    plot: Plot | None
    choices: list[Choice]
    excluded: list[dict[str, Any]]
    forecast: list[Forecasted]
    challenger: str | None
    risks: list[str]
    evidence: list[Finding]
    rules_changed: bool
    inputs: list[dict[str, str]]
    assumed: list[dict[str, str]]
    measured: Measured | None

    @property
    def short_model(self) -> str:
        """The model's name without its owner."""
        return _short(self.plan.model.id)


def plan_page(
    plan: Plan, record: dict[str, Any] | None, result: Result | None = None, errors: Iterable[dict[str, Any]] = ()
) -> Page:
    """Put a plan, the record of its advice and the result of its run into words.

    Args:
        plan: the plan.
        record: `advice_record` or `Advice.as_dict`; what only these tell is left out where it is None.
        result: of the plan's run, if it ran.
        errors: wrong predictions of that run.
    """
    record = record or {}
    reasons = record.get("reasons") or [{"rule": "", "because": because, "evidence": []} for because in plan.advice.because]
    findings, changed = _evidence(plan)
    choices = _choices(record)
    challenger = _challenger(plan, record)
    return Page(
        plan=plan,
        sentence=_sentence(plan.strategy, plan.family, plan.model.id),
        advised=_title(plan.advice.strategy),
        departs=plan.strategy != plan.advice.strategy,
        metric=METRIC_NAMES[plan.metric.replace("-", "_")],
        facts=_facts(plan, record),
        figures=_figures(plan, result),
        note=record.get("verdict", {}).get("note"),
        reasons=[reason for reason in reasons if "favours" not in reason],
        objections=[{**reason, "title": _title(reason["favours"])} for reason in reasons if "favours" in reason],
        flips=[_flip(flip) for flip in record.get("flips", ())],
        map=_map(record.get("map")),
        questions=[
            {
                **question,
                "assumed": spoken(question["input"], question["assumed"]),
                "could_become": [_title(strategy) for strategy in question["could_become"]],
            }
            for question in record.get("questions", ())
        ],
        stability=record.get("stability"),
        plot=_plot(plan, record, result),
        choices=choices,
        excluded=[{**row, "title": _title(row["strategy"])} for row in record.get("excluded", ())],
        forecast=[_forecasted(name, plan.forecast.get(name)) for name in _FORECAST if name in plan.forecast],
        challenger=challenger,
        risks=_risks(plan, record, findings),
        evidence=findings,
        rules_changed=changed,
        inputs=[{**row, "value": spoken(row["input"], row["value"])} for row in record.get("inputs", ())],
        assumed=[
            {"input": name, "question": INPUTS[name].question if name in INPUTS else name, "value": spoken(name, value)}
            for name, value in record.get("assumed", {}).items()
        ],
        measured=measured_page(plan, result, errors) if result else None,
    )


def _title(strategy: str) -> str:
    known = STRATEGIES.get(strategy)
    return known.title if known else strategy


def _short(model: str) -> str:
    return model.rstrip("/").rpartition("/")[2] or model


def _sentence(strategy: str, family: str, model: str) -> str:
    known = STRATEGIES[strategy]
    return f"{known.verb}: {known.title} {_WITH.get(family, 'of')} {_short(model)}"


def _facts(plan: Plan, record: dict[str, Any]) -> list[str]:
    given = {row["input"]: row["value"] for row in record.get("inputs", ())}
    smallest = given.get("data.smallest_class")
    device = given.get("compute.device") or record.get("assumed", {}).get("compute.device")
    measured = {
        "test-file": f"measured on {plan.data.test.rows:,} held-out texts" if plan.data.test else "",
        "held-out": f"measured on {plan.data.split.share or 0:.0%} held out",
        "cross-validation": f"measured by {plan.data.split.folds}-fold cross-validation",
    }[plan.data.split.kind]
    facts = [
        f"{len(plan.labels)} classes",
        f"{plan.data.train.rows:,} labelled texts" + (f", rarest class {smallest:,}" if isinstance(smallest, int) else ""),
        f"trained on a {'GPU' if device == 'gpu' else 'processor'}" if device else "",
        measured,
    ]
    return [fact for fact in facts if fact]


def _figures(plan: Plan, result: Result | None) -> list[Figure]:
    forecast = plan.forecast
    usd, answers = forecast.get("train_usd"), forecast.get("usd_per_1000")
    answers_note = "price of answers unknown" if answers is None else f"{value_of('usd_per_1000', answers['point'])} per 1,000 answers"
    cost = Figure("Cost of training", value_of("usd", usd["point"] if usd else None), range_of("usd", usd), answers_note)
    quality, seconds = forecast.get("quality"), forecast.get("train_seconds")
    if result is not None:
        name = plan.metric.replace("-", "_")
        metric = result.metrics[name]
        expected = f"forecast accuracy {interval_of('quality', quality)}" if quality else "no quality had been forecast"
        return [
            Figure(
                f"Measured {METRIC_NAMES[name]}",
                value_of("quality", metric["value"]),
                range_of("quality", {**metric, "point": metric["value"]}) if "low" in metric else "",
                expected,
            ),
            cost,
            Figure(
                "Measured training time", clock(result.measured["train_seconds"]), "",
                f"forecast {interval_of('train_seconds', seconds)}",
            ),
        ]  # fmt: skip
    return [
        Figure(
            "Expected accuracy",
            value_of("quality", quality["point"]) if quality else "not known yet",
            range_of("quality", quality),
            "on texts like the labelled ones" if quality else "nothing comparable has been measured; the run will tell",
        ),
        cost,
        Figure(
            "Time to train", value_of("train_seconds", seconds["point"] if seconds else None),
            range_of("train_seconds", seconds), "libraries and loading included",
        ),
    ]  # fmt: skip


def _flip(flip: dict[str, Any]) -> dict[str, str]:
    name = flip["input"]
    return {
        "input": name,
        "question": INPUTS[name].question if name in INPUTS else name,
        "from": spoken(name, flip["from"]),
        "to": spoken(name, flip["to"]),
        "title": _title(flip["strategy"]),
    }


def _map(found: dict[str, Any] | None) -> Map | None:
    if not found or len({strategy for row in found["rows"] for strategy in row}) < 2:
        return None
    other = found["y_input"]
    unit = INPUTS[other].unit if other in INPUTS else ""
    return lay_out_map(found, f"{other} ({unit})" if other and unit else other or "")


def _choices(record: dict[str, Any]) -> list[Choice]:
    if not record:
        return []
    return [
        Choice(
            strategy=row["strategy"],
            title=_title(row["strategy"]),
            model=_short(row["model"]),
            changes=STRATEGIES[row["strategy"]].changes if row["strategy"] in STRATEGIES else "",
            quality=interval_of("quality", row["expected"].get("quality")),
            seconds=interval_of("train_seconds", row["expected"].get("train_seconds")),
            latency=interval_of("latency_ms", row["expected"].get("latency_ms")),
            usd_per_1000=interval_of("usd_per_1000", row["expected"].get("usd_per_1000")),
            first=first,
            why_not=row.get("why_not", []),
            dominated_by=row.get("dominated_by"),
        )
        for first, row in _options(record)
    ]


def _options(record: dict[str, Any]) -> list[tuple[bool, dict[str, Any]]]:
    return [(True, record["verdict"]), *((False, row) for row in record["alternatives"])]


def _plot(plan: Plan, record: dict[str, Any], result: Result | None) -> Plot | None:
    if not record:
        return None
    found = [
        option_of(row["strategy"], row["family"], row["expected"], "first" if first else "other")
        for first, row in _options(record)
    ]
    options: list[Option] = [option for option in found if option]
    if result is not None:
        accuracy, seconds = result.metrics["accuracy"], result.measured["train_seconds"]
        quality = {"point": accuracy["value"], "low": accuracy["value"], "high": accuracy["value"]} | {
            bound: accuracy[bound] for bound in ("low", "high") if bound in accuracy
        }
        options.append(
            Option(plan.strategy, plan.family, quality, dict.fromkeys(("low", "point", "high"), seconds), "measured")
        )
    return quality_cost_plot(options)


def _forecasted(name: str, interval: dict[str, float] | None) -> Forecasted:
    low, point, high = (value_of(name, interval[bound] if interval else None) for bound in ("low", "point", "high"))
    return Forecasted(QUANTITIES[name].title, low, point, high)


def _challenger(plan: Plan, record: dict[str, Any]) -> str | None:
    """Return the strategy whose run would refute the plan: the one evidence favours, else the next best."""
    favoured = [reason["favours"] for reason in record.get("reasons", ()) if "favours" in reason]
    following = [row["strategy"] for row in record.get("alternatives", ()) if row["engine"] == plan.engine]
    for strategy in (plan.advice.strategy, *favoured, *following):
        if strategy != plan.strategy and strategy in STRATEGIES:
            return strategy
    return None


def _risks(plan: Plan, record: dict[str, Any], findings: list[Finding]) -> list[str]:
    risks = list(plan.notes)
    if plan.forecast.get("quality") is None:
        risks.append("No quality could be forecast: nothing comparable has been measured yet.")
    questions = record.get("questions", ())
    if questions:
        listed = ", ".join(question["input"] for question in questions)
        risks.append(f"Assumed answers could turn the verdict: {listed}.")
    risks += [f"{finding.id} counts less than it might: {finding.rated_down}." for finding in findings if finding.rated_down]
    return risks


def _evidence(plan: Plan) -> tuple[list[Finding], bool]:
    """Return the findings the plan cites, and whether the rule base changed since."""
    base = load_rulebase()
    cited = [(name, base.evidence[name]) for name in plan.advice.evidence if name in base.evidence]
    findings = [
        Finding(
            name, found.claim, found.conditions, found.certainty, found.rated_down, _citations(found.source), found.read
        )
        for name, found in cited
    ]
    return findings, base.digest != plan.advice.rules_sha256


def _citations(source: str) -> list[tuple[str, str | None]]:
    pieces: list[tuple[str, str | None]] = []
    end = 0
    for match in _CITED.finditer(source):
        pieces += [(source[end : match.start()], None), (match[0], f"https://arxiv.org/abs/{match[1] or match[2]}")]
        end = match.end()
    return [piece for piece in [*pieces, (source[end:], None)] if piece[0]]
