"""The explanation: everything an advice says for and against itself, in words, before any layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from advisor.decision.candidates import NOT_FOR_THIS_TASK
from advisor.decision.flips import Flip
from advisor.report.changes import Change, changes
from advisor.report.names import short, title_of
from advisor.report.next_labels import next_labels_lines
from advisor.report.past import adjusted_line, past_run_line
from advisor.report.units import interval_of, spoken, value_of
from advisor.run.progress import clock
from advisor.strategies import EXECUTABLE


@dataclass(frozen=True)
class Tested:
    """A test of a condition in words, whether it held, None where that is unknown, and the value it met."""

    text: str
    held: bool | None
    value: str
    assumed: bool


@dataclass(frozen=True)
class Argument:
    """A row of the rule base that speaks.

    Attributes:
        title: what it speaks for: a strategy, something to add, a base model.
        rule: its id, empty where it has none.
        evidence: ids of findings.
        tests: its condition test by test, empty where that is not on record.
    """

    title: str
    because: str
    rule: str = ""
    evidence: tuple[str, ...] = ()
    tests: tuple[Tested, ...] = ()

    @property
    def sentence(self) -> str:
        """The reason as a sentence, without its full stop."""
        return self.because[:1].upper() + self.because[1:]


@dataclass(frozen=True)
class Question:
    """An unanswered question that could turn the verdict: what was assumed, and what it could become."""

    input: str
    text: str
    assumed: str
    could_become: list[str]


@dataclass(frozen=True)
class Experiment:
    """What settles a contested verdict.

    Attributes:
        strategies: ids of those to run on the same rows.
        beyond: those of them that this version cannot carry out.
        takes: training time of all together, empty where it cannot be forecast.
    """

    strategies: list[str]
    beyond: list[str]
    takes: str


@dataclass(frozen=True)
class Excluded:
    """Strategies, on the models they would run on, that the same reasons rule out; and what would let them in."""

    titles: list[str]
    models: list[str]
    because: list[str]
    remedies: list[str]


@dataclass(frozen=True)
class Explanation:
    """What an advice says besides its verdict; what is not on record is None or empty.

    Attributes:
        reasons, objections: for the verdict and against it.
        passed_over: rows that would have come first but for what rules their strategy out.
        besides: what the plan should carry too.
        model, consider: the base model, and others worth a look.
        changes: what would change the verdict, easings first.
        questions: assumed answers that matter; ``harmless`` are the others, with their values.
        next_labels: what more labels are worth, a sentence each.
        vetoes: every requirement that failed of what might have been expected for the task.
        past_runs: the user's own runs that are most like the project, a sentence each; ``adjusted`` says what runs on
            this machine have adjusted in the forecast.
        stability: share of draws of the rules' thresholds that keep the verdict, where it is theirs.
    """

    reasons: list[Argument]
    objections: list[Argument]
    passed_over: list[Argument]
    besides: list[Argument]
    model: Argument | None
    consider: list[Argument]
    changes: list[Change]
    questions: list[Question]
    harmless: list[tuple[str, str]]
    experiment: Experiment | None
    next_labels: list[str]
    excluded: list[Excluded]
    vetoes: list[Argument]
    past_runs: list[str]
    adjusted: str
    stability: float | None
    note: str | None

    @property
    def cited(self) -> set[str]:
        """Ids of every finding that it rests on."""
        rows = [*self.reasons, *self.objections, *self.besides, *self.consider, *([self.model] if self.model else [])]
        return {name for row in rows for name in row.evidence}

    @property
    def fired(self) -> list[tuple[str, Argument]]:
        """Every row that holds, with the part it plays."""
        parts = (
            ("decides", self.reasons), ("would decide, but is ruled out", self.passed_over),
            ("objects", self.objections), ("adds", self.besides),
        )  # fmt: skip
        return [(part, row) for part, rows in parts for row in rows if row.rule]


def explanation(record: Mapping[str, Any], because: Iterable[str] = ()) -> Explanation:
    """Put the record of an advice into words.

    Args:
        record: what `Advice.as_dict` returns, as it is or read back; it may be empty or lack parts.
        because: the reasons where the record has none.
    """
    audit, model = record.get("audit", {}), record.get("base_model")
    tests = _tests(record)
    advised = title_of(record.get("verdict", {}).get("strategy", ""))
    reasons = record.get("reasons") or [{"because": reason} for reason in because]
    inapplicable = {_place(row) for row in audit.get("vetoes", ()) if row["row"] == NOT_FOR_THIS_TASK}
    asked = [row["input"] for row in record.get("questions", ())]
    return Explanation(
        reasons=[_argument(advised, row, tests) for row in reasons if "favours" not in row],
        objections=[_argument(title_of(row["favours"]), row, tests) for row in reasons if "favours" in row],
        passed_over=[_argument(title_of(row["strategy"]), row, tests) for row in audit.get("passed_over", ())],
        besides=[_argument(row["adds"], row, tests) for row in record.get("modifiers", ())],
        model=_argument(short(model["model"]), model, {}) if model else None,
        consider=[_argument(short(row["model"]), row, {}) for row in model["consider"]] if model else [],
        changes=changes(Flip(row["input"], row["from"], row["to"], row["strategy"]) for row in record.get("flips", ())),
        questions=[_question(row) for row in record.get("questions", ())],
        harmless=[
            (name, spoken(name, value)) for name, value in record.get("assumed", {}).items() if name not in asked
        ],
        experiment=_experiment(record.get("experiment")),
        next_labels=next_labels_lines(record.get("next_labels")),
        excluded=_excluded(record, inapplicable),
        vetoes=_vetoes([row for row in audit.get("vetoes", ()) if _place(row) not in inapplicable], tests),
        past_runs=[past_run_line(run) for run in record.get("past_runs", ())],
        adjusted=adjusted_line({row["quantity"]: row["runs"] for row in record.get("adjusted", ())}),
        stability=None if "rules_verdict" in record else record.get("stability"),
        note=record.get("verdict", {}).get("note"),
    )


def remedy_line(remedy: Mapping[str, Any]) -> str:
    """Return what lets a candidate meet its needs, as `Remedy.as_dict` has it: the change, its forecast, its price."""
    expected = remedy["expected"]
    told = [f"{value_of('train_memory_bytes', expected['room_bytes']['high'])} of memory"]
    told.append(f"training in {interval_of('train_seconds', expected['train_seconds'])}")
    changed = ", ".join(f"{name}={value:g}" for name, value in remedy["settings"].items())
    by = f" (--hyper {changed.replace(', ', ' --hyper ')})" if changed else ""
    return f"{remedy['change']}{by}: {', '.join(told)}; costs {remedy['costs']}"


def _tests(record: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[Tested, ...]]:
    """Return the tests of every row on record: by row, those of requirements by row and candidate."""
    audit, assumed = record.get("audit", {}), record.get("assumed", {})
    rows = [row for part in ("passed_over", "objections", "modifiers", "vetoes") for row in audit.get(part, ())]
    rows += [audit["deciding"]] if "deciding" in audit else record.get("reasons", ())
    found = {}
    for row in rows:
        found[_key(row)] = tuple(
            Tested(test["test"], test["held"], spoken(fact, test["value"]), fact in assumed)
            for test in row.get("tests", ())
            for fact in [test.get("fact") or test["test"].partition(":")[0]]
        )
    return found


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    rule = str(row.get("row") or row.get("rule") or "")
    return (rule, *_place(row)) if "engine" in row else (rule,)


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["strategy"], row["engine"]


def _argument(title: str, row: Mapping[str, Any], tests: Mapping[tuple[str, ...], tuple[Tested, ...]]) -> Argument:
    key = _key(row)
    return Argument(title, row["because"], key[0], tuple(row.get("evidence", ())), tests.get(key, ()))


def _question(row: Mapping[str, Any]) -> Question:
    name = row["input"]
    return Question(name, row["question"], spoken(name, row["assumed"]), [title_of(s) for s in row["could_become"]])


def _experiment(row: Mapping[str, Any] | None) -> Experiment | None:
    if not row:
        return None
    seconds, strategies = row["train_seconds"], list(row["strategies"])
    beyond = [strategy for strategy in strategies if strategy not in EXECUTABLE]
    return Experiment(strategies, beyond, clock(seconds["point"]) if seconds else "")


def _vetoes(rows: Iterable[Mapping[str, Any]], tests: Mapping[tuple[str, ...], tuple[Tested, ...]]) -> list[Argument]:
    """Return requirements that failed, each once for all strategies that fail it on a model in the same way."""
    groups: dict[tuple[str, Argument], list[str]] = {}
    for row in rows:
        groups.setdefault((short(row["model"]), _argument("", row, tests)), []).append(row["strategy"])
    return [replace(failed, title=f"{', '.join(names)} on {model}") for (model, failed), names in groups.items()]


def _excluded(record: Mapping[str, Any], inapplicable: set[tuple[str, str]]) -> list[Excluded]:
    """Group by reasons what is ruled out, but for what nobody would expect for this task."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in (*record.get("excluded", ()), *record.get("excluded_engines", ())):
        if _place(row) not in inapplicable:
            groups.setdefault(tuple(dict.fromkeys(row["because"])), []).append(row)
    return [
        Excluded(
            list(dict.fromkeys(title_of(row["strategy"]) for row in rows)),
            list(dict.fromkeys(short(row["model"]) for row in rows)),
            list(because),
            [
                f"{title_of(row['strategy'])} would do with {remedy_line(remedy)}"
                for row in rows
                for remedy in row.get("remedies", ())
            ],
        )
        for because, rows in groups.items()
    ]
