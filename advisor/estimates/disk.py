"""Disk: what a run leaves in its folder, and what it needs meanwhile for checkpoints."""

from advisor.knowledge.catalogue import BaseModelFacts
from advisor.knowledge.interval import Interval
from advisor.strategies import Strategy, Workload

_FP32 = 4


def disk_bytes(strategy: Strategy, work: Workload, model: BaseModelFacts) -> Interval:
    """Return the most that is on disk at once, features that are kept for later runs apart.

    The exported model in fp32, 4 bytes a weight, and the checkpoints of training: weights and two moments of what
    learns, and the best weights. At the low end adapters are exported alone and no checkpoint is written, for training
    ends before one is due.
    """
    trained = work.trained_parameters
    whole = _FP32 * model.parameters if strategy.whole_model or trained else 0
    least = _FP32 * trained if work.adapters else whole
    most = whole + 4 * _FP32 * trained
    return Interval(float(least), float(most), float(most))
