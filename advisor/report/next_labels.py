"""Next labels: what collecting some more is worth, in sentences."""

from collections.abc import Mapping
from typing import Any


def next_labels_line(worth: Mapping[str, Any]) -> str:
    """Return what the next labels are worth, as `NextLabels.as_dict` has it, in one sentence."""
    advised, other = worth["advised"], worth["other"]
    low, point, high = (100 * advised["gain"][bound] for bound in ("low", "point", "high"))
    line = f"The next {worth['labels']} labels: +{point:.1f} points [{low:.1f}–{high:.1f}]"
    instead = high == 0 and other is not None and other["quality"]["point"] > advised["quality"]["point"]
    line += f" with {advised['strategy']}" if instead else ""
    line += "" if worth["usd"] is None else f" for ${worth['usd']:,.0f}"
    line += f"; {other['strategy']} would reach {other['quality']['point']:.2f}" if instead else ""
    if worth["flip"]:
        line += f"; from {worth['flip']['labels']:,} labels {worth['flip']['strategy']}"
    return f"{line}."


def next_labels_lines(worth: Mapping[str, Any] | None) -> list[str]:
    """Return all that is known of the next labels, a sentence each; nothing where that is not on record."""
    if not worth:
        return []
    sentences, other = [next_labels_line(worth)], worth["other"]
    if other:
        score = f"{other['quality']['point']:.2f}"
        sentences.append(f"The best of the others would then be {other['strategy']}, with accuracy {score}.")
    return sentences
