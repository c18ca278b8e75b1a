"""The look over a data file, on a terminal."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from advisor.data.duplicates import Finding
from advisor.data.inspection import FileSummary, Inspection

_LABELS_SHOWN = 12
_BAR = 30


def inspection_screen(found: Inspection, model: str) -> RenderableType:
    """Return the inspection as one screen.

    Args:
        found: what was found.
        model: name of the encoder whose tokens were counted.
    """
    head = f"{found.train.path} · {found.train.format} · text '{found.text_column}' · label '{found.label_column}'"
    files = [_file("train", found.train)] + ([_file("test", found.test)] if found.test else [])
    return Group(
        Text(head, style="bold"),
        *files,
        Text(),
        _labels(found),
        Text(),
        *(Text(line) for line in _lengths(found, model)),
        Text(),
        *(Text(line) for line in _warnings(found)),
    )


def _file(name: str, summary: FileSummary) -> Text:
    return Text(f"  {name:6}{summary.usable:,} usable of {summary.rows:,} rows")


def _labels(found: Inspection) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, max_width=36)
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    largest = found.labels[0].count
    for label in found.labels[:_LABELS_SHOWN]:
        bar = "█" * max(1, round(_BAR * label.count / largest))
        table.add_row(escape(f"  {label.label}"), f"{label.count:,}", f"{label.share:.1%}", bar)
    more = len(found.labels) - _LABELS_SHOWN
    if more > 0:
        table.add_row(
            f"  … and {more} more",
            "",
            "",
            f"smallest: {escape(found.smallest_class.label)} with {found.smallest_class.count:,}",
        )
    return Group(Text(f"{found.classes} labels, largest to smallest {found.imbalance:.1f} to 1"), table)


def _lengths(found: Inspection, model: str) -> list[str]:
    words = found.words
    lines = [f"words    median {words.p50:,}   95 % {words.p95:,}   99 % {words.p99:,}   longest {words.max:,}"]
    if found.tokens:
        tokens = found.tokens.lengths
        cut = (
            f"   cut at {found.tokens.limit}: {found.tokens.truncated:.1%}"
            if found.tokens.truncated is not None
            else ""
        )
        sample = f" (of {found.tokens.texts:,} texts)" if found.tokens.sampled else ""
        lines.append(
            f"tokens   median {tokens.p50:,}   95 % {tokens.p95:,}   99 % {tokens.p99:,}   longest {tokens.max:,}{cut}"
            f"   {model}{sample}"
        )
    return lines


def _warnings(found: Inspection) -> list[str]:
    """Return one line a thing worth looking at, or one that says there is none."""
    unit = found.train.unit
    checks = [
        (found.duplicates, "repeat an earlier text"),
        (found.near_duplicates, "have the same words as an earlier text"),
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
            f"! {found.contradictions.texts:,} texts stand in {found.contradictions.rows:,} rows with different labels "
            f"({unit} {first}, …)"
        )
    if found.unlabelled:
        lines.append(f"! {found.unlabelled:,} rows have no label; they count as unlabelled texts")
    if found.leakage and found.leakage.exact.count:
        lines.append(_finding(found.leakage.exact, "of the test file stand in the training file too", unit))
    return lines or ["nothing odd: no duplicates, contradictions, leakage or empty rows"]


def _finding(finding: Finding, text: str, unit: str) -> str:
    places = ", ".join(map(str, finding.rows[:3]))
    return f"! {finding.count:,} rows {text} ({unit} {places}{', …' if finding.count > 3 else ''})"
