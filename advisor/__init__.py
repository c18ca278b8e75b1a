"""The adaptation advisor: prompt it, freeze it or fine-tune it - advice with reasons, and the run itself."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from advisor.api import build_plan, load_profile, recommend, run_plan

__all__ = ["build_plan", "load_profile", "recommend", "run_plan"]


def __getattr__(name: str) -> Any:
    """Import the four calls when first used, so that importing one part of the package stays cheap."""
    if name in __all__:
        return getattr(import_module("advisor.api"), name)
    raise AttributeError(f"module 'advisor' has no attribute '{name}'")
