"""How results are computed: what is in memory at once and where searches stop, from ``rules/computing.yaml``."""

from typing import Any

from advisor.settings import load_settings

FILE = "computing.yaml"


def load_computing() -> dict[str, Any]:
    """Return the settings by name.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    return load_settings(FILE)


def tokens_at_once(kind: str, precision: str) -> int:
    """Return how many tokens, padding included, are read together where no gradients are needed.

    Args:
        kind: of the device, ``cpu`` for a processor.
        precision: that it computes in, ``fp32`` or ``bf16``.
    """
    return int(load_computing()[f"cpu_{precision}_tokens" if kind == "cpu" else "gpu_tokens"])
