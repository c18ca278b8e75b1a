"""The decision map in characters: a letter a strategy, axes with units, a mark where the project is; 100 columns."""

from typing import Any

from rich.text import Text

from advisor.knowledge.vocabulary import FACTS, in_words

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_STYLES = ("cyan", "green", "magenta", "yellow", "blue", "red")
_HERE, _NONE = "●", "·"
_MARGIN, _WIDTH = 22, 76


def map_text(found: dict[str, Any]) -> Text:
    """Return what `decision_map` found as lines of text; colour only repeats the letters."""
    strategies = dict.fromkeys(strategy for row in found["rows"] for strategy in row if strategy)
    letters = dict(zip(strategies, _LETTERS, strict=False))
    styles = {strategy: _STYLES[place % len(_STYLES)] for place, strategy in enumerate(strategies)}
    cell = max(1, min(_WIDTH // len(found["x"]), 12))
    text = Text(f"{_title(found['y_input'])}\n" if found["y_input"] else "")
    for number, row in enumerate(found["rows"]):
        label = in_words(found["y_input"], found["y"][number]) if found["y"] else ""
        text.append(f"{label:>{_MARGIN - 2}.{_MARGIN - 2}} │")
        for column, strategy in enumerate(row):
            sign = _HERE if [column, number] == found["here"] else letters.get(strategy, _NONE)
            text.append(sign.ljust(cell), style=styles.get(strategy, "dim"))
        text.append("\n")
    text.append(f"{'└':>{_MARGIN}}{'─' * (cell * len(found['x']))}\n{_ticks(found, cell)}\n")
    text.append(f"{' ' * _MARGIN}{_title(found['x_input'])}\n\n")
    for strategy, letter in letters.items():
        text.append(f"  {letter}  ", style=styles[strategy])
        text.append(f"{strategy}\n")
    if any(strategy is None for row in found["rows"] for strategy in row):
        text.append(f"  {_NONE}  nothing feasible\n")
    if None not in found["here"]:
        column, number = found["here"]
        text.append(f"  {_HERE}  this project ({found['rows'][number][column]})")
    else:
        text.append("  this project has no such value")
    return text


def _title(name: str) -> str:
    unit = FACTS[name].unit
    return f"{name} ({unit})" if unit else name


def _ticks(found: dict[str, Any], cell: int) -> str:
    """Return the values below the axis, as many as fit."""
    line = " " * _MARGIN
    for column, value in enumerate(found["x"]):
        at = _MARGIN + column * cell
        shown = in_words(found["x_input"], value)
        if at >= len(line) and (at + len(shown) <= _MARGIN + _WIDTH + 2):
            line = line.ljust(at) + shown + "  "
    return line.rstrip()
