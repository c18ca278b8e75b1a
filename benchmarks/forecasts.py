"""How long forecasts take: every strategy on several encoders, thirty candidates and more, without torch.

python benchmarks/forecasts.py
"""

import sys
import time
from typing import Any

from advisor.estimates.forecast import forecast_encoder
from advisor.knowledge.catalogue import load_catalogue
from advisor.machine import Machine
from advisor.strategies import STRATEGIES

MODELS = (
    "google-bert/bert-base-uncased",
    "FacebookAI/roberta-base",
    "answerdotai/ModernBERT-base",
    "BAAI/bge-small-en-v1.5",
)
FACTS: dict[str, Any] = {
    "task.type": "text-classification", "classes": 4, "labels_per_class": 100, "data.labelled": 400,
    "data.tokens_median": 40, "data.tokens_p95": 120, "compute.device": "cpu", "compute.devices": 1,
    "compute.memory_gb": 8.0, "compute.usd_per_hour": 0.0, "serving.device": "cpu",
}  # fmt: skip


def main() -> None:
    """Print the processor time of all candidates, files read before, at data that no forecast was made for."""
    known, machine = load_catalogue().models, Machine(2, 8 * 10**9, "avx2", False)
    able = [strategy for strategy in STRATEGIES.values() if strategy.handles("text-classification", "encoder")]
    candidates = [(strategy, known[name]) for strategy in able for name in MODELS]
    for strategy, model in candidates:
        forecast_encoder(strategy, model, FACTS, machine)
    best = float("inf")
    for labels in range(500, 505):
        facts = FACTS | {"data.labelled": labels}
        started = time.process_time()
        for strategy, model in candidates:
            forecast_encoder(strategy, model, facts, machine)
        best = min(best, time.process_time() - started)
    assert "torch" not in sys.modules
    print(f"{len(candidates)} candidates in {1e3 * best:.1f} ms")


if __name__ == "__main__":
    main()
