"""A plan: everything a run needs, pinned, and the steps in the order in which a pre-trained model is adapted."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from advisor.documents import read_document, suggest
from advisor.files import write_text
from advisor.settings import load_settings
from advisor.tasks import TASKS, Measure

DEFAULT_SEED = 13
"""Of splits, batches and bootstrap, unless another is named."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedModel(_Part):
    """The pre-trained model, pinned by commit or by the hash of its weights, and the heads that come off and go on.

    Attributes:
        trust_remote_code: whether Python code that comes with it runs; whoever runs the plan must agree.
        code_sha256: of that code.
        files: of a folder, SHA-256 by name of what decides besides the weights what it does, such as its chat template.
    """

    id: str
    revision: str | None = None
    sha256: str | None = None
    trust_remote_code: bool = False
    code_sha256: str | None = None
    files: dict[str, str] = {}
    discarded_head: str
    task_head: str
    max_length: int = Field(ge=1)


class PlannedPrompting(_Part):
    """How a language model is prompted; the model itself is the plan's.

    Attributes:
        encoder: the encoder that finds demonstrations similar to a row.
        encoder_sha256: of its weights.
        url: base URL of the server that answers; None where the model is loaded in process.
        key_variable: environment variable that holds the server's key.
        context: tokens that prompt and answer may have together.
        usd_per_million_in, usd_per_million_out: prices of tokens.
        max_usd: what the run may spend on answers.
        template: of the prompt; a run uses this text, so it may be edited here.
    """

    encoder: str
    encoder_sha256: str | None = None
    url: str | None = None
    key_variable: str | None = None
    context: int | None = None
    usd_per_million_in: float | None = None
    usd_per_million_out: float | None = None
    max_usd: float | None = None
    template: str


class PlannedTeacher(_Part):
    """Who labels unlabelled texts for the strategy to learn from: a prompted model, the plan's own encoder or not."""

    strategy: str
    engine: Literal["encoder", "llm-local", "llm-api"]
    model: PlannedModel
    prompting: PlannedPrompting | None = None


class PlannedFile(_Part):
    """A data file with its hash; ``path`` is relative to the plan's folder where that is possible."""

    path: str
    sha256: str
    rows: int


class PlannedSplit(_Part):
    """How quality is measured: on a test file, on held-out rows, or by cross-validation."""

    kind: Literal["test-file", "held-out", "cross-validation"]
    share: float | None = None
    folds: int | None = None
    validation_share: float


class PlannedData(_Part):
    """The labelled data."""

    train: PlannedFile
    test: PlannedFile | None = None
    text_column: str
    pair_column: str | None = None
    label_column: str
    split: PlannedSplit


class PlannedStep(_Part):
    """One step: what is done and why."""

    id: str
    title: str
    does: str


class PlannedAdvice(_Part):
    """Why this plan: the verdict it carries out, or departs from."""

    strategy: str
    strength: str
    certainty: str
    contested: bool
    because: list[str]
    evidence: list[str]
    rules_version: str
    rules_sha256: str


class PlannedPremises(_Part):
    """What the forecast is for and was made from, so that what is measured can be held against it.

    Attributes:
        machine: fingerprint of the machine that it is for.
        device, serving_device: ``cpu`` or ``gpu``.
        basis: fingerprint of the constants and rates that it was made from.
        model: the base model by the name that candidates have.
        work: ``passes`` where pre-trained weights stay, ``updates`` where they learn, ``asks`` where a language model
            is prompted.
        languages: of the texts, None where unknown; ``tokens_median`` and ``tokens_p95`` of a text.
        runs: by quantity, how many past runs on the machine have adjusted its forecast.
        unadjusted: the forecasts of those before that.
    """

    machine: str
    device: str
    serving_device: str
    basis: str
    model: str
    work: Literal["passes", "updates", "asks"]
    languages: list[str] | None = None
    tokens_median: float | None = None
    tokens_p95: float | None = None
    runs: dict[str, int] = {}
    unadjusted: dict[str, dict[str, float] | None] = {}


# What of a plan tells about it, and decides nothing of what its run does.
_NOT_DONE = {"forecast", "premises", "terms", "fits", "advice", "notes"}


