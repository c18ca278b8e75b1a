"""Names: what people call a strategy and a base model."""

from advisor.strategies import STRATEGIES


def title_of(strategy: str) -> str:
    """Return what people call a strategy."""
    known = STRATEGIES.get(strategy)
    return known.title if known else strategy


def short(model: str) -> str:
    """Return a model's name without its owner or folder."""
    return model.rstrip("/").rpartition("/")[2] or model
