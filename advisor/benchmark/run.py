"""Running a benchmark: its trials carried out in a folder, those done before left alone."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from advisor.benchmark.draws import Size
from advisor.benchmark.folder import CHOICES, RESULTS, Digests, Setup, open_folder
from advisor.benchmark.grid import Planned, grid
from advisor.benchmark.policies import policies
from advisor.benchmark.pool import Outcome, Place, carry_out, threads_for
from advisor.benchmark.results import append_line, done
from advisor.benchmark.source import load_benchmark_data, named_sources
from advisor.benchmark.trial import Limits
from advisor.benchmark.trying import TRYING
from advisor.data.reading import DataSource, LabelledData
from advisor.documents import suggest
from advisor.errors import InputError
from advisor.knowledge.catalogue import load_catalogue
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.weights import locate_model
from advisor.machine import Machine, this_machine
from advisor.run.progress import Progress
from advisor.settings import load_settings
from advisor.strategies import EXECUTABLE, STRATEGIES


class Request(NamedTuple):
    """What to measure; see ``advisor benchmark --help``."""

    sources: Sequence[DataSource]
    task: str | None
    strategies: Sequence[str] | None
    sizes: Sequence[str]
    seeds: int
    policies: Sequence[str]
    rows: int
    test_rows: int
    device: str | None


def run_benchmark(request: Request, folder: Path, jobs: int | None = None) -> int:
    """Carry out what is not done yet, writing every trial as it ends; return how many failed.

    Args:
        request: what to measure.
        folder: for results; see `open_folder`.
        jobs: processes side by side; see `jobs_for`.

    Raises:
        InputError: data, a strategy, a size, a policy or a device that cannot be had, or a folder with other results.
    """
    from advisor.backend.devices import choose_device

    strategies = measurable(request.strategies)
    _insist_on_policies(request.policies, this_machine())
    sizes = [Size.parse(text) for text in request.sizes]
    if not sizes:
        raise InputError("no size is named; write numbers of labels a class, of rows (500-rows), or all")
    sources = {source.name: source for source in named_sources(request.sources, request.task)}
    data = {name: load_benchmark_data(source) for name, source in sources.items()}
    catalogue, machine = load_catalogue(), this_machine()
    model, device = catalogue.default_model, choose_device(request.device).kind
    jobs = jobs or jobs_for(machine, device)
    limits = Limits(request.rows, request.test_rows, threads_for(machine.cores, jobs))
    measuring = [policy for policy in request.policies if policy in TRYING]
    planned = grid(data, strategies, sizes, request.seeds, limits, catalogue.models[model], measuring)
    open_folder(
        folder,
        Setup(model=model, device=device, rows=limits.rows, test_rows=limits.test_rows, data=_digests(data)),
    )
    known = done(folder / RESULTS) | done(folder / CHOICES)
    left = [one for one in planned if (one.data, one.policy or one.trial.strategy, *one.trial[1:]) not in known]
    progress = Progress(1)
    progress.stage(f"measure  {len(left)} of {len(planned)} trials, {jobs} at a time, {limits.threads} threads each")
    place = Place(locate_model(model).folder, model, device, limits)
    return _write(folder, left, carry_out(left, sources, place, jobs), progress)


def jobs_for(machine: Machine, device: str) -> int:
    """Return how many processes to run side by side: one a core as far as memory goes, one alone on an accelerator."""
    if device != "cpu":
        return 1
    each = load_settings("evaluation.yaml")["benchmark_gb"]
    fitting = int(machine.memory_bytes / 1e9 // each) if machine.memory_bytes else 1
    return max(1, min(machine.cores, fitting))


def measurable(named: Sequence[str] | None) -> list[str]:
    """Return the strategies named, each once; all that an encoder carries out where none are.

    Raises:
        InputError: one is not among these, or a list is empty.
    """
    able = [name for name in EXECUTABLE if STRATEGIES[name].encoder_tasks]
    for name in named or ():
        if name not in able:
            raise InputError(f"there is no strategy '{name}' to measure on an encoder{suggest(name, able)}")
    if named is not None and not named:
        raise InputError(f"no strategy is named; known: {', '.join(able)}")
    return able if named is None else list(dict.fromkeys(named))


def _insist_on_policies(named: Sequence[str], machine: Machine) -> None:
    known = [*policies(load_rulebase(), machine), *TRYING] if named else []
    for name in named:
        if name not in known:
            raise InputError(f"there is no policy '{name}'{suggest(name, known)}")


def _digests(data: Mapping[str, LabelledData]) -> dict[str, Digests]:
    return {
        name: Digests(one.train_part.sha256, one.test_part.sha256)
        for name, one in data.items()
        if one.test_part is not None
    }


def _write(folder: Path, planned: Sequence[Planned], outcomes: Iterable[Outcome], progress: Progress) -> int:
    """Write what ends; the time left goes by operations, of which a second does as many as so far."""
    started, whole = time.monotonic(), sum(one.operations for one in planned)
    spent, failures = 0.0, 0
    for number, outcome in enumerate(outcomes, start=1):
        if outcome.row:
            append_line(folder / (CHOICES if outcome.planned.policy else RESULTS), outcome.row)
        if outcome.failure:
            failures += 1
            progress.note(f"{_named(outcome.planned)} failed: {outcome.failure}")
        spent += outcome.planned.operations
        progress.steps(number, len(planned), left=(time.monotonic() - started) * (whole - spent) / spent)
    progress.end()
    return failures


def _named(planned: Planned) -> str:
    trial = planned.trial
    return f"{planned.data}, {planned.policy or trial.strategy}, size {trial.size}, seed {trial.seed}"
