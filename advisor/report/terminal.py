"""Advice on a terminal: one screen, 100 columns, colour only as a second cue."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.decision.advice import Advice
from advisor.decision.alternatives import Alternative
from advisor.decision.candidates import NOT_FOR_THIS_TASK, Candidate
from advisor.decision.experiment import Experiment
from advisor.decision.standing import standing_of
from advisor.knowledge.interval import Interval
from advisor.knowledge.vocabulary import in_words
from advisor.report.changes import Change, changes
from advisor.report.console import WIDTH
from advisor.report.names import short
from advisor.report.next_labels import next_labels_line
from advisor.report.past import adjusted_line
from advisor.run.progress import clock
from advisor.strategies import EXECUTABLE
from advisor.tasks import TASKS

HEIGHT = 40
_ROWS_SHOWN = 6
_ALTERNATIVES_SHOWN = 4
_QUESTIONS_SHOWN = 5
_NAME_WIDTH, _EVIDENCE_WIDTH = 36, 12
_CERTAINTY_STYLE = {"high": "green", "moderate": "green", "low": "yellow", "very low": "yellow"}


def advice_screen(advice: Advice, profile_path: str) -> RenderableType:
    """Return the advice as one screen: of every list as many rows as `HEIGHT` lines hold."""
    for rows in range(_ROWS_SHOWN, 0, -1):
        screen = _screen(advice, profile_path, rows)
        if _height(screen) <= HEIGHT:
            return screen
    return _screen(advice, profile_path, 0)


def _height(screen: RenderableType) -> int:
    ruler = Console(width=WIDTH, file=io.StringIO(), emoji=False)
    return len(ruler.render_lines(screen, ruler.options))


def _screen(advice: Advice, profile_path: str, rows: int) -> RenderableType:
    """Return the screen with at most so many rows of each list."""
    parts: list[RenderableType] = [*_headline(advice), Text(), *_project(advice), Text()]
    parts += [_heading("Why"), _reasons(advice)]
    found = [] if advice.measured else changes(advice.flips)
    if found and rows:
        parts += [Text(), _heading("What would change it"), *_changes(found, rows)]
    if advice.alternatives:
        parts += [Text(), _alternatives(advice, min(rows, _ALTERNATIVES_SHOWN))]
    excluded = _excluded(advice)
    if excluded and rows:
        parts += [Text(), _heading("Ruled out"), *_ruled_out(excluded, rows)]
    parts += [Text(), *_footer(advice, profile_path)]
    return Group(*parts)


def _headline(advice: Advice) -> Iterable[RenderableType]:
    """Yield the verdict and how sure it is, on one line where they fit."""
    winner, certainty = advice.winner, advice.certainty
    verdict = Text.from_markup(f"[bold]{winner.strategy.verb} – {winner.strategy.title}[/]", emoji=False)
    marks = f"{advice.strength} · certainty [{_CERTAINTY_STYLE[certainty]}]{certainty}[/]"
    if advice.measured:
        marks += " · measured"
    if advice.contested:
        marks += " · [yellow]contested[/]"
    sure = Text.from_markup(marks, justify="right", emoji=False)
    if verdict.cell_len + sure.cell_len + 2 > WIDTH:
        yield verdict
        yield sure
        return
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right", no_wrap=True)
    line.add_row(verdict, sure)
    yield line


def _project(advice: Advice) -> Iterable[Text]:
    """Yield what the project is, broken only between its parts."""
    facts = advice.decision.facts.values
    task = str(facts["task.type"])
    if task == "text-classification":
        task = f"{int(facts['classes'] or 0)}-class {task}"
    parts = [task, _labels(facts)]
    where = str(facts.get("compute.card") or str(facts["compute.device"]).upper())
    if facts.get("compute.memory_gb"):
        where += f" {in_words('compute.memory_gb', facts['compute.memory_gb'])}"
    if "compute.hours" not in advice.decision.facts.assumed:
        where += f", {in_words('compute.hours', facts['compute.hours'])}"
    parts.append(where)
    if facts.get("serving.latency_ms_p95"):
        parts.append(f"{in_words('serving.latency_ms_p95', facts['serving.latency_ms_p95'])} p95")
    parts.append(short(advice.winner.model))
    line = ""
    for part in parts:
        if line and len(f"{line} · {part}") > WIDTH - 4:
            yield Text(f"  {line} ·")
            line = ""
        line = f"{line} · {part}" if line else part
    yield Text(f"  {line}")


def _labels(facts: dict[str, Any]) -> str:
    count = f"{facts['data.labelled']:,} labels"
    smallest, task = facts.get("data.smallest_class"), TASKS.get(str(facts["task.type"]))
    has_classes = task is None or task.predicts in ("class", "classes")
    return f"{count} (smallest class {smallest:,})" if smallest is not None and has_classes else count


def _reasons(advice: Advice) -> RenderableType:
    rule, facts = advice.decision.rule, advice.decision.facts.values
    rows = [(rule.id, rule.reason(facts), " ".join(rule.evidence))]
    if advice.finding and advice.measured:
        said = f"{rule.recommend}, because {rule.reason(facts)}"
        rows = [("measured", advice.finding.because, ""), ("the rules alone", said, " ".join(rule.evidence))]
    elif advice.contested:
        rows += [("contested", o.reason(facts), " ".join(o.evidence)) for o in advice.decision.objections]
    rows += [(f"besides {row.adds}", row.reason(facts), " ".join(row.evidence)) for row in advice.modifiers]
    rows += [
        (f"consider {short(other.model)}", other.because, " ".join(other.evidence))
        for other in advice.base_model.others
    ]
    rows += [("passed over", said, "requires") for said in _passed_over(advice)]
    if rule.note and not advice.measured:
        rows.append(("note", rule.note, ""))
    return _columns(rows, _NAME_WIDTH, _EVIDENCE_WIDTH)


def _passed_over(advice: Advice) -> list[str]:
    """Return what would come first but is ruled out, in one sentence, of what a reader would expect for this task."""
    expected = {candidate.strategy.id for candidate in advice.decision.ruled_out if _fits_task(candidate)}
    passed = [rule for rule in advice.decision.passed_over if rule.recommend in expected]
    names = list(dict.fromkeys(rule.recommend for rule in passed))
    if len(names) > 1:
        return [f"{', '.join(names)} would come first but are ruled out"]
    return [f"{rule.recommend} ({rule.id}) would come first but is ruled out" for rule in passed[:1]]


def _fits_task(candidate: Candidate) -> bool:
    return all(veto.requirement != NOT_FOR_THIS_TASK for veto in candidate.vetoes)


def _changes(found: Sequence[Change], rows: int) -> Iterable[RenderableType]:
    shown = [(f"{c.input} {c.before} → {c.after}", c.strategy) for c in found[:rows]]
    yield _columns(shown, 72)
    yield from _left_out(len(found) - rows)


def _left_out(count: int) -> Iterable[Text]:
    if count > 0:
        yield Text(f"  and {count} more: advisor explain", style="dim")


def _alternatives(advice: Advice, rows: int) -> RenderableType:
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0), header_style="bold")
    for title, justify in (
        ("Also possible", "left"),
        (_quality(advice), "left"),
        ("train", "right"),
        ("latency", "right"),
    ):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("per 1,000", justify="right", no_wrap=True)
    table.add_column("why not first", ratio=1)
    table.add_row(*_costs(advice, advice.winner), "[dim]the advice[/]")
    for alternative in advice.alternatives[:rows]:
        table.add_row(*_costs(advice, alternative.candidate), escape(_why_not(alternative)))
    more = [alternative.candidate.strategy.id for alternative in advice.alternatives[rows:]]
    return Group(table, Text(f"  and {', '.join(more)}", style="dim")) if more else table


def _quality(advice: Advice) -> str:
    """Return what the quality of the options is called: where nothing was measured it is forecast as accuracy alone."""
    if advice.finding and advice.measured:
        return advice.finding.measure_title
    task = TASKS.get(str(advice.decision.facts.values["task.type"]))
    return "accuracy" if task and any(measure.key == "accuracy" for measure in task.measures) else "quality"


def _costs(advice: Advice, candidate: Candidate) -> tuple[str, ...]:
    forecast, stands = candidate.forecast, standing_of(candidate, advice.finding) if advice.measured else None
    name = f"  {candidate.strategy.id}" + ("" if candidate.engine == "encoder" else " (LLM)")
    if forecast is None:
        return name, "unknown", "unknown", "unknown", "unknown"
    money = forecast.usd_per_1000
    return (
        escape(name),
        share(quality) if (quality := stands.expected if stands else forecast.quality) else "unknown",
        clock(forecast.train_seconds.point) if forecast.train_seconds.point else "none",
        f"{forecast.latency_ms_p95.point:,.0f} ms",
        "unknown" if money is None else f"${money.point:,.2f}" if money.point else "~$0",
    )


def _why_not(alternative: Alternative) -> str:
    reason = alternative.why_not[0]
    if alternative.dominated_by:
        reason += f"; {alternative.dominated_by} is forecast to be better in everything"
    return reason


def _excluded(advice: Advice) -> list[tuple[str, str]]:
    """Return what is ruled out of what a reader would expect for this task, by model and reasons, with the reasons."""
    groups: dict[tuple[str, str], list[str]] = {}
    for candidate in advice.decision.ruled_out:
        if _fits_task(candidate):
            because = "; ".join(dict.fromkeys(veto.because for veto in candidate.vetoes))
            if candidate.remedies:
                because += f"; would do with {candidate.remedies[0].change}"
            groups.setdefault((short(candidate.model), because), []).append(candidate.strategy.id)
    return [(f"{', '.join(names)} · {model}", because) for (model, because), names in groups.items()]


def _ruled_out(excluded: Sequence[tuple[str, str]], rows: int) -> Iterable[RenderableType]:
    yield _columns(excluded[:rows], 48)
    yield from _left_out(len(excluded) - rows)


def _footer(advice: Advice, profile_path: str) -> Iterable[RenderableType]:
    if not advice.measured:
        yield from _sureness(advice)
    for what in _next_steps(advice, profile_path):
        yield Text(what, no_wrap=True, overflow="ignore")


def _sureness(advice: Advice) -> Iterable[RenderableType]:
    """Yield how far the rules' verdict rests on thresholds and assumptions, and what would settle it."""
    if advice.flips or advice.questions:
        yield Text(f"{advice.stability:.0%} of draws of the thresholds within their ranges keep this verdict.")
    if advice.next_labels:
        yield Text(next_labels_line(advice.next_labels.as_dict()))
    if advice.experiment:
        yield Text(experiment_line(advice.experiment))
    adjusted = adjusted_line({name: found.runs for name, found in advice.adjusted.items()})
    if adjusted:
        yield Text(adjusted)
    assumed = len(advice.decision.facts.assumed)
    if assumed:
        yield Text(f"{assumed} answers were assumed; {_matter([question.input for question in advice.questions])}.")


