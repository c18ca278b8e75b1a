"""The questions: every input of a profile, with its type, bounds, unit, wording and whether a team can change it.

The command line, the questionnaire, the JSON Schema and the documentation all derive from these declarations.
An absent answer, or the word ``unknown``, is a value of its own: it is never read as no or zero.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from advisor.data.values import as_text
from advisor.profile.section import Section, answer

TaskType = Literal[
    "text-classification",
    "multi-label",
    "pair-classification",
    "regression",
    "token-classification",
    "question-answering",
    "generation",
    "preference",
]
Metric = Literal[
    "accuracy", "macro-f1", "micro-f1", "pearson", "spearman", "exact-match", "rouge", "preference-accuracy"
]
_LANGUAGE = r"^[a-z]{2,3}$"
Pace = Literal["never", "yearly", "monthly", "weekly", "daily"]


class Task(Section):
    """What the model shall do."""

    type: TaskType | None = answer("What kind of task is it?", why="It decides the head and the strategies that apply.")
    labels: dict[str, str | None] | None = answer(
        "Which labels are there, each with a one-line description?",
        why="Prompting reads the descriptions; the number of classes moves every threshold.",
    )
    kind: Literal["common", "specialised"] | None = answer(
        "Is it a common task in everyday words (sentiment, topic, spam), or particular to your work?",
        why="Prompting does best where label words already say it; tuned models lead most on unusual tasks.",
    )
    languages: list[Annotated[str, Field(pattern=_LANGUAGE)]] | None = answer(
        "Which languages are the texts in (codes such as en, de)?",
        why="The pre-trained model must know them.",
    )
    metric: Metric | None = answer("Which metric counts?", why="It is what plans optimise and reports lead with.")
    target: float | None = answer(
        "Which value of the metric is good enough?", why="Short of it, more labels or a dearer strategy pay.",
        unit="share", actionable=True, ge=0, le=1,
    )  # fmt: skip
    world_knowledge: bool | None = answer(
        "Does deciding take knowledge of the world that is not in the text?",
        why="Large language models lead there; on patterns in the text small tuned models do.",
    )
    domain_shift: Literal["none", "mild", "strong"] | None = answer(
        "Will texts in use differ from the labelled ones (source, time, customers)?",
        why="Full tuning can bend good features to the training domain.",
    )
    variance_safe: bool | None = answer(
        "Must the first model be dependable, with no room to train several and keep the best?",
        why="Tuned models differ from seed to seed; counting that, tuning needs two to three times the labels.",
    )

    @field_validator("labels", mode="before")
    @classmethod
    def _names_alone(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        names = [as_text(name) for name in value]
        if None in names:
            raise ValueError("a label with its description is written 'name: description', without a dash before it")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"the label '{twice}' stands twice")
        return dict.fromkeys(names)

    @field_validator("labels")
    @classmethod
    def _two_labels(cls, value: dict[str, str | None] | None) -> dict[str, str | None] | None:
        if value is not None and not all(name.strip() for name in value):
            raise ValueError("a label has no name")
        if value is not None and len(value) < 2:
            raise ValueError("a task needs at least two labels")
        return value

    @field_validator("languages", mode="before")
    @classmethod
    def _codes(cls, value: Any) -> Any:
        for code in value if isinstance(value, list) else ():
            if isinstance(code, str) and not re.fullmatch(_LANGUAGE, code):
                raise ValueError(f"'{code}' is not a language code of two or three small letters, such as en")
        return value


class Data(Section):
    """The data at hand."""

    path: str | None = answer(
        "Where are the labelled data: a file, a folder with train and test, a hub id?",
        why="A data file answers a third of the questions by itself.",
    )
    test: str | None = Field(default=None, description="A held-out test file.")
    text: str | None = Field(default=None, description="Name of the column of texts, first texts, words or questions.")
    pair: str | None = Field(default=None, description="Name of the column of second texts or contexts.")
    label: str | None = Field(default=None, description="Name of the column of labels, numbers, tags or answers.")
    labelled: int | None = answer(
        "How many labelled examples are there?", why="It decides more than any other answer.",
        unit="examples", actionable=True, ge=0, le=1_000_000_000,
    )  # fmt: skip
    smallest_class: int | None = answer(
        "How many examples has the rarest class?", why="A class with a handful of examples learns like one.",
        unit="examples", actionable=True, ge=0, le=1_000_000_000,
    )  # fmt: skip
    classes: int | None = answer(
        "How many classes are there?", why="The total number of labels needed grows with it.",
        unit="classes", ge=2, le=100_000,
    )  # fmt: skip
    unlabelled: int | None = answer(
        "How many unlabelled texts of the same kind are there?", why="They can adapt the encoder or be labelled.",
        unit="examples", actionable=True, ge=0, le=10_000_000_000,
    )  # fmt: skip
    tokens_median: int | None = answer(
        "How long is a typical text, in tokens (3 words are about 4)?", why="Time and memory grow with it.",
        unit="tokens", ge=1, le=1_000_000,
    )  # fmt: skip
    tokens_p95: int | None = answer(
        "How long are the longest 5 % of texts, in tokens?", why="What exceeds the model's limit is cut.",
        unit="tokens", ge=1, le=1_000_000,
    )  # fmt: skip
    usd_per_label: float | None = answer(
        "What does one more label cost?", why="It prices the way to a better strategy.",
        unit="USD", ge=0, le=10_000,
    )  # fmt: skip
    label_noise: float | None = answer(
        "Which share of the labels is wrong, roughly?", why="Noise caps what any strategy can reach.",
        unit="share", actionable=True, ge=0, le=0.5,
    )  # fmt: skip


class Compute(Section):
    """What can be used to train."""

    device: Literal["cpu", "gpu"] | None = answer(
        "What is there to train on?",
        why="Full tuning of anything but a small model wants a GPU.",
        actionable=True,
    )
    card: str | None = Field(
        default=None, description="Name of the graphics card, such as A100 80GB; it tells memory and rates."
    )
    devices: int | None = answer(
        "How many of them?", why="Large models and data sets spread over several.",
        unit="devices", actionable=True, ge=1, le=100_000,
    )  # fmt: skip
    memory_gb: float | None = answer(
        "How much memory has one of them?", why="Training needs several times the model's size.",
        unit="GB", actionable=True, gt=0, le=100_000,
    )  # fmt: skip
    hours: float | None = answer(
        "How many hours may training take in all (0 for none)?", why="It rules out what cannot finish.",
        unit="hours", actionable=True, ge=0, le=1_000_000,
    )  # fmt: skip
    budget_usd: float | None = answer(
        "How much money may training cost?", why="Rented devices are paid by the hour.",
        unit="USD", actionable=True, ge=0, le=1_000_000_000,
    )  # fmt: skip
    usd_per_hour: float | None = answer(
        "What does an hour of the training device cost (0 for your own)?", why="It turns hours into money.",
        unit="USD", ge=0, le=100_000,
    )  # fmt: skip
    rented: bool | None = Field(
        default=None, description="Whether the card is rented: where its price is not named, a price list tells it."
    )


class Serving(Section):
    """How the model will be used."""

    device: Literal["cpu", "gpu"] | None = answer(
        "What will it run on in use?", why="Latency depends on it.", actionable=True
    )
    card: str | None = Field(default=None, description="Name of the graphics card that it will run on.")
    latency_ms_p95: float | None = answer(
        "Within how many milliseconds must 95 % of answers come?", why="It rules out slow models.",
        unit="ms", actionable=True, gt=0, le=3_600_000,
    )  # fmt: skip
    requests_per_month: int | None = answer(
        "How many requests a month?", why="At volume a prompt paid by the token overtakes a trained model.",
        unit="requests", ge=0, le=1_000_000_000_000,
    )  # fmt: skip
    usd_per_1000: float | None = answer(
        "What may 1,000 answers cost at most?", why="It rules out dear models.",
        unit="USD", actionable=True, ge=0, le=100_000,
    )  # fmt: skip


class Constraints(Section):
    """What must hold whatever the quality."""

    data_may_leave: bool | None = answer(
        "May the texts be sent to another company's server?",
        why="Without that no commercial endpoint can be used.",
    )
    air_gapped: bool | None = answer(
        "Must everything run without any network?", why="Then only models already on the machine count."
    )
    model_access: Literal["weights", "api-only"] | None = answer(
        "Do you have the model's weights, or only an API?", why="Freezing and tuning need weights."
    )
    licence: Literal["any", "permissive"] | None = answer(
        "Which licences are acceptable for the model?", why="Some weights forbid commercial use."
    )


class Lifecycle(Section):
    """How things go on after the first version."""

    tasks_on_model: int | None = answer(
        "How many tasks will share the model?", why="A frozen backbone can serve many heads.",
        unit="tasks", ge=1, le=100_000,
    )  # fmt: skip
    labels_change: Pace | None = answer(
        "How often do the labels change?", why="Prompts and demonstrations change in minutes, weights do not."
    )
    facts_change: Pace | None = answer(
        "How often do the facts change that answers rest on?",
        why="Weights cannot follow facts; retrieval can.",
    )
    keep_general_skills: bool | None = answer(
        "Must the model keep its other skills?", why="Changing all weights forgets some of them."
    )
    feedback: Literal["none", "demonstrations", "pairs", "thumbs"] | None = answer(
        "Which feedback is there on generated texts?", why="It decides between SFT, DPO and KTO."
    )
    person_hours: float | None = answer(
        "How many hours of work can go into it?", why="Some strategies take more care than others.",
        unit="hours", actionable=True, ge=0, le=100_000,
    )  # fmt: skip


class Model(Section):
    """The pre-trained models that may be used."""

    base: str | None = answer(
        "Which pre-trained model (auto, a hub id, or a folder)?",
        why="Its size and training decide cost and fit.",
    )
    revision: str | None = Field(default=None, description="Commit of the hub model to pin.")
    trust_remote_code: bool | None = Field(
        default=None, description="Whether Python code that comes with the model may run; its revision must be pinned."
    )
    parameters_b: float | None = answer(
        "How many billion parameters has it (for a model the catalogue does not know)?",
        why="Large models are adapted by small parts, small ones as a whole.",
        unit="billion parameters", gt=0, le=10_000,
    )  # fmt: skip
    objective: Literal["contrastive", "masked", "replaced-token", "causal", "denoising"] | None = answer(
        "How was it pre-trained (for a model the catalogue does not know)?",
        why="It decides what its features and its prompts are good for.",
    )
    llm: Literal["none", "local", "api"] | None = answer(
        "Is a large language model available: none, on your own machines, or by an API?",
        why="It is what prompting does best with.",
    )
    llm_name: str | None = Field(default=None, description="Name of the large language model.")
    llm_url: str | None = Field(
        default=None,
        description="Base URL of a server that speaks the OpenAI protocol, such as http://localhost:8000/v1.",
    )
    llm_key_variable: str | None = Field(
        default=None, description="Environment variable that holds the server's key; the key itself is written nowhere."
    )
    llm_max_usd: float | None = Field(
        default=None, ge=0, le=1_000_000, description="What a run may spend on the language model's answers at most."
    )
    llm_strength: Literal["small", "medium", "frontier"] | None = answer(
        "How strong is it: small (under 10 B parameters), medium, or frontier?",
        why="Evidence for prompting a strong model does not carry over to a small one.",
    )
    llm_context: int | None = answer(
        "How many tokens fit its context?", why="With many classes demonstrations need room.",
        unit="tokens", ge=128, le=100_000_000,
    )  # fmt: skip
    llm_usd_per_million_in: float | None = answer(
        "What do a million input tokens cost?",
        why="Prompts are paid per request.",
        unit="USD",
        ge=0,
        le=100_000,
    )
    llm_usd_per_million_out: float | None = answer(
        "What do a million output tokens cost?",
        why="Prompts are paid per request.",
        unit="USD",
        ge=0,
        le=100_000,
    )
