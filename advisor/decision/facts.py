"""Facts of a project: its answers, what is assumed where one is missing, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.estimates.constants import load_constants
from advisor.estimates.forecast import forecast_llm
from advisor.knowledge.catalogue import describe_model
from advisor.knowledge.rulebase import ModelRow, RuleBase
from advisor.knowledge.vocabulary import FACTS, Value
from advisor.profile import Profile
from advisor.strategies import STRATEGIES

Answers = Mapping[str, Value]
CLASSIFYING_TASKS = ("text-classification", "multi-label", "pair-classification")
GENERATING_TASKS = ("generation", "preference")
PROMPTED_TASKS = (*GENERATING_TASKS, "question-answering")
COMPARABLE_TASKS = ("text-classification", "multi-label")


@dataclass(frozen=True)
class ModelChoice:
    """A base model, and the row that chose it; None where the profile names the model."""

    name: str
    row: ModelRow | None


@dataclass(frozen=True)
class Facts:
    """Values by fact name, the names among them that were assumed, and the base models for encoding and generating."""

    values: dict[str, Value]
    assumed: frozenset[str]
    encoder: ModelChoice
    generator: ModelChoice


def answers_of(profile: Profile) -> dict[str, Value]:
    """Return the profile's known answers that facts are made of; labels count as their number."""
    answers = {name: value for name, value in profile.answered() if name in FACTS}
    if profile.task.labels and "data.classes" not in answers:
        answers["data.classes"] = len(profile.task.labels)
    if profile.task.languages:
        answers["task.languages"] = ",".join(profile.task.languages)
    return answers


def project_facts(answers: Answers, base: RuleBase, *, assume: bool = True) -> Facts:
    """Derive all facts; an unanswered input takes the rule base's assumption, or stays unknown where there is none.

    Args:
        answers: values by dotted name.
        base: where the assumptions and the choice of base models are.
        assume: without it every unanswered input stays unknown.
    """
    values: dict[str, Value] = dict(answers)
    assumed = set()
    if values.get("constraints.model_access") == "api-only" and values.get("model.llm") is None:
        values["model.llm"] = "api"
    for name, assumption in base.assumptions.items() if assume else ():
        if values.get(name) is None:
            values[name] = assumption.value
            assumed.add(name)
    values["classes"] = values.get("data.classes")
    values["labels_per_class"] = _labels_per_class(values)
    values["mean_per_class"] = _mean_per_class(values)
    values["imbalance"] = _ratio(values["mean_per_class"], values["labels_per_class"])
    values["llm_allowed"] = _llm_allowed(values)
    values["llm_usable"] = _llm_usable(values)
    values["promptable"] = _promptable(values, "model.llm" in assumed)
    values["shots_per_class"] = _shots_per_class(values)
    values["english_only"] = _english_only(values)
    encoder, generator = (_choose(kind, values, base) for kind in ("encoder", "generator"))
    adapted = generator if values.get("task.type") in GENERATING_TASKS else encoder
    values |= _model_facts(adapted, values)
    return Facts(values, frozenset(assumed), encoder, generator)


def _labels_per_class(values: Answers) -> Value:
    smallest = values.get("data.smallest_class")
    return smallest if smallest is not None else _mean_per_class(values)


def _mean_per_class(values: Answers) -> Value:
    """Return labelled examples over classes, or all of them where the task has none."""
    labelled, classes = values.get("data.labelled"), values.get("data.classes")
    if values.get("task.type") not in (None, *CLASSIFYING_TASKS):
        return labelled
    return _ratio(labelled, classes)


def _ratio(above: Value, below: Value) -> float | None:
    return None if above is None or not below else float(above) / float(below)


def _llm_allowed(values: Answers) -> bool | None:
    """Return whether a language model may see the texts: a local one always, an API where the texts may leave."""
    llm = values.get("model.llm")
    may_leave, air_gapped = values.get("constraints.data_may_leave"), values.get("constraints.air_gapped")
    if llm != "api":
        return None if llm is None else llm == "local"
    if may_leave is False or air_gapped:
        return False
    return None if may_leave is None or air_gapped is None else True


def _llm_usable(values: Answers) -> bool | None:
    """Return whether an allowed language model answers, at best, within the limits of latency and price."""
    allowed = values["llm_allowed"]
    return bool(allowed) and _within_limits(values) if allowed is not None else None


def _within_limits(values: Answers) -> bool:
    strategy = STRATEGIES["few-shot" if values.get("data.labelled") else "zero-shot"]
    forecast = forecast_llm(strategy, f"llm-{values['model.llm']}", values)
    needs = [("serving.latency_ms_p95", forecast.latency_ms_p95), ("serving.usd_per_1000", forecast.usd_per_1000)]
    for limit, need in needs:
        allowed = values.get(limit)
        if allowed is not None and need is not None and need.low > float(allowed):
            return False
    return True


def _promptable(values: Answers, llm_assumed: bool) -> bool | None:
    """Return whether a prompt can do the task; see `advisor.decision.candidates` for what is there to prompt."""
    usable, task = values["llm_usable"], values.get("task.type")
    if usable or (llm_assumed and task in PROMPTED_TASKS):
        return True
    if task in COMPARABLE_TASKS and values.get("constraints.model_access") != "api-only":
        return None if values.get("constraints.model_access") is None else True
    return None if usable is None or task is None else False


def _shots_per_class(values: Answers) -> float | None:
    context, tokens, classes = (values.get(name) for name in ("model.llm_context", "data.tokens_median", "classes"))
    if context is None or tokens is None or not classes:
        return None
    return max(0.0, float(context) - load_constants()["llm_prompt_tokens"].point) / float(tokens) / float(classes)


def _english_only(values: Answers) -> bool | None:
    languages = values.get("task.languages")
    return None if languages is None else languages == "en"


def _choose(kind: str, values: dict[str, Value], base: RuleBase) -> ModelChoice:
    """Return the model the profile names, else the one of the highest row that holds."""
    named = values.get("model.base")
    if named and named != "auto":
        return ModelChoice(str(named), None)
    if kind == "generator" and values.get("model.llm") == "local" and values.get("model.llm_name"):
        return ModelChoice(str(values["model.llm_name"]), None)
    for row in base.models:
        if row.kind == kind and row.choose and row.condition.evaluate(values, base.limits):
            return ModelChoice(row.choose, row)
    raise AssertionError(f"no row without conditions chooses a {kind}; load_rulebase sees to one")


def _model_facts(choice: ModelChoice, values: Answers) -> dict[str, Value]:
    """Return size, objective and context of the model that would be adapted; the profile's own answers come first."""
    model = describe_model(choice.name)
    size, objective = values.get("model.parameters_b"), values.get("model.objective")
    known = model.objective if model and model.objective != "unknown" else None
    return {
        "parameters_b": size if size is not None else model.parameters / 1e9 if model else None,
        "objective": objective or known,
        "context": model.context if model else None,
    }
