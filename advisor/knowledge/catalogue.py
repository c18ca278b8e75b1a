"""Base models and devices as data: what estimates and the choice of a model rest on."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import InputError, RuleBaseError
from advisor.knowledge.interval import OrderedInterval

EMBEDDED_PREFIX = "embedded/"


class BaseModelFacts(BaseModel):
    """A pre-trained model's facts; sizes in parameters, tokens and units.

    Attributes:
        package: the Python package that carries its weights, if one does.
        pretraining_head: the head that adaptation discards.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: int = Field(gt=0)
    embedding_parameters: int = Field(ge=0)
    layers: int = Field(gt=0)
    hidden: int = Field(gt=0)
    intermediate: int = Field(gt=0)
    heads: int = Field(gt=0)
    context: int = Field(gt=0)
    languages: tuple[str, ...]
    licence: str
    objective: Literal["contrastive", "masked", "replaced-token", "causal", "denoising", "unknown"]
    pretraining_head: str
    package: str | None = None
    weights_sha256: str | None = None
    source: str

    @property
    def body_parameters(self) -> int:
        """Parameters that every token passes through: all but the embeddings."""
        return self.parameters - self.embedding_parameters

    @property
    def generates(self) -> bool:
        """Whether it can write text; where its objective is unknown that is not excluded."""
        return self.objective in ("causal", "denoising", "unknown")

    @property
    def may_be_quantised(self) -> bool:
        """Whether its frozen weights are usually held in 16 or 4 bits: large language models' are."""
        return self.objective in ("causal", "denoising")

    def forward_flops(self, tokens: float, length: float) -> float:
        """Floating point operations of one forward pass over ``tokens`` tokens in texts of ``length``.

        2 per body parameter and token, and 4·length·hidden a layer and token for attention's two products (Kaplan et
        al. 2020, arXiv 2001.08361, table 1).
        """
        return tokens * (2.0 * self.body_parameters + 4.0 * self.layers * length * self.hidden)


class DeviceFacts(BaseModel):
    """What a kind of device achieves on encoders of this size; rates are per core for processors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    forward_gflops: OrderedInterval
    training_gflops: OrderedInterval
    layer_overhead_ms: OrderedInterval
    start_seconds: OrderedInterval
    per_core: bool
    source: str


class Catalogue(NamedTuple):
    """The base models and device kinds known without looking anywhere else."""

    models: dict[str, BaseModelFacts]
    devices: dict[str, DeviceFacts]
    default_model: str


@cache
def load_catalogue() -> Catalogue:
    """Read the shipped catalogue.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    models = read_document(asset("rules", "models.yaml"), kind=RuleBaseError)
    devices = read_document(asset("rules", "devices.yaml"), kind=RuleBaseError)
    return Catalogue(
        models={
            name: models.validate(BaseModelFacts, kind=RuleBaseError, at=("models", name))
            for name in models.data["models"]
        },
        devices={name: devices.validate(DeviceFacts, kind=RuleBaseError, at=(name,)) for name in devices.data},
        default_model=models.data["default"],
    )


@cache
def describe_model(name: str) -> BaseModelFacts | None:
    """Return a model's facts from the catalogue, or from ``config.json`` where ``name`` is a folder; None if unknown.

    Raises:
        InputError: ``name`` is a folder without a usable ``config.json``.
    """
    known = load_catalogue().models.get(name)
    if known:
        return known
    folder = Path(name)
    return _from_config(folder) if folder.is_dir() else None


def _from_config(folder: Path) -> BaseModelFacts:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        hidden, layers = (
            _first(config, "hidden_size", "dim", "d_model"),
            _first(config, "num_hidden_layers", "n_layers"),
        )
        heads = _first(config, "num_attention_heads", "n_heads")
        context = int(config.get("max_position_embeddings", 512))
        inner = int(config.get("intermediate_size") or config.get("hidden_dim") or 4 * hidden)
        embedding = (int(config["vocab_size"]) + context + int(config.get("type_vocab_size", 0)) + 2) * hidden
    except (OSError, KeyError, ValueError, TypeError) as failure:
        raise InputError(f"{folder}: no usable config.json of a pre-trained encoder ({failure})") from None
    block = 4 * hidden * hidden + 2 * hidden * inner + 9 * hidden + inner
    return BaseModelFacts(
        parameters=embedding + layers * block + hidden * hidden + hidden,
        embedding_parameters=embedding,
        layers=layers,
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        context=context,
        languages=("unknown",),
        licence="unknown",
        objective="contrastive" if (folder / "1_Pooling").is_dir() else "unknown",
        pretraining_head=", ".join(config.get("architectures") or ["none"]),
        source=f"{folder.name}/config.json",
    )


def _first(config: dict[str, Any], *names: str) -> int:
    for name in names:
        if config.get(name) is not None:
            return int(config[name])
    raise KeyError(names[0])


def embedded_folder(facts: BaseModelFacts) -> Path | None:
    """Return the folder with the weights that an installed package carries, without importing the package."""
    if facts.package is None:
        return None
    spec = find_spec(facts.package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"
