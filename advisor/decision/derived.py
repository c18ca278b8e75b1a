"""Derived facts: what follows from a project's answers, each by a function of the facts above it."""

from collections.abc import Callable, Iterable, Mapping

from advisor.estimates.constants import load_constants
from advisor.estimates.forecast import forecast_llm
from advisor.knowledge.catalogue import BaseModelFacts, describe_model
from advisor.knowledge.rows import ModelRow
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import Value
from advisor.strategies import STRATEGIES

Answers = Mapping[str, Value]
Derivation = Callable[[Answers], Value]
CLASSIFYING_TASKS = ("text-classification", "multi-label", "pair-classification")
COMPARABLE_TASKS = ("text-classification", "multi-label")
GENERATING_TASKS = ("generation", "preference")
NEEDING_A_GENERATOR = (*GENERATING_TASKS, "question-answering")


def derivations(base: RuleBase) -> dict[str, Derivation]:
    """Return what follows from the inputs by fact name, in an order in which each rests on inputs and facts above it.

    ``encoder`` and ``generator`` name the base models that the profile or the rule base chooses.
    """
    return {
        **_DERIVED,
        "encoder": lambda values: _model_name("encoder", values, base),
        "generator": lambda values: _model_name("generator", values, base),
        "parameters_b": _parameters,
        "objective": _objective,
    }


def choosing_row(kind: str, values: Answers, base: RuleBase) -> ModelRow | None:
    """Return the row of the rule base that chooses a base model, None where the profile names the model."""
    if _named(kind, values):
        return None
    rows: Iterable[ModelRow] = (row for row in base.models if row.kind == kind and row.choose)
    return next(row for row in rows if row.condition.evaluate(values, base.limits))


def _model_name(kind: str, values: Answers, base: RuleBase) -> str:
    row = choosing_row(kind, values, base)
    return str(row.choose) if row else str(_named(kind, values))


def _named(kind: str, values: Answers) -> Value:
    named = values.get("model.base")
    if named and named != "auto":
        return named
    return values.get("model.llm_name") if kind == "generator" and values.get("model.llm") == "local" else None


def _labels_per_class(values: Answers) -> Value:
    """Return the examples of the rarest class where they are known, else the mean over classes."""
    smallest = values.get("data.smallest_class")
    return _mean_per_class(values) if smallest is None or _without_classes(values) else smallest


def _mean_per_class(values: Answers) -> Value:
    """Return labelled examples over classes, or all of them where the task has none.

    Where a text has several labels that is less than the mean; then it is at least what the rarest class has.
    """
    labelled, smallest = values.get("data.labelled"), values.get("data.smallest_class")
    if _without_classes(values):
        return labelled
    ratio = _ratio(labelled, values.get("data.classes"))
    return ratio if ratio is None or smallest is None else max(ratio, float(smallest))


def _without_classes(values: Answers) -> bool:
    return values.get("task.type") not in (None, *CLASSIFYING_TASKS)


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
    allowed = values.get("llm_allowed")
    if not allowed:
        return None if allowed is None else False
    strategy = STRATEGIES["few-shot" if values.get("data.labelled") else "zero-shot"]
    forecast = forecast_llm(strategy, f"llm-{values.get('model.llm')}", values)
    for limit, need in (
        ("serving.latency_ms_p95", forecast.latency_ms_p95),
        ("serving.usd_per_1000", forecast.usd_per_1000),
    ):
        most = values.get(limit)
        if most is not None and need is not None and need.low > float(most):
            return False
    return True


def _promptable(values: Answers) -> bool | None:
    """Return whether a prompt can do the task; where none is at hand, a generator that could be tuned can be prompted.

    See `advisor.decision.candidates` for what is there to prompt.
    """
    usable, task = values.get("llm_usable"), values.get("task.type")
    if usable:
        return True
    access, instead = (
        values.get("constraints.model_access"),
        values.get("writes") and values.get("model.llm") != "local",
    )
    if (task in COMPARABLE_TASKS or instead) and access != "api-only":
        return None if access is None else True
    return None if usable is None or task is None else False


def _shots_per_class(values: Answers) -> float | None:
    context, tokens, classes = (values.get(name) for name in ("model.llm_context", "data.tokens_median", "classes"))
    if context is None or tokens is None or not classes:
        return None
    room = float(context) - load_constants()["llm_prompt_tokens"].point
    return max(0.0, room) / float(tokens) / float(classes)


def _english_only(values: Answers) -> bool | None:
    languages = values.get("task.languages")
    return None if languages is None else languages == "en"


def _adapted(values: Answers) -> BaseModelFacts | None:
    """Return the base model that tuning would change: the generator for tasks that write, else the encoder."""
    kind = "generator" if values.get("task.type") in GENERATING_TASKS else "encoder"
    return describe_model(str(values.get(kind)))


def _parameters(values: Answers) -> float | None:
    given = values.get("model.parameters_b")
    if given is not None:
        return float(given)
    model = _adapted(values)
    return model.parameters / 1e9 if model else None


def _objective(values: Answers) -> Value:
    given = values.get("model.objective")
    if given is not None:
        return given
    model = _adapted(values)
    return model.objective if model and model.objective != "unknown" else None


def _implied_llm(values: Answers) -> Value:
    """Return that access by API alone means a model behind it, and that a task which takes a generator can have one."""
    if values.get("constraints.model_access") == "api-only":
        return "api"
    return "local" if values.get("task.type") in NEEDING_A_GENERATOR else None


# What the answers say of an input that is not answered itself; None where they leave it open.
IMPLIED: dict[str, Derivation] = {"model.llm": _implied_llm}

_DERIVED: dict[str, Derivation] = {
    "classes": lambda values: values.get("data.classes"),
    "labels_per_class": _labels_per_class,
    "mean_per_class": _mean_per_class,
    "llm_allowed": _llm_allowed,
    "llm_usable": _llm_usable,
    "writes": lambda values: task in GENERATING_TASKS if (task := values.get("task.type")) else None,
    "promptable": _promptable,
    "shots_per_class": _shots_per_class,
    "english_only": _english_only,
}
