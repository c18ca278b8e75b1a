import pytest

from advisor.ledger.account import account
from tests.ledger.samples import entry, measured


def test_errors_are_shares_of_what_was_measured() -> None:
    found = {one.quantity: one for one in account(measured([5.0, 8.0, 10.0, 12.5, 40.0]))}
    seconds = found["train_seconds"]
    assert seconds.runs == 5
    assert seconds.median == pytest.approx(0.25)  # 10 for 8: 0.25; 10 for 12.5: 0.2; 10 for 40: 0.75; 10 for 5: 1
    assert seconds.p90 == pytest.approx(0.75 + 0.6 * 0.25)
    assert seconds.ratio == pytest.approx(1.0)
    assert seconds.coverage == pytest.approx(0.8)
    assert found["quality"].median == pytest.approx(0.05)
    assert found["quality"].ratio is None
    assert found["quality"].coverage == 1.0


def test_what_was_not_forecast_or_not_measured_does_not_count() -> None:
    assert account([entry(kind="plan", measured={}, quality={})]) == []
    without = entry(forecast={"train_seconds": None}, measured={"train_seconds": 3.0}, quality={"mean_error": 3.0})
    assert account([without]) == []
    nothing = entry(forecast={"train_seconds": {"low": 0, "point": 0, "high": 0}}, measured={"train_seconds": 2.0})
    (found,) = account([nothing])
    assert (found.ratio, found.median, found.coverage) == (None, 1.0, 0.0)
