"""The explanation as text: verdict, reasons test by test, the other side, what would change it; in 100 columns."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from advisor.report.changes import Change
from advisor.report.evidence import Evidence, cited_evidence
from advisor.report.explanation import Argument, Experiment, Explanation, explanation
from advisor.report.names import short
from advisor.report.units import spoken

_WIDTH = 100
_RUN = "advisor run PROFILE --strategy"
_MARKS = {True: "holds  ", False: "fails  ", None: "unknown"}


def explanation_text(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of an explanation, in the order in which one reads it.

    Args:
        record: what `Advice.as_dict` returns.
    """
    found = explanation(record)
    rules = record["rules"]
    evidence = cited_evidence(found.cited, record, rules["sha256"])
    certain = {finding.id: finding.certainty for finding in evidence.findings}
    yield from _verdict(record["verdict"], found)
    yield from _section("Why", (line for row in found.reasons for line in _row(row, certain, row.rule)))
    yield from _section("Would come first, but is ruled out", _rows(found.passed_over, certain))
    yield from _section("What speaks against it", _objections(found, certain))
    yield from _section("Besides", _rows(found.besides, certain))
    yield from _section("Base model", _models(found, certain))
    yield from _section("What would change it", _changes(found.changes))
    yield from _section("More labels", _sentences(found.next_labels))
    yield from _section("Your past runs, most similar first", _sentences(found.past_runs))
    yield from _section("Forecast", _sentences([found.adjusted]))
    yield from _section("Ruled out", _vetoes(found, certain))
    yield from _section("Assumed, and it matters", _questions(found))
    yield from _section("Answers", _answers(record))
    yield from _section("Evidence", _findings(evidence))
    yield ""
    yield f"Rules {rules['version']}, {rules['sha256']}"


def _verdict(verdict: Mapping[str, Any], found: Explanation) -> Iterator[str]:
    deciding = found.reasons[0].rule
    yield f"{verdict['strategy']} on {short(verdict['model'])}, by row {deciding}"
    marks = [verdict["strength"], f"certainty {verdict['certainty']}", "contested" if verdict["contested"] else ""]
    if found.stability is not None:
        marks.append(f"{found.stability:.0%} of draws of the thresholds keep it")
    yield " · ".join(mark for mark in marks if mark)
    if found.note:
        yield from _wrapped(found.note, "")


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a heading and its lines; nothing where there is no line."""
    shown = list(lines)
    if shown:
        yield from ("", title, *shown)


def _sentences(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from _wrapped(sentence, "  ")


def _rows(rows: Iterable[Argument], certain: Mapping[str, str]) -> Iterator[str]:
    for row in rows:
        yield from _row(row, certain, f"{row.rule}, for {row.title}")


def _row(row: Argument, certain: Mapping[str, str], name: str) -> Iterator[str]:
    cited = ", ".join(f"{finding} {certain[finding]}" if finding in certain else finding for finding in row.evidence)
    yield from _wrapped(f"{name}: {row.because}{f' (certainty: {cited})' if cited else ''}", "  ")
    for test in row.tests:
        assumed = ", assumed" if test.assumed else ""
        yield from _wrapped(f"{_MARKS[test.held]}  {test.text}; it is {test.value}{assumed}", "    ", deeper=9)


def _vetoes(found: Explanation, certain: Mapping[str, str]) -> Iterator[str]:
    for row in found.vetoes:
        yield from _row(row, certain, f"{row.title}, by {row.rule}")
    for excluded in found.excluded:
        for remedy in excluded.remedies:
            yield from _wrapped(remedy, "  ")


def _objections(found: Explanation, certain: Mapping[str, str]) -> Iterator[str]:
    yield from _rows(found.objections, certain)
    if found.experiment:
        yield from _settling(found.experiment)


def _settling(experiment: Experiment) -> Iterator[str]:
    price = f", with about {experiment.takes} of training" if experiment.takes else ""
    yield from _wrapped(f"An experiment on the same rows settles it{price}:", "  ")
    for strategy in experiment.strategies:
        beyond = strategy in experiment.beyond
        yield f"    {f'{strategy}, which this version does not carry out' if beyond else f'{_RUN} {strategy}'}"


def _models(found: Explanation, certain: Mapping[str, str]) -> Iterator[str]:
    if found.model:
        yield from _row(found.model, certain, found.model.title)
    for row in found.consider:
        yield from _row(row, certain, f"worth considering, {row.title}")


def _changes(found: Sequence[Change]) -> Iterator[str]:
    for gives, title in ((True, "with more to work with"), (False, "with less")):
        rows = [(f"{c.input} {c.before} → {c.after}", c.strategy) for c in found if c.gives is gives]
        if rows:
            yield f"  {title}"
            width = max(len(change) for change, _ in rows)
            yield from (f"    {change:{width}}  {strategy}" for change, strategy in rows)


def _questions(found: Explanation) -> Iterator[str]:
    for question in found.questions:
        yield from _wrapped(
            f"{question.input} {question.assumed}; another answer could make it {', '.join(question.could_become)}",
            "  ",
        )


def _answers(record: Mapping[str, Any]) -> Iterator[str]:
    rows = [(row["input"], row["value"], row["source"]) for row in record["inputs"]]
    rows += [(name, value, "assumed") for name, value in record["assumed"].items()]
    for name, value, source in rows:
        yield from _wrapped(f"{name:32} {spoken(name, value):28} {source}", "  ", deeper=33)


def _findings(evidence: Evidence) -> Iterator[str]:
    for finding in evidence.findings:
        doubt = f" Rated down: {finding.rated_down}." if finding.rated_down else ""
        source = f"Source: {''.join(text for text, _ in finding.cited)}"
        yield from _wrapped(f"{finding.id}, certainty {finding.certainty}: {finding.claim}{doubt} {source}", "  ")


def _wrapped(text: str, indent: str, deeper: int = 2) -> list[str]:
    following = indent + " " * deeper
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=following, break_on_hyphens=False)
