"""The strategies there are, by id: one module each, whose `fit` imports the numerical libraries only when it runs."""

from advisor.strategies.alignment import Dpo, Kto, Sft
from advisor.strategies.base import Engine, Family, FitJob, Fitted, Passes, Strategy, TextLoad, Workload
from advisor.strategies.contrastive import Contrastive
from advisor.strategies.few_shot import FewShot
from advisor.strategies.full_fine_tuning import FullFineTuning
from advisor.strategies.linear_probe import LinearProbe
from advisor.strategies.lora import Lora
from advisor.strategies.lp_ft import ProbeThenTune
from advisor.strategies.partial_unfreezing import PartialUnfreezing
from advisor.strategies.zero_shot import ZeroShot

STRATEGIES: dict[str, Strategy] = {
    strategy.id: strategy
    for strategy in (
        ZeroShot(),
        FewShot(),
        LinearProbe(),
        PartialUnfreezing(),
        Lora(),
        Contrastive(),
        ProbeThenTune(),
        FullFineTuning(),
        Sft(),
        Dpo(),
        Kto(),
    )
}

EXECUTABLE = [strategy.id for strategy in STRATEGIES.values() if strategy.executable]

__all__ = [
    "EXECUTABLE",
    "STRATEGIES",
    "Engine",
    "Family",
    "FitJob",
    "Fitted",
    "Passes",
    "Strategy",
    "TextLoad",
    "Workload",
]
