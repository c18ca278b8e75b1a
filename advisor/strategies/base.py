"""What a strategy is: name and family, what it changes, where it applies, what it costs, how it is carried out."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

from pydantic import BaseModel

from advisor.backend.job import FitJob as FitJob
from advisor.backend.job import Fitted as Fitted
from advisor.errors import RunError
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.settings import load_settings
from advisor.tasks import WRITING, Task

Family = Literal["prompting", "freezing", "fine-tuning", "alignment"]
Engine = Literal["encoder", "llm-local", "llm-api"]

CLASSIFYING = frozenset({"text-classification", "multi-label"})
ENCODING = CLASSIFYING | {"pair-classification", "regression", "token-classification"}
READING = ENCODING | {"question-answering"}
ALIGNING = frozenset({"generation", "preference"})
PROMPTABLE = READING | ALIGNING


KEPT_HEAD = "none; the language-model head stays, because the task is what it was pre-trained for"
_HEADS = {
    "number": "one output on the mean of the tokens where the encoder was pre-trained so, else on [CLS]",
    "tags": "a linear layer on the first token of every word, one output a tag",
    "span": "two outputs a token: being the first and being the last of the answer",
}


class TextLoad(NamedTuple):
    """The data as costs see it.

    Attributes:
        rows: texts to learn from.
        tokens: of a text, mean.
        classes: of the task.
        longest: tokens of the longest text.
        differing: whether texts differ in length.
    """

    rows: float
    tokens: float
    classes: int
    longest: float = 0.0
    differing: bool = False


class Passes(NamedTuple):
    """Tokens that go through every layer.

    Attributes:
        tokens: in all.
        length: of a text.
        backward: cost of the backward pass in forward passes; 0 where there are no gradients.
        again: forward passes that are computed a second time, as a share of them.
    """

    tokens: float
    length: float
    backward: float = 0.0
    again: float = 0.0

    @property
    def cost(self) -> float:
        """Forward passes that they cost."""
        return 1.0 + self.backward + self.again


class Workload(NamedTuple):
    """What adapting a model takes.

    Attributes:
        passes: tokens through the layers, with and without gradients.
        head_flops: operations beside the layers, such as fitting a linear head.
        updates: optimiser steps.
        trained_parameters: parameters with gradients and optimiser states, a new head's among them.
        stored_layers: layers whose activations are held for the backward pass: the lowest that learns and all above.
        batch_texts: texts of an update.
        batch_tokens: tokens, padding included, that are computed at once; what is more of an update is accumulated.
        adapters: rank of low-rank adapters on every linear layer; 0 where weights themselves learn, or nothing.
        recompute: whether the backward pass computes a layer's activations again from its input.
        weight_copies: copies of the trained weights that host memory keeps.
        features: vectors of a text that are kept for ``compared`` texts, and one for all; 0 where none is embedded.
        embedded_at_once: texts, where it is not as many as the device's budget of tokens holds.
        writes: whether every token's next one is predicted, over the whole vocabulary.
    """

    passes: tuple[Passes, ...] = ()
    head_flops: float = 0.0
    updates: int = 0
    trained_parameters: int = 0
    stored_layers: int = 0
    batch_texts: float = 0.0
    batch_tokens: float = 0.0
    adapters: int = 0
    recompute: bool = False
    weight_copies: int = 0
    features: int = 0
    compared: float = 0.0
    embedded_at_once: float | None = None
    writes: bool = False


class Strategy(ABC):
    """One way to adapt a pre-trained model.

    Attributes:
        id: contract name.
        verb: how the verdict begins.
        changes: what of the model changes.
        task_head: the head put on in place of the pre-training head.
        trains: what the training step does, for the plan; ``asks`` instead where a language model is prompted.
        encoder_tasks, generator_tasks: task types it applies to on an encoder and on a language model.
        wants_validation: whether fitting needs held-out rows.
        frozen: whether every pre-trained weight stays, so that no gradient passes through the model.
        worth_a_part: whether training on a part of many rows is still worth it, as the cheapest way that learns.
        whole_model: whether what it exports is one model, rather than a head beside the pre-trained encoder.
        settings: type of the hyper-parameters; ``settings_of`` names the sections of
            ``rules/hyperparameters.yaml`` that fill them, the strategy's own where empty.
        generator_settings, generator_settings_of: the same where a generator is tuned, if they are others.
    """

    id: ClassVar[str]
    family: ClassVar[Family]
    title: ClassVar[str]
    verb: ClassVar[str]
    changes: ClassVar[str]
    task_head: ClassVar[str]
    trains: ClassVar[str]
    asks: ClassVar[str] = ""
    encoder_tasks: ClassVar[frozenset[str]]
    generator_tasks: ClassVar[frozenset[str]] = frozenset()
    needs_labels: ClassVar[bool] = True
    wants_validation: ClassVar[bool] = False
    frozen: ClassVar[bool] = False
    worth_a_part: ClassVar[bool] = False
    whole_model: ClassVar[bool] = False
    settings: ClassVar[type[BaseModel]]
    settings_of: ClassVar[tuple[str, ...]] = ()
    generator_settings: ClassVar[type[BaseModel] | None] = None
    generator_settings_of: ClassVar[tuple[str, ...]] = ()

    def handles(self, task: str, engine: Engine) -> bool:
        """Return whether the strategy applies to a task type on an engine."""
        return task in (self.encoder_tasks if engine == "encoder" else self.generator_tasks)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """What it can be carried out on."""
        found: tuple[Engine, ...] = ("encoder",) if self.encoder_tasks else ()
        if self.generator_tasks:
            found += ("llm-local", "llm-api") if self.family == "prompting" else ("llm-local",)
        return found

    @classmethod
    def validation_share(cls, rows: float) -> float:
        """Return the share of so many training rows that is held out to choose a checkpoint; 0 where none is."""
        evaluation = load_settings("evaluation.yaml")
        enough = cls.wants_validation and rows >= evaluation["validate_from"]
        return float(evaluation["validation_share"]) if enough else 0.0

    def settings_for(self, engine: Engine) -> tuple[type[BaseModel], tuple[str, ...]]:
        """Return the type of the hyper-parameters on an engine, and the sections of the rules that fill them."""
        if engine != "encoder" and self.family == "prompting":
            from advisor.backend.prompted.settings import PromptedSettings

            return PromptedSettings, ("prompting", "endpoint")
        if engine != "encoder" and self.generator_settings is not None:
            return self.generator_settings, self.generator_settings_of
        return self.settings, self.settings_of or (self.id,)

    def head_for(self, task: Task) -> str:
        """Return the head put on for a task, in words."""
        if task.predicts in WRITING:
            return KEPT_HEAD
        return _HEADS.get(task.predicts, self.task_head) if self.whole_model else self.task_head

    @abstractmethod
    def workload(self, model: BaseModelFacts, load: TextLoad, settings: BaseModel) -> Workload:
        """Return what adapting ``model`` to ``load`` takes."""

    def fit(self, job: FitJob) -> Fitted:
        """Carry the strategy out in this process.

        Raises:
            RunError: this version advises the strategy and cannot carry it out.
        """
        raise RunError(f"this version advises {self.id} and cannot carry it out; name another by --strategy")

    @property
    def executable(self) -> bool:
        """Whether this version carries the strategy out."""
        return type(self).fit is not Strategy.fit
