import json

import pytest

from advisor.benchmark.policies import Choice, choice_line, judged_policies, policies, recorded_policy
from advisor.benchmark.results import Situation
from advisor.errors import InputError
from advisor.knowledge.interval import Interval
from advisor.knowledge.rulebase import load_rulebase
from advisor.machine import Machine

MACHINE = Machine(cores=4, memory_bytes=16_000_000_000, units="avx2", gpu=False)
KNOWN = policies(load_rulebase(), MACHINE)


def situation(labelled: int, rarest: int | None, task: str = "text-classification") -> Situation:
    return Situation("a", "8", 0, task, 4, labelled, rarest, 20, 60)


@pytest.mark.parametrize(
    ("labels", "chosen"),
    [(0, "zero-shot"), (2, "few-shot"), (6, "contrastive"), (80, "contrastive"), (81, "full-fine-tuning")],
)
def test_thresholds_go_by_the_rarest_class(labels: int, chosen: str) -> None:
    choice = KNOWN["labels-per-class-thresholds"].choose(situation(4 * labels + (labels > 0), labels))
    assert choice == Choice(chosen)


def test_what_does_not_apply_gives_way() -> None:
    assert KNOWN["always-contrastive"].choose(situation(100, None, "pair-classification")) == Choice("linear-probe")
    assert KNOWN["always-full-tuning"].choose(situation(0, 0)) == Choice("zero-shot")
    assert KNOWN["always-full-tuning"].choose(situation(0, 0, "regression")) is None


def test_the_rules_advise_on_what_is_known_of_the_draw() -> None:
    few, many = KNOWN["rules"].choose(situation(12, 3)), KNOWN["rules"].choose(situation(2000, 400))
    assert few is not None
    assert many is not None
    assert few.strategy != many.strategy
    assert KNOWN["rules"].choose(situation(0, 0)) == Choice("zero-shot")


def test_the_heaviest_that_fits_yields_to_memory() -> None:
    roomy = KNOWN["heaviest-that-fits"].choose(situation(400, 100))
    tight = policies(load_rulebase(), Machine(4, 1_000_000_000, "avx2", False))["heaviest-that-fits"]
    assert roomy is not None
    assert roomy.strategy in ("lp-ft", "full-fine-tuning", "contrastive", "lora")
    assert tight.choose(situation(400, 100)) != roomy


def test_recorded_choices_come_back() -> None:
    at = situation(32, 8)
    choice = Choice("contrastive", 12.5, {"contrastive": Interval(0.6, 0.7, 0.8)})
    row = json.loads(json.dumps(choice_line("pilot", at, choice)))
    assert recorded_policy("the pilot", [row]).choose(at) == choice
    assert recorded_policy("the pilot", [row]).choose(at._replace(seed=1)) is None
    judged = judged_policies(load_rulebase(), MACHINE, [row], ["pilot"])
    assert list(judged) == ["rules", "pilot"]
    with pytest.raises(InputError, match="there is no policy 'pilt'; did you mean 'pilot'"):
        judged_policies(load_rulebase(), MACHINE, [row], ["pilt"])
