"""What light commands take from start to end: processor and wall time, and peak memory, in fresh processes.

Other checkouts, named by ``--beside``, are run in turn with this one, so that what else the machine does falls on all
alike. Processor time is the figure to compare; the least of all runs is the one that was disturbed least.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parents[1]
EXAMPLE = "profiles/startup-sentiment"
COMMANDS = {
    "recommend": ["recommend", f"{EXAMPLE}/profile.yaml"],
    "recommend --json": ["recommend", f"{EXAMPLE}/profile.yaml", "--json"],
    "explain": ["explain", f"{EXAMPLE}/profile.yaml"],
    "inspect": ["inspect", EXAMPLE],
    "help": ["--help"],
    "version": ["--version"],
}


class Run(NamedTuple):
    """What one process took; memory in 10^6 bytes."""

    processor: float
    wall: float
    memory_mb: float


def run(checkout: Path, arguments: list[str], bytecode: Path | None) -> Run:
    """Run a command of a checkout; without a folder for bytecode every module of it is compiled again."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "ADVISOR_LEDGER": "off", "PYTHONDONTWRITEBYTECODE": "1"}
    if bytecode:
        del environment["PYTHONDONTWRITEBYTECODE"]
        environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "advisor", *arguments], cwd=checkout, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{checkout}: advisor {' '.join(arguments)} failed")
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * _unit() / 1e6)


def _unit() -> int:
    """Return the bytes that ``ru_maxrss`` counts in."""
    return 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Run every command so many times and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--beside", type=Path, nargs="*", default=[], metavar="CHECKOUT")
    parser.add_argument("--only", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    parser.add_argument("--source", action="store_true", help="compile every module each time, as without bytecode")
    options = parser.parse_args()
    checkouts = [HERE, *(path.resolve() for path in options.beside)]
    print(f"{'command':18}{'processor ms: least':>22}{'median':>9}{'wall ms: least':>17}{'median':>9}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as kept:
        bytecode = None if options.source else Path(kept)
        for name in options.only:
            found: dict[Path, list[Run]] = {checkout: [] for checkout in checkouts}
            for turn in range(options.runs + 1):
                for checkout, runs in found.items():
                    one = run(checkout, COMMANDS[name], bytecode)
                    if turn:  # the first run writes the bytecode
                        runs.append(one)
            for checkout, runs in found.items():
                processor, wall, memory = zip(*runs, strict=True)
                times = (min(processor), statistics.median(processor), min(wall), statistics.median(wall))
                shown = [f"{1e3 * seconds:.0f}" for seconds in times]
                print(
                    f"{name:18}{shown[0]:>22}{shown[1]:>9}{shown[2]:>17}{shown[3]:>9}{max(memory):>10.1f}  {checkout}"
                )


if __name__ == "__main__":
    main()
