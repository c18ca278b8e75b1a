"""The look over labelled data, on a terminal."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from advisor.data.content import is_number
from advisor.data.duplicates import Finding
from advisor.data.feedback import Feedback
from advisor.data.inspection import FileSummary, Inspection
from advisor.data.names import plain, shown
from advisor.data.targets import Entities, LabelCount, Numbers
from advisor.tasks import TASKS

_LABELS_SHOWN = 12
_BAR = 30
_NAMED = 3
_CALLED = {
    "regression": ("text", "text", "number"),
    "token-classification": ("words", "", "tags"),
    "question-answering": ("question", "context", "answers"),
    "generation": ("prompt", "input", "answer"),
    "preference": ("prompt", "input", "feedback"),
}


def inspection_screen(found: Inspection, model: str) -> RenderableType:
    """Return the inspection as one screen.

    Args:
        found: what was found.
        model: name of the encoder whose tokens were counted.
    """
    files = [_file("train", found.train)] + ([_file("test", found.test)] if found.test else [])
    return Group(
        Text(f"{found.train.path} · {found.train.format}", style="bold"),
        Text(_task(found)),
        *files,
        Text(),
        *(Text(line) for line in _targets(found)),
        *([_labels(found.labels, found.entities)] if found.labels else []),
        Text(),
        *(Text(line) for line in _lengths(found, model)),
        Text(),
        *(Text(line) for line in _warnings(found)),
    )


def _task(found: Inspection) -> str:
    """Return the task and the columns it is read from."""
    first, second, label = _CALLED.get(found.task, ("text", "text", "label"))
    pair = f", {second} '{found.pair_column}'" if found.pair_column else ""
    return f"  task  {TASKS[found.task].title}: {first} '{found.text_column}'{pair}, {label} '{found.label_column}'"


def _targets(found: Inspection) -> list[str]:
    """Return what is said of the labels as a whole, in lines."""
    lines = []
    if found.labels and found.imbalance:
        what = "entity types" if found.entities else "labels"
        lines.append(f"{len(found.labels)} {what}, largest to smallest {found.imbalance:.1f} to 1")
        if _could_be_amounts(found):
            lines.append("all are whole numbers, taken for classes; if they are amounts, name the task: regression")
        if single := [one.label for one in found.labels if one.count == 1]:
            named = ", ".join(map(shown, single[:_NAMED])) + (", …" if len(single) > _NAMED else "")
            once = f"{len(single)} of them labelled once ({named})"
            lines.append(f"{once}: learnt from or judged, not both; add rows or merge")
    if sets := found.label_sets:
        lines.append(f"labels a row: mean {sets.mean:.2f}, most {sets.most}, {sets.distinct:,} different sets")
        lines.append(_none("rows", sets.without.count, found))
    if found.entities:
        lines.append(f"{found.entities.count:,} entities, {found.entities.outside:.1%} of the words outside of them")
        lines.append(_none("sentences", found.entities.without.count, found))
    if found.feedback:
        lines += _feedback(found.feedback)
    return lines + (_numbers(found.numbers) if found.numbers else []) + (_answers(found) if found.answers else [])


def _could_be_amounts(found: Inspection) -> bool:
    """Tell whether the classes are numbers; two of them are a yes and a no."""
    labels = found.labels or []
    return TASKS[found.task].predicts == "class" and len(labels) > 2 and all(is_number(one.label) for one in labels)


def _feedback(found: Feedback) -> list[str]:
    """Return what is said of answers to prompts, in lines."""
    words = found.words
    lines = [f"answers  median {words.p50:,}   95 % {words.p95:,}   99 % {words.p99:,}   longest {words.max:,} words"]
    if found.longer_preferred is not None:
        lines.append(f"pairs of a preferred and a rejected answer; {found.longer_preferred:.0%} prefer the longer one")
    if found.approved is not None:
        lines.append(f"single answers, {found.approved:.0%} of them approved")
    if found.several:
        lines.append(f"{found.several:,} prompts have several right answers")
    return lines


def _none(what: str, count: int, found: Inspection) -> str:
    return f"{count:,} {what} ({count / found.train.usable:.0%}) have none"


def _numbers(numbers: Numbers) -> list[str]:
    quantiles = {
        "5 %": numbers.p05,
        "25 %": numbers.p25,
        "median": numbers.p50,
        "75 %": numbers.p75,
        "95 %": numbers.p95,
    }
    spread = "   ".join(f"{share} {value:g}" for share, value in quantiles.items())
    return [
        f"numbers  from {numbers.min:g} to {numbers.max:g}, mean {numbers.mean:.4g} ± {numbers.sd:.4g}",
        f"         {spread}   {numbers.distinct:,} different",
    ]


def _answers(found: Inspection) -> list[str]:
    answers = found.answers
    if answers is None:
        return []
    words = answers.words
    lines = [
        f"{answers.count:,} answers in {answers.contexts:,} contexts",
        f"answers  median {words.p50:,}   95 % {words.p95:,}   99 % {words.p99:,}   longest {words.max:,} words",
        _none("questions", answers.without.count, found),
    ]
    shared = answers.shared_contexts
    if shared and shared.count:
        lines.append(_finding(shared, "of the test file ask about a context of the training file", found.train.unit))
    return lines


def _file(name: str, summary: FileSummary) -> Text:
    return Text(f"  {name:6}{summary.usable:,} usable of {summary.rows:,} rows")


def _labels(labels: list[LabelCount], entities: Entities | None) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, max_width=36)
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    words = {kind.label: f"{kind.mean_words:.1f} words" for kind in entities.types} if entities else {}
    for label in labels[:_LABELS_SHOWN]:
        bar = "█" * max(1, round(_BAR * label.count / labels[0].count))
        length = [words[label.label]] if label.label in words else []
        table.add_row(escape(f"  {label.label}"), f"{label.count:,}", f"{label.share:.1%}", bar, *length)
    more = len(labels) - _LABELS_SHOWN
    if more > 0:
        table.add_row(f"  … and {more} more", "", "", f"smallest: {escape(labels[-1].label)} with {labels[-1].count:,}")
    return table


def _lengths(found: Inspection, model: str) -> list[str]:
    words = found.words
    lines = [f"words    median {words.p50:,}   95 % {words.p95:,}   99 % {words.p99:,}   longest {words.max:,}"]
    if found.tokens:
        tokens = found.tokens.lengths
        beyond = "beyond" if found.answers else "cut at"
        cut = (
            f"   {beyond} {found.tokens.limit}: {found.tokens.truncated:.1%}"
            if found.tokens.truncated is not None
            else ""
        )
        sample = f" (of {found.tokens.texts:,} {TASKS[found.task].unit})" if found.tokens.sampled else ""
        lines.append(
            f"tokens   median {tokens.p50:,}   95 % {tokens.p95:,}   99 % {tokens.p99:,}   longest {tokens.max:,}{cut}"
            f"   {model}{sample}"
        )
    return lines


def _warnings(found: Inspection) -> list[str]:
    """Return one line a thing worth looking at, or one that says there is none."""
    unit = found.train.unit
    one = TASKS[found.task].unit.removesuffix("s")
    checks = [
        (found.duplicates, f"repeat an earlier {one}"),
        (found.near_duplicates, f"have the same words as an earlier {one}"),
        (found.odd.without_text, "have no text and are left out"),
        (found.odd.no_words, "have no words, only signs or links"),
        (found.odd.control_characters, "hold control characters"),
        (found.odd.mojibake, "look wrongly decoded"),
        (found.odd.far_longer, "are far longer than the rest"),
    ]
    lines = [_finding(finding, text, unit) for finding, text in checks if finding.count]
    if found.contradictions.rows:
        first = ", ".join(map(str, found.contradictions.examples[0].rows))
        lines.append(
            f"! {found.contradictions.texts:,} {TASKS[found.task].unit} stand in {found.contradictions.rows:,} rows "
            f"with different labels ({unit} {first}, …)"
        )
    lines += [
        f"! labels {', '.join(map(shown, names))} differ by case, spaces or dashes alone"
        for names in _spelled_alike(found.labels or [])
    ]
    if found.unlabelled:
        lines.append(f"! {found.unlabelled:,} rows have no label; they count as unlabelled texts")
    if found.leakage and found.leakage.exact.count:
        lines.append(_finding(found.leakage.exact, "of the test file stand in the training file too", unit))
    return lines or ["nothing odd: no duplicates, contradictions, leakage or empty rows"]


def _spelled_alike(labels: list[LabelCount]) -> list[list[str]]:
    alike: dict[str, list[str]] = {}
    for label in labels:
        alike.setdefault(plain(label.label), []).append(label.label)
    return [names for names in alike.values() if len(names) > 1]


def _finding(finding: Finding, text: str, unit: str) -> str:
    places = ", ".join(map(str, finding.rows[:3]))
    return f"! {finding.count:,} rows {text} ({unit} {places}{', …' if finding.count > 3 else ''})"
