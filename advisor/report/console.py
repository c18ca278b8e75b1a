"""The console: at most 100 columns, on which no text that is shown can steer the terminal."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from advisor.data.names import printable

WIDTH = 100


class _TameConsole(Console):
    """A console on which labels and texts cannot steer the terminal: their control characters are shown as �."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(printable(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control or text.isprintable() or text == "\n" else Segment(printable(text), style)


def console(*, stderr: bool = False) -> Console:
    """Return a console of at most 100 columns that keeps ``NO_COLOR``."""
    found = _TameConsole(stderr=stderr, highlight=False, soft_wrap=False, emoji=False)
    found.width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return found
