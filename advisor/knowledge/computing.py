"""What is in memory at once where no gradients are needed, by kind of device and precision."""

from advisor.settings import load_settings


def tokens_at_once(kind: str, precision: str) -> int:
    """Return how many tokens, padding included, are read together where no gradients are needed.

    Args:
        kind: of the device, ``cpu`` for a processor.
        precision: that it computes in, ``fp32`` or ``bf16``.
    """
    return int(load_settings("computing.yaml")[f"cpu_{precision}_tokens" if kind == "cpu" else "gpu_tokens"])
