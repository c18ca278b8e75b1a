from collections.abc import Mapping

import numpy as np
import pytest

from advisor.backend.rows import Rows
from advisor.pilot.contenders import Contender, cheapest_first
from advisor.pilot.trials import Trial, Trials
from advisor.tasks import Pair
from tests.pilot.samples import racing, rows_of


@pytest.fixture(scope="module")
def contenders() -> Mapping[str, Contender]:
    return racing()


def trials(*counts: int, seed: int = 0) -> Trials:
    return Trials("text-classification", rows_of(*counts), seed)


def test_every_contender_that_tunes_learns_from_the_same_halves(contenders: Mapping[str, Contender]) -> None:
    dealt = trials(20, 20, 20)
    one, other = dealt.of(contenders["lora"]), dealt.of(contenders["full-fine-tuning"])
    assert [trial.name for trial in one] == [trial.name for trial in other]
    for mine, theirs in zip(one, other, strict=True):
        for a, b in zip(mine.parts[0], theirs.parts[0], strict=True):
            assert np.array_equal(a, b)


def test_smaller_parts_lie_in_larger_ones_and_are_judged_on_the_other_half(
    contenders: Mapping[str, Contender],
) -> None:
    found = {trial.name: trial.parts[0] for trial in trials(40, 24, 8).of(contenders["full-fine-tuning"])}
    whole, held = found["half 1 1/1"]
    half, same = found["half 1 1/2"]
    assert set(half) < set(whole)
    assert np.array_equal(held, same)
    assert not set(whole) & set(held)
    assert set(whole) | set(held) == set(range(72))
    assert np.array_equal(found["half 2 1/1"][0], held)


def test_small_parts_hold_every_class(contenders: Mapping[str, Contender]) -> None:
    dealt = trials(60, 8, 4)
    for trial in dealt.of(contenders["contrastive"]):
        assert set(dealt.rows.targets[trial.parts[0][0]]) == {0, 1, 2}


def test_two_labels_a_class_are_enough_and_one_is_not(contenders: Mapping[str, Contender]) -> None:
    assert trials(2, 2, 2).of(contenders["linear-probe"])[0].judged == 6
    assert trials(2, 2, 2).of(contenders["contrastive"])[0].rows == 3
    assert not trials(1, 1, 1).of(contenders["linear-probe"])
    assert not trials(1, 1, 1).of(contenders["contrastive"])


def test_nothing_is_learnt_from_a_single_class(contenders: Mapping[str, Contender]) -> None:
    dealt = trials(6, 1)
    for contender in contenders.values():
        for trial in dealt.of(contender):
            for kept, _ in trial.parts:
                assert contender.label_free or len(set(dealt.rows.targets[kept])) == 2


def test_what_takes_no_labels_is_judged_on_all_rows(contenders: Mapping[str, Contender]) -> None:
    (trial,) = trials(5, 7).of(contenders["zero-shot"])
    assert (trial.rows, trial.judged) == (0, 12)


def test_few_rows_are_cross_validated_again_with_other_parts(contenders: Mapping[str, Contender]) -> None:
    few = trials(4, 4, 4).of(contenders["few-shot"])[0]
    many = trials(200, 200).of(contenders["few-shot"])[0]
    assert (few.answers, few.judged) == (36, 12)
    assert (many.answers, many.judged) == (400, 400)


def test_of_many_rows_parts_are_looked_at_first_ones_in_larger_ones(contenders: Mapping[str, Contender]) -> None:
    found = trials(9000, 600, 30).of(contenders["linear-probe"])
    assert [(trial.name, trial.touched) for trial in found] == [
        ("all", 5000), ("1/4", 1250), ("1/16", 312), ("1/64", 78),
    ]  # fmt: skip
    rows = [set(np.concatenate([held for _, held in trial.parts])) for trial in found]
    assert rows[3] < rows[2] < rows[1] < rows[0]
    tuned = trials(9000, 600, 30).of(contenders["lora"])
    assert (tuned[0].rows, tuned[0].judged) == (2500, 1000)


def test_another_seed_deals_other_halves(contenders: Mapping[str, Contender]) -> None:
    one, other = (trials(20, 20, seed=seed).of(contenders["lora"])[0].parts[0][0] for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_shortened_training_costs_less_and_tuning_more_than_frozen_features(
    contenders: Mapping[str, Contender],
) -> None:
    full, probe = contenders["full-fine-tuning"], contenders["linear-probe"]
    assert probe.frozen and not full.frozen
    assert full.fit_seconds(60, short=True) < full.fit_seconds(60) / 2
    assert full.fit_seconds(2000) > 2 * full.fit_seconds(60) > 4 * probe.fit_seconds(60)
    assert contenders["contrastive"].short_settings is None


def test_cheap_contenders_come_first(contenders: Mapping[str, Contender]) -> None:
    order = [one.id for one in cheapest_first(list(contenders.values()), 60)]
    assert order.index("few-shot") < order.index("contrastive") < order.index("full-fine-tuning")


def test_questions_about_one_context_cannot_be_parted(contenders: Mapping[str, Contender]) -> None:
    def halves(contexts: int) -> list[Trial]:
        asked = [Pair(f"question {row}", f"context {row % contexts}") for row in range(20)]
        rows = Rows(asked, np.zeros(20, dtype=object), list(range(1, 21)))
        return Trials("question-answering", rows, 0).of(contenders["full-fine-tuning"])

    assert not halves(1)
    learnt, judged = halves(2)[0].parts[0]
    assert {row % 2 for row in learnt}.isdisjoint({row % 2 for row in judged})
