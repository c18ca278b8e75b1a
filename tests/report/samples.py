"""What the tests of reports are made of."""

from typing import Any, NamedTuple

from advisor.decision.advice import Advice
from advisor.plan.plan import Plan
from advisor.run.result import Result

LABELS = ("complaint", "praise", "question")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}} | `code`\n# heading\n---\n[link](javascript:alert(1)) https://evil.example www.evil.example",
)


class Made(NamedTuple):
    plan: Plan
    advice: Advice


def result_of(plan: Plan, labels: tuple[str, ...] = LABELS, confusion: list[list[int]] | None = None) -> Result:
    rows = confusion or [[2, 1, 0], [0, 3, 0], [1, 0, 2]]
    classes = [{"label": name, "precision": 0.5, "recall": 2 / 3, "f1": 0.57, "support": 3} for name in labels]
    return Result(
        project=plan.project,
        task=plan.task,
        metric=plan.metric,
        strategy=plan.strategy,
        family=plan.family,
        model=plan.model.model_dump(exclude_none=True),
        data=plan.data.model_dump(exclude_none=True) | {"measured_rows": 9},
        metrics={
            "accuracy": {"value": 0.78, "low": 0.44, "high": 1.0},
            "macro_f1": {"value": 0.7654, "low": 0.41, "high": 1.0},
            "log_loss": {"value": 0.61, "low": 0.61, "high": 0.61},
            "expected_calibration_error": {"value": 0.123, "low": 0.123, "high": 0.123},
        },
        classes=classes,
        confusion={"labels": list(labels), "rows": rows},
        baseline={
            "majority": {"accuracy": 0.33, "macro_f1": 0.17},
            "zero-shot": {"accuracy": 0.5, "macro_f1": 0.48},
        },
        forecast=plan.forecast,
        measured={
            "train_seconds": 9.5,
            "train_memory_bytes": 5e8,
            "latency_ms_p50": 11.0,
            "latency_ms_p95": 1e6,
            "quality": 0.78,
        },
        chosen={"c": 1.0},
        device={"kind": "cpu", "precision": "fp32", "reason": "no bf16 units"},
        parity={"texts": 9.0, "largest_difference": 3e-7},
        seed=plan.seed,
        resumed=False,
        versions=plan.versions,
        files={},
    )


def wrong(text: str, label: str, predicted: str, confidence: float, row: int = 2) -> dict[str, Any]:
    return {
        "row": row,
        "text": text,
        "label": label,
        "predicted": predicted,
        "probabilities": {label: 1 - confidence, predicted: confidence},
    }
