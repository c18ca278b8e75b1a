"""Parts of a batch: how many tokens a run computes at once, so that it fits in the memory at hand."""

from collections.abc import Callable

from pydantic import BaseModel

from advisor.estimates.forecast import Forecast

NAME = "batch_tokens"


def fitting_parts(settings: BaseModel, forecast: Callable[[BaseModel], Forecast]) -> BaseModel:
    """Return the settings with parts of a batch halved as often as it takes for training to fit, if that helps.

    Gradients of the parts add up to the batch's, so that nothing but time is lost. What fits as it is stays, and what
    fits in no way does too.

    Args:
        settings: of a strategy; those without parts stay.
        forecast: forecasts with other settings.
    """
    tokens, found = getattr(settings, NAME, 0), settings
    seen = forecast(settings)
    while tokens > 1 and seen.fits not in ("fits", "unknown"):
        tokens //= 2
        found = settings.model_copy(update={NAME: tokens})
        seen = forecast(found)
    return found if seen.fits == "fits" else settings
