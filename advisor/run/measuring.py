"""What a run measures beside quality: seconds of training, peak memory, latency of single rows."""

import resource
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from advisor.backend.predictor import Predictor, writes
from advisor.backend.prompted.language_model import Usage
from advisor.backend.prompted.model import PromptedModel
from advisor.run.folder import RunFolder
from advisor.tasks import Input

_TICK_SECONDS = 2.0


class Ticks:
    """Elapsed training seconds in the log, so that a resumed run knows what was spent before."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.started, self.last = folder, time.perf_counter(), 0.0

    def tick(self) -> None:
        """Log the time since the start, now and then."""
        elapsed = time.perf_counter() - self.started
        if elapsed - self.last >= _TICK_SECONDS:
            self.last = elapsed
            self.folder.log("training-clock", seconds=round(elapsed, 2))

    @staticmethod
    def earlier(folder: RunFolder) -> float:
        """Return the seconds that earlier calls spent on training."""
        total = last = 0.0
        for event in folder.logged():
            if event["event"] == "training-clock":
                last = event["seconds"]
            elif event["event"] in {"started", "resumed"}:
                total, last = total + last, 0.0
        return total


def serving(model: Predictor, inputs: Sequence[Input], progress: Callable[[int, int], None]) -> dict[str, float]:
    """Return what single rows take: median and 95th percentile of the latency in ms; of prompts tokens and money, too.

    They are asked one by one after a first one. A server's answers are kept and would come from there; they were timed
    and counted when they came.
    """
    ask: Callable[[Sequence[Input]], object] = model.write if writes(model) else model.outputs
    ask(inputs[:1])
    before = Usage(0, 0, 0, 0.0)
    if isinstance(model, PromptedModel) and model.answer_seconds:
        ask(inputs)
        times = [seconds * 1e3 for seconds in model.answer_seconds]
    else:
        before, times = model.used if isinstance(model, PromptedModel) else before, []
        for number, one in enumerate(inputs, start=1):
            started = time.perf_counter()
            ask([one])
            times.append((time.perf_counter() - started) * 1e3)
            progress(number, len(inputs))
    latency = {
        "latency_ms_p50": float(np.percentile(times, 50)),
        "latency_ms_p95": float(np.percentile(times, 95)),
    }
    return latency | (_prices(model, before, len(inputs)) if isinstance(model, PromptedModel) else {})


def _prices(model: PromptedModel, before: Usage, rows: int) -> dict[str, float]:
    """Return tokens of an answer and dollars of a thousand; what has been spent in all, where something was."""
    used, spent = model.used, model.spent_usd
    found = {
        "tokens_in": (used.tokens_in - before.tokens_in) / rows,
        "tokens_out": (used.tokens_out - before.tokens_out) / rows,
    }
    if used.usd is not None and before.usd is not None:
        found["usd_per_1000"] = 1000 * (used.usd - before.usd) / rows
    return found if spent is None else found | {"spent_usd": spent}


def peak_memory() -> float:
    """Return the peak memory of training in bytes: of the device where there is one, else of this process."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) if sys.platform == "darwin" else peak * 1024.0