def _next_steps(advice: Advice, profile_path: str) -> tuple[str, ...]:
    """Return the commands that carry the advice out.

    For tasks that are advised on only it is the one that tells more, where no row has a label yet the one that says
    which to label first.
    """
    facts = advice.decision.facts.values
    task = str(facts["task.type"])
    if task not in TASKS:
        return f"There is advice but no plan for {task} so far.", f"More:     advisor explain {profile_path}"
    if facts.get("data.labelled") == 0 and facts.get("data.unlabelled"):
        return (f"Label first:  advisor recommend {profile_path} --pilot --label-first FILE.csv",)
    return f"Plan it:  advisor plan {profile_path} -o plan/", f"Run it:   advisor run {profile_path}"


def _matter(inputs: Sequence[str]) -> str:
    if not inputs:
        return "none of them changes it"
    more = len(inputs) - _QUESTIONS_SHOWN
    return f"these could change it: {', '.join(inputs[:_QUESTIONS_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def experiment_line(experiment: Experiment) -> str:
    """Return what settles a contested verdict, in one sentence."""
    strategies = [candidate.strategy.id for candidate in experiment.candidates]
    price = f", about {clock(experiment.train_seconds.point)} of training" if experiment.train_seconds else ""
    how = "--pilot" if all(c.engine == "encoder" for c in experiment.candidates) else "advisor run --strategy"
    line = f"Settle it on your data: {' and '.join(strategies)} on the same rows ({how}){price}."
    beyond = [strategy for strategy in strategies if strategy not in EXECUTABLE]
    return f"{line} This version does not carry out {' and '.join(beyond)}." if beyond else line


def share(interval: Interval) -> str:
    """Return a share with its interval."""
    return f"{interval.point:.2f} \\[{interval.low:.2f}–{interval.high:.2f}]"


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _columns(rows: Iterable[Sequence[str]], first: int, last: int = 0) -> RenderableType:
    """Return rows in columns: the first as wide as its texts, up to ``first``, the last too where it has a bound."""
    rows = list(rows)
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(width=min(first, max(len(row[0]) for row in rows)), overflow="fold")
    table.add_column(ratio=1)
    if last:
        table.add_column(max_width=last, justify="right")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return Padding(table, (0, 0, 0, 2))
