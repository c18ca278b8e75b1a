"""Rows to label first, on a terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from advisor.data.examples import LabelledData, as_text
from advisor.data.sheet import Waiting

_SHOWN = 5
_WIDTH = 84


def first_label_lines(
    rows: Sequence[Waiting], data: LabelledData, file: Path | None, profile: Path | None, *, assumed: bool
) -> Text:
    """Return which rows to label first and how to go on.

    Args:
        rows: the most telling one first.
        data: where they are.
        file: where they were written; None where they were not.
        profile: of the project, where it has one.
        assumed: whether the number of classes, which their number rests on, is assumed.
    """
    part = data.train_part
    lines = [f"Label these {len(rows):,} first: typical ones, unlike each other and unlike what is labelled."]
    lines += [f"  {part.unit} {one.row:<6} {_one_line(as_text(one.input))}" for one in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        lines.append(f"  … and {len(rows) - _SHOWN:,} more")
    if assumed:
        lines.append("How many classes there are is assumed; --set data.classes=N says it.")
    if file and data.train:
        lines.append(f"They are in {file}: fill in its column label, then put labels into {part.path} by {part.unit}.")
    elif file:
        again = f"{profile} --data {file}" if profile else f"--data {file}"
        lines.append(f"They are in {file}: fill in its column label, then: advisor recommend {again} --pilot")
    else:
        lines.append("--label-first FILE writes them as .csv or .jsonl, ready to be filled in.")
    lines.append("They are chosen, not drawn: let a test file be drawn at random.")
    return Text("\n".join(lines))


def _one_line(text: str) -> str:
    """Return a text on one line, cut to its width, without characters that would move the cursor."""
    flat = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * _WIDTH])
    line = Text(" ".join(flat.split()))
    line.truncate(_WIDTH, overflow="ellipsis")
    return line.plain
