"""The facts that rules may speak of: every input of the profile, what follows from them, and a candidate's needs."""

from typing import Any, Literal, NamedTuple

from advisor.profile import INPUTS

Kind = Literal["number", "yes-no", "word"]


class Fact(NamedTuple):
    """A named quantity with its type; ``about`` says whether it describes the project or one candidate."""

    name: str
    kind: Kind
    describes: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    about: Literal["project", "candidate"] = "project"


_DERIVED = (
    Fact("classes", "number", "number of classes, from data.classes or the named labels", "classes"),
    Fact(
        "labels_per_class",
        "number",
        "labelled examples of the rarest class where known, else the mean over classes",
        "labels per class",
    ),
    Fact(
        "mean_per_class",
        "number",
        "labelled examples over classes, no fewer than of the rarest class",
        "labels per class",
    ),
    Fact("llm_allowed", "yes-no", "a large language model is there and the texts may be sent to it"),
    Fact("llm_usable", "yes-no", "it also answers within the limits of latency and price"),
    Fact(
        "promptable",
        "yes-no",
        "a prompt can do the task: a language model is usable, or an encoder may compare texts with label descriptions",
    ),
    Fact(
        "shots_per_class",
        "number",
        "demonstrations of typical length that fit the language model's context, for each class",
        "demonstrations per class",
    ),
    Fact("writes", "yes-no", "the task is to write text: generation, or preferences among what is written"),
    Fact("english_only", "yes-no", "every text is in English"),
    Fact("parameters_b", "number", "size of the base model that would be adapted", "billion parameters"),
    Fact(
        "objective",
        "word",
        "how the base model that would be adapted was pre-trained",
        choices=("contrastive", "masked", "replaced-token", "causal", "denoising"),
    ),
)
_CANDIDATE = (
    Fact("candidate.engine", "word", "what the candidate runs on", choices=("encoder", "llm-local", "llm-api")),
    Fact("candidate.trains", "yes-no", "parameters are trained"),
    Fact("candidate.leaves", "yes-no", "texts are sent to another company's server"),
    Fact("candidate.needs_weights", "yes-no", "the model's weights must be at hand"),
    Fact("candidate.speaks_language", "yes-no", "the model was pre-trained on the task's languages"),
    Fact("candidate.licence_fits", "yes-no", "the model's licence is among those accepted"),
    Fact("candidate.handles_task", "yes-no", "the strategy applies to the task type"),
    Fact("need.train_memory_gb", "number", "memory that training takes, upper end of the forecast", "GB"),
    Fact("need.train_hours", "number", "hours that training takes, lower end of the forecast", "hours"),
    Fact("need.train_usd", "number", "what training costs, lower end of the forecast", "USD"),
    Fact("need.latency_ms", "number", "time of one answer, lower end of the forecast", "ms"),
    Fact("need.usd_per_1000", "number", "what 1,000 answers cost, lower end of the forecast", "USD"),
)


def _kind(kind: type) -> Kind | None:
    if kind is bool:
        return "yes-no"
    if kind in (int, float):
        return "number"
    return "word" if kind is str else None


def _from_inputs() -> dict[str, Fact]:
    facts = {}
    for asked in INPUTS.values():
        kind = _kind(asked.kind)
        if asked.question and kind:
            facts[asked.name] = Fact(asked.name, kind, asked.question, asked.unit, asked.choices)
    return facts


FACTS: dict[str, Fact] = (
    _from_inputs()
    | {fact.name: fact for fact in _DERIVED}
    | {fact.name: fact._replace(about="candidate") for fact in _CANDIDATE}
)

Value = float | int | bool | str | None


def in_words(name: str, value: Any) -> str:
    """Return a value with its unit the way a person writes it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    fact = FACTS.get(name)
    unit = fact.unit if fact else ""
    if isinstance(value, float):
        value = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    elif isinstance(value, int):
        value = f"{value:,}"
    return f"{value} {unit}" if unit in {"GB", "ms", "hours", "USD"} else str(value)
