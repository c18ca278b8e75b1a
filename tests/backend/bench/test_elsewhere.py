import os
from pathlib import Path

import pytest

from advisor.backend.bench import elsewhere


class Clock:
    """Time that passes by sleeping alone, in which others keep processors busy."""

    def __init__(self, stat: Path, busy: float, own: float) -> None:
        self.stat, self.busy, self.own, self.now = stat, busy, own, 100.0
        self.write()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.write()

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.own * self.now

    def write(self) -> None:
        ticks = os.sysconf("SC_CLK_TCK") * self.now
        mine, foreign = min(os.sched_getaffinity(0)), 4096
        used = round(ticks * (self.busy + self.own))
        self.stat.write_text(
            f"cpu 1 1 1 1 1 1 1 1 0 0\ncpu{mine} {used} 0 0 {round(ticks)} 5 0 0 0 0 0\n"
            f"cpu{foreign} {round(9 * ticks)} 0 0 0 0 0 0 0 0 0\nintr 5\n"
        )


def test_what_others_take_of_our_processors_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "_STAT", tmp_path / "stat")
    for busy, own in ((0.75, 0.5), (0.0, 0.5)):
        monkeypatch.setattr(elsewhere, "time", Clock(tmp_path / "stat", busy, own))
        assert elsewhere.busy_elsewhere(2.0) == pytest.approx(busy, abs=0.02)


def test_without_counts_the_load_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "_STAT", tmp_path / "absent")
    monkeypatch.setattr("os.getloadavg", lambda: (1.5, 0.1, 0.1))
    assert elsewhere.busy_elsewhere(2.0) == 1.5
    monkeypatch.delattr("os.getloadavg")
    assert elsewhere.busy_elsewhere(2.0) == 0.0
