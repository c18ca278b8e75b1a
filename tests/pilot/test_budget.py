import pytest

from advisor.errors import InputError
from advisor.pilot.budget import Budget
from advisor.settings import load_settings


@pytest.mark.parametrize(
    ("text", "everything", "seconds"),
    [("120", 1e6, 120), ("90s", 1e6, 90), ("2m", 1e6, 120), ("1.5h", 1e6, 5400), ("10%", 700, 70), ("100%", 700, 700)],
)
def test_a_budget_is_time_or_a_share_of_everything(text: str, everything: float, seconds: float) -> None:
    assert Budget.parse(text).of(everything) == pytest.approx(seconds)


def test_the_default_is_a_share_within_bounds() -> None:
    rules = load_settings("pilot.yaml")
    assert Budget.parse("").of(1.0) == rules["least_seconds"]
    assert Budget.parse("").of(1000.0) == pytest.approx(rules["share"] * 1000)
    assert Budget.parse("").of(1e9) == rules["most_seconds"]


@pytest.mark.parametrize("text", ["profile.yaml", "-5", "10x", "nan"])
def test_what_is_no_budget_is_said_so(text: str) -> None:
    with pytest.raises(InputError, match="is no budget; write seconds"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0", "0%", "0.0m"])
def test_nothing_is_no_budget(text: str) -> None:
    with pytest.raises(InputError, match="nothing can be measured for nothing"):
        Budget.parse(text)
