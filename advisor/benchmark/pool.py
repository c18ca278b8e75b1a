"""The pool: processes that carry trials out side by side, each on its share of the cores."""

import os
import platform
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, NamedTuple

from advisor.benchmark.grid import Planned
from advisor.benchmark.source import BenchmarkData, lengths_of, load_benchmark_data
from advisor.benchmark.trial import Limits, measure
from advisor.benchmark.trying import try_policy
from advisor.machine import this_machine


class Place(NamedTuple):
    """Where trials are carried out: the encoder's folder and name, the device, rows and threads at most."""

    encoder: Path
    model: str
    device: str
    limits: Limits


class Outcome(NamedTuple):
    """A trial that ended: its line of results, None where the strategy does not apply after all, or why it failed."""

    planned: Planned
    row: dict[str, Any] | None
    failure: str | None


def carry_out(
    planned: Sequence[Planned], data: Mapping[str, BenchmarkData], place: Place, jobs: int
) -> Iterator[Outcome]:
    """Yield trials as they end, in any order; one job runs in this process.

    Where the caller stops early, trials under way are stopped too.

    Args:
        planned: what to carry out, the first ones first.
        data: by name, see `Planned`.
        place: where.
        jobs: processes side by side.
    """
    if jobs == 1:
        for one in planned:
            yield _attempt(one, data[one.data], place)
        return
    # A forked process would inherit torch's threads in an unknown state.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_leave_at_once) as pool:
        running = [pool.submit(_attempt, one, data[one.data], place) for one in planned]
        try:
            yield from _as_they_end(running, planned)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            raise


def threads_for(cores: int, jobs: int) -> int:
    """Return the threads that each of several processes may use, so that all together use the cores and no more."""
    return max(1, cores // jobs)


def _as_they_end(running: list[Future[Outcome]], planned: Sequence[Planned]) -> Iterator[Outcome]:
    by_future = dict(zip(running, planned, strict=True))
    for ended in as_completed(running):
        error = ended.exception()
        yield Outcome(by_future[ended], None, repr(error)) if error else ended.result()


def _leave_at_once() -> None:
    """An interrupt from the terminal reaches every process; the parent alone says what it means."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))


def _attempt(planned: Planned, source: BenchmarkData, place: Place) -> Outcome:
    """Carry one trial out; what goes wrong with it must not stop the others."""
    try:
        return Outcome(planned, _row(planned, source, place), None)
    except Exception as failure:
        return Outcome(planned, None, str(failure) or repr(failure))


def _row(planned: Planned, source: BenchmarkData, place: Place) -> dict[str, Any] | None:
    from advisor.backend.devices import choose_device

    data, trial = load_benchmark_data(source), planned.trial
    _warm(place.encoder, place.device, place.limits.threads)
    if planned.policy:
        return try_policy(planned.policy, planned.data, trial, data, place.limits)
    found = measure(trial, data, place.encoder, place.device, place.limits)
    if found is None:
        return None
    return {
        "data": planned.data,
        **trial._asdict(),
        "model": place.model,
        **found,
        **lengths_of(data)._asdict(),
        "precision": choose_device(place.device).precision,
        "threads": place.limits.threads,
        "machine": f"{platform.machine()}, {this_machine().describe()}",
    }


@cache
def _warm(encoder: Path, device: str, threads: int) -> None:
    """Import what fitting imports, and pass a text through the encoder: what comes but once is no cost of a trial."""
    import peft  # noqa: F401
    import torch

    from advisor.backend import contrastive, probe, tuning  # noqa: F401
    from advisor.backend.devices import choose_device
    from advisor.backend.encoder import Encoder

    torch.set_num_threads(threads)
    Encoder.load(encoder, choose_device(device), None).embed(["warm"])
