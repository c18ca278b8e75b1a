"""The candidate that a plan carries out: the verdict's, the one asked for, or the next best that runs."""

from advisor.decision.advice import Advice
from advisor.decision.candidates import Candidate, Veto
from advisor.documents import suggest
from advisor.errors import InputError, NoFeasibleStrategy
from advisor.plan.prompting import reachable
from advisor.strategies import EXECUTABLE, STRATEGIES, Strategy

_REACH = "name the language model by model.llm_name and, if a server answers for it, model.llm_url"
_UNAVOIDABLE = {"applies-to-task", "demonstrations", "pairs", "judgements"}


def chosen_candidate(advice: Advice, strategy: str | None) -> tuple[Candidate, list[str]]:
    """Return the candidate to run, with what a reader must know about the choice.

    A strategy that prompts takes the language model where the profile says how to reach it, else the encoder.
    """
    if strategy is not None and strategy not in STRATEGIES:
        raise InputError(f"there is no strategy '{strategy}'{suggest(strategy, STRATEGIES)}")
    advised = advice.winner.strategy
    chosen = STRATEGIES[strategy] if strategy else advised if advised.executable else _stand_in(advice)
    if not chosen.executable:
        able = ", ".join(EXECUTABLE)
        raise InputError(f"{chosen.id} can be advised but not yet carried out; this version carries out {able}")
    own = [c for c in advice.decision.candidates if c.strategy.id == chosen.id]
    task = str(advice.decision.facts.values["task.type"])
    fitting = [c for c in own if c.strategy.handles(task, c.engine)]
    reached = [c for c in fitting or own if reachable(c, advice.profile)]
    candidate = next((c for c in reached if c.feasible), reached[0] if reached else None)
    if candidate is None:
        if advice.profile.model.llm not in (None, "none"):
            raise InputError(f"{chosen.id} is not carried out on an encoder for this task; {_REACH}")
        by_prompt = any(c.engine != "encoder" for c in own)
        where = f"a language model can do it: {_REACH}" if by_prompt else "name another by --strategy"
        raise NoFeasibleStrategy(
            f"{chosen.id} cannot be run: it does not apply to {task} on this kind of model; {where}"
        )
    notes = []
    if strategy is not None and chosen is not advised:
        notes.append(f"The advice was {advised.id}; this plan runs {chosen.id} because it was asked for.")
    elif chosen is not advised:
        notes.append(
            f"The advice was {advised.id}, which this version cannot carry out yet; this plan runs {chosen.id}, the "
            "next best that it can."
        )
    if chosen is advised and candidate.engine == "encoder" != advice.winner.engine:
        notes.append(
            f"The advice was {chosen.id} with {advice.winner.model}; this plan runs it on an encoder in process, which "
            f"is weaker where the label words do not say the task. To run the advice, {_REACH}."
        )
    notes += [_passed_over(c) for c in reached[: reached.index(candidate)]]
    hard = [v for v in candidate.vetoes if v.requirement in _UNAVOIDABLE]
    if hard:
        raise NoFeasibleStrategy(f"{chosen.id} cannot be run: {hard[0].because}{_elsewhere(chosen, task, hard[0])}")
    notes += [f"Ruled out by the profile, run nevertheless: {veto.because}." for veto in candidate.vetoes]
    return candidate, notes


def _elsewhere(chosen: Strategy, task: str, veto: Veto) -> str:
    """Say how a strategy can be carried out after all that does not apply to the task on an encoder."""
    by_prompt = veto.requirement == "applies-to-task" and chosen.family == "prompting"
    return f"; a language model can do it: {_REACH}" if by_prompt and chosen.handles(task, "llm-local") else ""


def _passed_over(candidate: Candidate) -> str:
    """Say why a language model that could be reached is not asked."""
    return f"{candidate.model} is not asked: {'; '.join(veto.because for veto in candidate.vetoes)}."


def _stand_in(advice: Advice) -> Strategy:
    """Return the best alternative that this version carries out on an encoder, the advice itself if there is none."""
    able = (a.candidate for a in advice.alternatives if a.candidate.engine == "encoder")
    return next((candidate.strategy for candidate in able if candidate.strategy.executable), advice.winner.strategy)
