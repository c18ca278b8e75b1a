"""Base models and devices as data: what estimates and the choice of a model rest on."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import InputError, RuleBaseError
from advisor.knowledge.interval import OrderedInterval
from advisor.strict import Strict

EMBEDDED_PREFIX = "embedded/"


class BaseModelFacts(Strict):
    """A pre-trained model's facts; sizes in parameters, tokens and units.

    Attributes:
        parameters: of the encoder or decoder without the head of pre-training, but with the layer that a language model
            writes with.
        embedding_parameters: of token, position and type embeddings, and of that layer where it is not one of them.
        layers: all of them, those that read and those that write.
        architecture: ``model_type`` of its configuration.
        layer_groups: how many layers have weights of their own, where layers share them (ALBERT).
        kv_heads, head_dim: heads of keys and values, and units of a head; None where unknown.
        vocabulary: tokens it knows.
        gated_mlp: whether the feed-forward part has a gate, so three matrices for two.
        window: tokens that a local layer attends to; ``global_every`` says that each so-manieth layer attends to all.
        tied_embeddings: whether the output layer is the token embedding.
        revision: the commit that the facts were read from.
        gated: whether the hub asks for an agreement first.
        custom_code: whether it runs Python code that comes with it.
        package: the Python package that carries its weights, if one does.
        pretraining_head: the head that adaptation discards.
    """

    architecture: str | None = None
    parameters: int = Field(gt=0)
    embedding_parameters: int = Field(ge=0)
    layers: int = Field(gt=0)
    hidden: int = Field(gt=0)
    intermediate: int = Field(gt=0)
    heads: int = Field(gt=0)
    layer_groups: int | None = Field(default=None, gt=0)
    context: int = Field(gt=0)
    languages: tuple[str, ...]
    licence: str
    objective: Literal["contrastive", "masked", "replaced-token", "causal", "denoising", "unknown"]
    pretraining_head: str
    kv_heads: int | None = Field(default=None, gt=0)
    head_dim: int | None = Field(default=None, gt=0)
    vocabulary: int | None = Field(default=None, gt=0)
    gated_mlp: bool | None = None
    window: int | None = Field(default=None, gt=0)
    global_every: int | None = Field(default=None, gt=0)
    tied_embeddings: bool | None = None
    revision: str | None = None
    gated: bool = False
    custom_code: bool = False
    package: str | None = None
    weights_sha256: str | None = None
    source: str

    @property
    def encodes(self) -> bool:
        """Whether it reads a text as a whole and writes none."""
        return self.objective not in ("causal", "denoising")

    @property
    def body_parameters(self) -> int:
        """Parameters that every token passes through: all but the embeddings, shared ones as often as they are used."""
        own = self.parameters - self.embedding_parameters
        return own * self.layers // (self.layer_groups or self.layers)

    @property
    def vocabulary_parameters(self) -> int:
        """Parameters of the product that scores every word of the vocabulary."""
        return self.vocabulary * self.hidden if self.vocabulary else self.embedding_parameters

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


class DeviceFacts(Strict):
    """What a kind of device achieves on encoders of this size; rates are per core for processors."""

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
    """Return a model's facts without loading its weights; None if it is unknown.

    They are the catalogue's, or told by ``config.json`` where ``name`` is a folder, such a file, or a hub id whose
    configuration is in the hub's cache (`advisor.knowledge.hub.fetch_configuration` puts it there).

    Raises:
        InputError: ``name`` is a folder without a usable ``config.json``.
    """
    known = load_catalogue().models.get(name)
    if known:
        return known
    # Most projects take a catalogued model; what describes others is imported for them alone.
    from advisor.knowledge.hub import cached_folder, looks_like_hub_id
    from advisor.knowledge.pretrained import describe_folder

    place = Path(name)
    folder = place.parent if place.name == "config.json" and place.is_file() else place
    revision = None
    if not folder.is_dir():
        found = cached_folder(name) if looks_like_hub_id(name) else None
        if found is None:
            return None
        folder, revision = found, found.name
    try:
        return BaseModelFacts(
            languages=("unknown",),
            licence="unknown",
            revision=revision,
            source=f"config.json of {name if revision else folder.name}",
            **describe_folder(folder),
        )
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise InputError(
            f"{folder}: config.json comes to {first['input']} {first['loc'][0]}; no model has that"
        ) from None


def unknown_model(name: str) -> str:
    """Say that a name is no model's, and which known one is called so by its owner's side."""
    meant = [known for known in load_catalogue().models if known.rpartition("/")[2].lower() == name.lower()]
    hint = f" ({meant[0]} is known)" if meant else ""
    return f"{name}: neither a folder with a pre-trained model nor a hub id such as owner/name{hint}"


def embedded_folder(facts: BaseModelFacts) -> Path | None:
    """Return the folder with the weights that an installed package carries, without importing the package."""
    if facts.package is None:
        return None
    spec = find_spec(facts.package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"
