"""Advice on a terminal: one screen, 100 columns, colour only as a second cue."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.decision.advice import Advice, Alternative
from advisor.decision.candidates import Candidate
from advisor.decision.experiment import Experiment
from advisor.decision.flips import Flip
from advisor.decision.next_labels import NextLabels
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import in_words
from advisor.run.progress import clock

WIDTH = 100
_FLIPS_SHOWN = 6
_ALTERNATIVES_SHOWN = 4
_NOT_FOR_THIS_TASK = "applies-to-task"
_CERTAINTY_STYLE = {"high": "green", "moderate": "green", "low": "yellow", "very low": "yellow"}


def console(*, stderr: bool = False) -> Console:
    """Return a console of at most 100 columns that keeps ``NO_COLOR``."""
    found = Console(stderr=stderr, highlight=False, soft_wrap=False)
    found.width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return found


def advice_screen(advice: Advice, profile_path: str) -> RenderableType:
    """Return the advice as one screen."""
    decision = advice.decision
    parts: list[RenderableType] = [_headline(advice), Text(), Text("  " + _project_line(advice)), Text()]
    parts += [_heading("Why"), _reasons(advice)]
    if advice.flips:
        parts += [Text(), _heading("What would change it"), _flips(advice.flips)]
    if advice.alternatives:
        parts += [Text(), _alternatives(advice)]
    excluded = [candidate for candidate in decision.ruled_out if _worth_telling(candidate)]
    if excluded:
        parts += [Text(), _heading("Ruled out"), _excluded(excluded)]
    parts += [Text(), *_footer(advice, profile_path)]
    return Group(*parts)


def _headline(advice: Advice) -> RenderableType:
    rule, winner = advice.decision.rule, advice.winner
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right", no_wrap=True)
    marks = f"{rule.strength} · certainty [{_CERTAINTY_STYLE[rule.certainty]}]{rule.certainty}[/]"
    if advice.decision.contested:
        marks += " · [yellow]contested[/]"
    line.add_row(f"[bold]{winner.strategy.verb} – {winner.strategy.title}[/]", marks)
    return line


def _project_line(advice: Advice) -> str:
    facts = advice.decision.facts.values
    task = str(facts["task.type"])
    if task == "text-classification":
        task = f"{int(facts['classes'] or 0)}-class {task}"
    parts = [task, _labels(facts)]
    where = str(facts["compute.device"]).upper()
    if facts.get("compute.memory_gb"):
        where += f" {in_words('compute.memory_gb', facts['compute.memory_gb'])}"
    if "compute.hours" not in advice.decision.facts.assumed:
        where += f", {in_words('compute.hours', facts['compute.hours'])}"
    parts.append(where)
    if facts.get("serving.latency_ms_p95"):
        parts.append(f"{in_words('serving.latency_ms_p95', facts['serving.latency_ms_p95'])} p95")
    parts.append(advice.winner.model.rpartition("/")[2])
    return escape(" · ".join(parts))


def _labels(facts: dict[str, Any]) -> str:
    count = f"{facts['data.labelled']:,} labels"
    smallest = facts.get("data.smallest_class")
    return f"{count} (smallest class {smallest:,})" if smallest is not None else count


def _reasons(advice: Advice) -> RenderableType:
    rule, facts = advice.decision.rule, advice.decision.facts.values
    rows = [(rule.id, rule.reason(facts), " ".join(rule.evidence))]
    rows += [("contested", o.reason(facts), " ".join(o.evidence)) for o in advice.decision.objections]
    rows += [(f"besides {row.adds}", row.reason(facts), " ".join(row.evidence)) for row in advice.modifiers]
    if advice.base_model:
        rows += [
            (f"consider {other.model.rpartition('/')[2]}", other.because, " ".join(other.evidence))
            for other in advice.base_model.others
        ]
    rows += [
        ("passed over", f"{passed.recommend} ({passed.id}) would come first but is ruled out", "requires")
        for passed in advice.decision.passed_over
    ]
    if rule.note:
        rows.append(("note", rule.note, ""))
    return _columns(rows, ratios=(26, 58, 10), last_right=True)


def _flips(flips: Sequence[Flip]) -> RenderableType:
    rows = [
        (
            f"{flip.input} {in_words(flip.input, flip.before)} → {in_words(flip.input, flip.after)}",
            flip.strategy,
        )
        for flip in flips[:_FLIPS_SHOWN]
    ]
    return _columns(rows, ratios=(58, 38))


def _alternatives(advice: Advice) -> RenderableType:
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0), header_style="bold")
    for title, justify in (
        ("Also possible", "left"),
        ("accuracy", "left"),
        ("train", "right"),
        ("latency", "right"),
    ):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("per 1,000", justify="right", no_wrap=True)
    table.add_column("why not first", ratio=1)
    table.add_row(*_costs(advice.winner), "[dim]the advice[/]")
    for alternative in advice.alternatives[:_ALTERNATIVES_SHOWN]:
        table.add_row(*_costs(alternative.candidate), escape(_why_not(alternative)))
    more = [alternative.candidate.strategy.id for alternative in advice.alternatives[_ALTERNATIVES_SHOWN:]]
    return Group(table, Text(f"  and {', '.join(more)}", style="dim")) if more else table


def _worth_telling(candidate: Candidate) -> bool:
    """Whether a reader would expect the strategy for this task, so that its absence wants a reason."""
    return all(veto.requirement != _NOT_FOR_THIS_TASK for veto in candidate.vetoes)


def _costs(candidate: Candidate) -> tuple[str, ...]:
    forecast = candidate.forecast
    name = f"  {candidate.strategy.id}" + ("" if candidate.engine == "encoder" else " (LLM)")
    if forecast is None:
        return name, "unknown", "unknown", "unknown", "unknown"
    money = forecast.usd_per_1000
    return (
        escape(name),
        share(forecast.quality) if forecast.quality else "unknown",
        clock(forecast.train_seconds.point) if forecast.train_seconds.point else "none",
        f"{forecast.latency_ms_p95.point:,.0f} ms",
        "unknown" if money is None else f"${money.point:,.2f}" if money.point else "~$0",
    )


def _why_not(alternative: Alternative) -> str:
    reason = alternative.why_not[0]
    if alternative.dominated_by:
        reason += f"; {alternative.dominated_by} is forecast to be better in everything"
    return reason


def _excluded(excluded: Iterable[Candidate]) -> RenderableType:
    rows = [
        (f"{c.strategy.id} · {c.model.rpartition('/')[2]}", "; ".join(v.because for v in c.vetoes)) for c in excluded
    ]
    return _columns(rows, ratios=(40, 56))


def _footer(advice: Advice, profile_path: str) -> Iterable[RenderableType]:
    if advice.flips or advice.questions:
        yield Text(f"{advice.stability:.0%} of draws of the thresholds within their ranges keep this verdict.")
    if advice.next_labels:
        yield Text(next_labels_line(advice.next_labels))
    if advice.experiment:
        yield Text(_experiment(advice.experiment))
    assumed = len(advice.decision.facts.assumed)
    if assumed:
        matter = ", ".join(question.input for question in advice.questions)
        tail = f"; these could change it: {matter}" if matter else "; none of them changes it"
        yield Text(f"{assumed} answers were assumed{tail}.")
    yield Text(f"Plan it:  advisor plan {profile_path} -o plan/     Run it:  advisor run {profile_path}")


def _experiment(experiment: Experiment) -> str:
    strategies = " and ".join(candidate.strategy.id for candidate in experiment.candidates)
    price = f", about {clock(experiment.train_seconds.point)} of training" if experiment.train_seconds else ""
    return f"Settle it on your data: advisor run --strategy {strategies}, compared on the same rows{price}."


def next_labels_line(worth: NextLabels) -> str:
    """Return what the next labels are worth, in one line."""
    low, point, high = (100 * value for value in worth.advised.gain)
    price = "" if worth.usd is None else f" for ${worth.usd:,.0f}"
    line = f"The next {worth.labels} labels: +{point:.1f} points [{low:.1f}–{high:.1f}]{price}"
    if worth.flip:
        line += f"; from {worth.flip.after:,} labels {worth.flip.strategy}"
    return f"{line}."


def share(interval: Interval) -> str:
    """Return a share with its interval."""
    return f"{interval.point:.2f} \\[{interval.low:.2f}–{interval.high:.2f}]"


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _columns(rows: Iterable[Sequence[str]], *, ratios: Sequence[int], last_right: bool = False) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    for number, ratio in enumerate(ratios):
        right = last_right and number == len(ratios) - 1
        table.add_column(ratio=ratio, justify="right" if right else "left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return Padding(table, (0, 0, 0, 2))