class Plan(_Part):
    """An executable plan; `read_plan` and `save` keep it as ``plan.yaml``.

    Attributes:
        terms: what quantities of the forecast are made of, by name.
        fits: whether training fits the memory at hand.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal[1] = Field(default=1, alias="schema")
    project: str
    advisor: str
    task: str
    metric: str
    strategy: str
    family: str
    engine: Literal["encoder", "llm-local", "llm-api"]
    model: PlannedModel
    prompting: PlannedPrompting | None = None
    teacher: PlannedTeacher | None = None
    data: PlannedData
    labels: dict[str, str | None]
    seed: int = Field(ge=0, le=2**31 - 1)
    class_weights: Literal["none", "balanced"]
    modifiers: dict[str, dict[str, Any]] = {}
    hyperparameters: dict[str, Any]
    evaluation: dict[str, Any]
    steps: list[PlannedStep]
    forecast: dict[str, dict[str, float] | None]
    terms: dict[str, dict[str, dict[str, float]]] = {}
    fits: Literal["fits", "tight", "too large", "unknown"] = "unknown"
    premises: PlannedPremises | None = None
    advice: PlannedAdvice
    notes: list[str]
    versions: dict[str, str]

    @field_validator("task")
    @classmethod
    def _known_task(cls, value: str) -> str:
        if value not in TASKS:
            raise ValueError(f"there is no task '{value}' that can be planned for; known: {', '.join(TASKS)}")
        return value

    @property
    def measure(self) -> Measure:
        """The measure that leads."""
        return next(measure for measure in TASKS[self.task].measures if measure.key == self.metric)

    @model_validator(mode="after")
    def _known_measure(self) -> "Plan":
        known = [measure.key for measure in TASKS[self.task].measures]
        if self.metric not in known:
            raise ValueError(f"metric '{self.metric}' does not judge {self.task}; known: {', '.join(known)}")
        return self

    @field_validator("strategy")
    @classmethod
    def _known_strategy(cls, value: str) -> str:
        from advisor.strategies import STRATEGIES

        if value not in STRATEGIES:
            raise ValueError(f"there is no strategy '{value}'; known: {', '.join(STRATEGIES)}")
        return value

    def identity(self) -> str:
        """Return the SHA-256 of all that decides what a run does.

        What is forecast for it and why it was chosen do not, and change as past runs teach more.
        """
        content = self.model_dump(by_alias=True, mode="json", exclude=_NOT_DONE)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def prompts(self) -> tuple[PlannedPrompting | None, PlannedPrompting | None]:
        """How a language model is prompted, and how the teacher's is; None where there is none."""
        return self.prompting, self.teacher.prompting if self.teacher else None

    @property
    def sending(self) -> bytes:
        """What is sent where: the hashes of the data and, of every server, its URL and the variable of its key."""
        files = [part.sha256 for part in (self.data.train, self.data.test) if part]
        servers = [[terms.url, terms.key_variable] for terms in self.prompts if terms]
        return json.dumps([files, servers]).encode()

    def as_yaml(self) -> str:
        """Return the plan as YAML; the same plan gives the same bytes."""
        return yaml.safe_dump(
            self.model_dump(by_alias=True, mode="json"), allow_unicode=True, sort_keys=False, width=100
        )

    def save(self, path: Path) -> None:
        """Write the plan, whole or not at all."""
        write_text(path, self.as_yaml())


def read_plan(path: Path) -> Plan:
    """Read ``plan.yaml``, or the one in a plan folder.

    Raises:
        InputError: there is none.
        DocumentError: it breaks the schema, or that of its strategy's or a modifier's settings.
    """
    from advisor.strategies import STRATEGIES
    from advisor.strategies.modifiers import MODIFIERS

    document = read_document(path / "plan.yaml" if path.is_dir() else path)
    plan = document.validate(Plan)
    strategy = STRATEGIES[plan.strategy]
    if not strategy.handles(plan.task, plan.engine):
        raise document.error(f"{plan.strategy} does not do {plan.task} on {plan.engine}", ("strategy",))
    document.validate(strategy.settings_for(plan.engine)[0], at=("hyperparameters",))
    for name in plan.modifiers:
        if name not in MODIFIERS:
            raise document.error(
                f"there is no modifier '{name}'{suggest(name, MODIFIERS)}", ("modifiers", name), key=True
            )
        document.validate(MODIFIERS[name], at=("modifiers", name))
    for name, usual in load_settings("evaluation.yaml").items():
        value = plan.evaluation.get(name)
        if type(usual) in (int, float) and type(value) not in (int, type(usual)):
            raise document.error(f"evaluation.{name} is no number such as {usual}", ("evaluation", name))
    return plan
