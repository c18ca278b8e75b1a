"""Progress on stderr: stage, bar, time left; one line on a terminal, a few plain lines elsewhere."""

import sys
import time
from typing import TextIO

_BAR = 24
_REDRAW_SECONDS = 0.1
_PLAIN_SECONDS = 15.0


class Progress:
    """Shows where a run is.

    Args:
        stages: how many stages there are.
        stream: where to write; stderr if left out.
        silent: write nothing.
    """

    def __init__(self, stages: int, stream: TextIO | None = None, *, silent: bool = False) -> None:
        self.stages, self.stream, self.silent = stages, stream or sys.stderr, silent
        self.terminal = self.stream.isatty()
        self.number, self.title = 0, ""
        self.started = self.shown = 0.0
        self.first = 0

    def stage(self, title: str) -> None:
        """Begin the next stage."""
        self.number += 1
        self.title, self.started, self.shown, self.first = title, time.monotonic(), 0.0, -1
        if not self.terminal:
            self._write(f"[{self.number}/{self.stages}] {title}\n")
        else:
            self._draw("")

    def steps(self, done: int, total: int, *, left: float | None = None) -> None:
        """Show steps done of the stage; the seconds left, unless given, follow from the pace since its first report."""
        now = time.monotonic()
        if self.first < 0:
            self.first, self.started = done, now
        due = _REDRAW_SECONDS if self.terminal else _PLAIN_SECONDS
        if now - self.shown < due and done < total:
            return
        if not self.terminal and (done >= total or now - self.started < due):
            return
        self.shown = now
        if left is None and done > self.first:
            left = (now - self.started) * (total - done) / (done - self.first)
        filled = round(_BAR * done / max(total, 1))
        remaining = f"   {clock(left)} left" if left is not None and done < total else ""
        bar = f"{'━' * filled}{'─' * (_BAR - filled)} " if self.terminal else ""
        self._draw(f"{bar}{done / max(total, 1):4.0%}   {done:,}/{total:,}{remaining}")

    def note(self, text: str) -> None:
        """Write a line of its own."""
        if self.terminal:
            self._write("\r\x1b[K")
        self._write(f"{text}\n")

    def end(self) -> None:
        """Finish the line of the stage."""
        if self.terminal:
            self._write("\r\x1b[K")
            self._write(f"[{self.number}/{self.stages}] {self.title}  {clock(time.monotonic() - self.started)}\n")

    def _draw(self, text: str) -> None:
        start, stop = ("\r\x1b[K", "") if self.terminal else ("", "\n")
        self._write(f"{start}[{self.number}/{self.stages}] {self.title}   {text}{stop}")

    def _write(self, text: str) -> None:
        if not self.silent:
            self.stream.write(text)
            self.stream.flush()


def clock(seconds: float) -> str:
    """Return a duration the way a person says it: ``7.4 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
