from advisor.ledger.past import past_runs
from advisor.pilot.cells import HERE, evidence
from advisor.pilot.outlook import Outlook
from advisor.pilot.past import past_cells
from tests.ledger.samples import entry

CLASSIFYING, ENCODER = "text-classification", "embedded/all-MiniLM-L6-v2"
FACTS = {
    "task.type": "text-classification", "classes": 3, "data.tokens_median": 20, "task.languages": "en",
    "encoder": ENCODER,
}  # fmt: skip


def test_similar_runs_on_the_same_encoder_become_cells() -> None:
    entries = [
        entry(1),
        entry(2, classes=150, tokens_median=400),
        entry(3, model="other/encoder"),
        entry(4, quality={"macro_f1": 0.5}),
    ]
    (cell,) = past_cells(past_runs(FACTS, entries), CLASSIFYING, ENCODER)
    assert (cell.strategy, cell.per_class, cell.classes, cell.value, cell.judged) == ("linear-probe", 80, 3, 0.75, 300)
    assert entry(1).data in cell.data
    assert past_cells(past_runs(FACTS, entries), CLASSIFYING, ENCODER, f"{entry(1).data}abc")[0].data == HERE


def test_the_nearest_are_taken_where_there_are_many() -> None:
    entries = [entry(number, classes=3 if number < 50 else 4) for number in range(60)]
    found = past_cells(past_runs(FACTS, entries), CLASSIFYING, ENCODER)
    assert [cell.classes for cell in found] == [3] * 40


def test_what_past_runs_reached_moves_the_outlook() -> None:
    strategies, high = ("linear-probe", "zero-shot"), {"accuracy": 0.97}
    runs = past_runs(FACTS, [entry(number, quality=high) for number in range(6)])
    without = Outlook.prior(strategies, 3)
    with_runs = Outlook.prior(strategies, 3, known=[*evidence(), *past_cells(runs, CLASSIFYING, ENCODER)])
    assert with_runs.expected("linear-probe", 80) > without.expected("linear-probe", 80)
