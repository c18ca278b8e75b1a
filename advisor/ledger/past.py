"""Past runs as evidence: what strategies reached on the user's other data, those most like the project first."""

from collections.abc import Iterable, Mapping
from math import exp, log
from typing import Any, NamedTuple

from advisor.knowledge.vocabulary import Value
from advisor.ledger.book import runs
from advisor.ledger.entry import Entry
from advisor.settings import load_settings


class PastRun(NamedTuple):
    """What one strategy reached on one data set.

    Attributes:
        rows: that the measured fits learnt from; ``per_class`` of them for a class.
        measure: key of what ``value`` is of: accuracy where the task has it, else the measure that leads.
        judged: rows it was measured on.
        data: start of the training file's SHA-256.
        similarity: from 0 to 1; 1 where every trait that is compared is the same.
    """

    strategy: str
    engine: str
    model: str
    project: str
    data: str
    task: str
    classes: int | None
    rows: float
    per_class: float
    measure: str
    value: float
    judged: int
    similarity: float
    time: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return self._asdict()


def past_runs(facts: Mapping[str, Value], entries: Iterable[Entry]) -> list[PastRun]:
    """Return the past runs of the project's task type, most similar first, of equals the latest first.

    Of runs of a strategy and model on the same data with as many labels the latest counts alone.

    Similarity is the product of one factor a trait, none of which looks at a text: ``exp(-|log a/b| / scale)`` for
    numbers of classes and tokens of a typical text, and a factor each for another language and another pre-trained
    model; what is unknown costs a factor, too. Scales and factors stand in ``rules/ledger.yaml``.

    Args:
        facts: the project's facts by name.
        entries: of the ledger, oldest first.
    """
    settings = load_settings("ledger.yaml")
    found: dict[tuple[str, ...], PastRun] = {}
    for entry in runs(entries):
        if entry.task == facts.get("task.type") and entry.reached and entry.judged and not entry.modifiers:
            did = (entry.data, entry.strategy, entry.engine, entry.model, str(entry.rows))
            found.pop(did, None)
            found[did] = _past_run(entry, _similarity(entry, facts, settings))
    return sorted(reversed(found.values()), key=lambda run: -run.similarity)


def _past_run(entry: Entry, similarity: float) -> PastRun:
    assert entry.reached and entry.judged
    measure, value = entry.reached
    rows = float(entry.labelled if entry.rows is None else entry.rows)
    return PastRun(
        strategy=entry.strategy,
        engine=entry.engine,
        model=entry.model,
        project=entry.project,
        data=entry.data,
        task=entry.task,
        classes=entry.classes,
        rows=rows,
        per_class=rows / (entry.classes or 1),
        measure=measure,
        value=value,
        judged=entry.judged,
        similarity=round(similarity, 4),
        time=entry.time,
    )


def _similarity(entry: Entry, facts: Mapping[str, Value], settings: Mapping[str, float]) -> float:
    unknown = settings["not_known"]
    languages = str(facts.get("task.languages") or "")
    ours, theirs = set(languages.split(",")) if languages else set(), set(entry.languages or ())
    shared = 1.0 if ours & theirs else settings["other_language"]
    ran_on, wanted = entry.model, facts.get("encoder" if entry.engine == "encoder" else "generator")
    return (
        _near(entry.classes, facts.get("classes"), settings["classes_apart"], unknown)
        * _near(entry.tokens_median, facts.get("data.tokens_median"), settings["tokens_apart"], unknown)
        * (shared if ours and theirs else unknown)
        * (unknown if wanted is None else 1.0 if ran_on == wanted else settings["other_model"])
    )


def _near(theirs: float | None, ours: Value, scale: float, unknown: float) -> float:
    """Return how near two counts are; where neither is there, as with classes of a regression, they are the same."""
    if theirs is None and ours is None:
        return 1.0
    if not theirs or not isinstance(ours, int | float) or ours <= 0:
        return unknown
    return exp(-abs(log(theirs / ours)) / scale)
