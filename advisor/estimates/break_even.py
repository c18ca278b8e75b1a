"""Break-even: after how many answers a small tuned model has paid for itself against a prompt paid by the token."""

from advisor.estimates.forecast import Forecast
from advisor.knowledge.interval import Interval


def break_even_answers(prompted: Forecast, tuned: Forecast, labelling_usd: float) -> Interval | None:
    """Return after how many answers the dearer start is made up for; None where it never is or prices are unknown.

    What labels and training cost, divided by what an answer of the tuned model saves:
    ``(labelling + training) / (price of a prompted answer - price of the model's own)``.

    Args:
        prompted: forecast of the prompt.
        tuned: forecast of the small model.
        labelling_usd: what labels cost that are still missing.
    """
    if prompted.usd_per_1000 is None or tuned.usd_per_1000 is None:
        return None
    start = tuned.train_usd.plus(Interval.exactly(labelling_usd))
    most, least = prompted.usd_per_1000, tuned.usd_per_1000
    saved = Interval(most.low - least.high, most.point - least.point, most.high - least.low)
    if saved.low <= 0:
        return None
    return Interval(1000 * start.low / saved.high, 1000 * start.point / saved.point, 1000 * start.high / saved.low)
