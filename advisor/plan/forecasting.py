"""The forecast of a plan: from its settings, and from lengths counted by the model's own tokenizer."""

from collections.abc import Mapping

from pydantic import BaseModel

from advisor.backend.prompted.settings import PromptedSettings
from advisor.data.feedback import whole_texts
from advisor.data.lengths import TokenLengths, token_lengths
from advisor.data.reading import LabelledData
from advisor.decision.advice import Advice
from advisor.decision.candidates import Candidate
from advisor.decision.facts import answers_of
from advisor.estimates.break_even import break_even_answers
from advisor.estimates.forecast import Forecast, forecast_encoder, forecast_generator, forecast_llm, with_choice
from advisor.knowledge.vocabulary import Value
from advisor.knowledge.weights import LocatedModel
from advisor.machine import Machine
from advisor.tasks import TASKS, WRITING


def lengths_by_model(located: LocatedModel | None, data: LabelledData, max_length: int) -> TokenLengths | None:
    """Count tokens by the model's own tokenizer, where it is at hand in a form that can be read without its library."""
    tokenizer = located.folder / "tokenizer.json" if located else None
    if tokenizer is None or not tokenizer.exists():
        return None
    whole = whole_texts(data.train) if TASKS[data.task].predicts in WRITING else data.train.inputs
    return token_lengths(whole, tokenizer, max_length)


def answers_at_hand(advice: Advice, data: LabelledData, lengths: TokenLengths | None) -> dict[str, Value]:
    """Return the profile's answers with the labels at hand and token lengths counted by the model's own tokenizer."""
    answers = answers_of(advice.profile)
    if lengths:
        answers |= {"data.tokens_median": lengths.lengths.p50, "data.tokens_p95": lengths.lengths.p95}
    return answers | {"data.labelled": len(data.train)}


def forecast_again(
    advice: Advice,
    candidate: Candidate,
    settings: BaseModel,
    located: LocatedModel | None,
    data: LabelledData,
    facts: Mapping[str, Value],
    machine: Machine,
) -> Forecast:
    """Forecast again, from the settings of the plan and the facts of its data."""
    strategy = candidate.strategy
    if candidate.engine != "encoder" and strategy.family == "prompting":
        assert isinstance(settings, PromptedSettings)
        paid = candidate.engine == "llm-api"
        each = TASKS[data.task].predicts == "classes" and not paid
        prompts = settings.prompts_to_choose(
            len(data.train),
            demonstrated=strategy.needs_labels,
            paid=paid,
            questions=len(data.label_names) if each else 1,
        )
        at_once = settings.concurrency if advice.profile.model.llm_url else 1
        return with_choice(forecast_llm(strategy, candidate.engine, facts), prompts, at_once)
    assert located is not None
    forecast = forecast_encoder if candidate.engine == "encoder" else forecast_generator
    return forecast(strategy, located.facts, facts, machine, settings)


def break_even(advice: Advice, forecast: Forecast, data: LabelledData) -> dict[str, dict[str, float] | None]:
    """Return how many answers pay for a small tuned model instead, the advice's best; nothing where tokens are free."""
    decision, profile = advice.decision, advice.profile
    if forecast.tokens_in is None or not forecast.usd_per_1000 or not forecast.usd_per_1000.high:
        return {}
    trained = (c.forecast for c in decision.candidates if c.engine == "encoder" and c.facts["candidate.trains"])
    tuned = min((found for found in trained if found), key=lambda found: found.train_usd.point, default=None)
    missing = max(0.0, float(decision.base.limits["tune_from_labels"]) - len(data.train))
    found = break_even_answers(forecast, tuned, missing * (profile.data.usd_per_label or 0.0)) if tuned else None
    return {"break_even_answers": found.as_dict()} if found else {}
