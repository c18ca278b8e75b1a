"""Architectures: how the layers of a model are made, and so how many parameters its configuration comes to."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from pydantic import Field, JsonValue

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.knowledge.sizes import Sizes, read_sizes
from advisor.strict import Strict


class Architecture(Strict):
    """How the layers of a model type are made; ``rules/architectures.yaml`` says what each word means."""

    norm: Literal["layer", "rms", "declared"]
    norms: int = Field(default=2, gt=0)
    first_norms: int | None = Field(default=None, ge=0)
    final_norm: bool = False
    embedding_norm: bool = False
    biases: Literal["all", "qkv", "none", "declared"]
    gated: bool | Literal["declared"] = False
    inside: Literal["none", "head", "width"] = "none"
    positions: bool = False
    token_types: bool = False
    mapping: Literal["never", "narrower", "always"] = "never"
    pooler: bool = False
    writes_apart: bool = False
    defaults: dict[str, JsonValue] = {}


class Count(NamedTuple):
    """Parameters of a model by part; ``output`` is the layer that writes, where it has weights of its own."""

    embeddings: int
    layers: int
    output: int


@cache
def load_architectures() -> dict[str, Architecture]:
    """Return the architectures by ``model_type``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "architectures.yaml"), kind=RuleBaseError)
    return {name: document.validate(Architecture, kind=RuleBaseError, at=(name,)) for name in document.data}


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with what it leaves out, where its architecture is known."""
    made = load_architectures().get(str(config.get("model_type")))
    return {**(made.defaults if made else {}), **config}


def gates(config: Mapping[str, Any]) -> bool | None:
    """Return whether the feed-forward part of a whole configuration's model has a gate; None where that is unknown."""
    made = load_architectures().get(str(config.get("model_type")))
    if made is None:
        return None
    return str(config["feed_forward_proj"]).startswith("gated") if made.gated == "declared" else bool(made.gated)


def count_parameters(config: Mapping[str, Any]) -> Count | None:
    """Return the parameters of the model that a whole configuration describes; None for an unknown architecture.

    A layer has matrices for queries, keys and values, hidden x (heads + 2 kv_heads) x head_dim, one back, and two or,
    with a gate, three of hidden x intermediate; beside them biases and normalisations as the architecture has them.
    Vaswani et al. 2017 (arXiv 1706.03762); grouped heads, Ainslie et al. 2023 (2305.13245); gates, Shazeer 2020
    (2002.05202). The head of pre-training is left out, but for the layer that a language model writes with.

    Args:
        config: as `completed` returns it.
    """
    made = load_architectures().get(str(config.get("model_type")))
    if made is None:
        return None
    sizes, norm = read_sizes(config), _norm(made, config)
    embeddings = _embeddings(made, config, sizes, norm) + _relative_embeddings(config, sizes)
    if made.writes_apart:
        layers = _two_stacks(made, config, sizes, norm)
    else:
        groups = sizes.groups or sizes.layers
        layers = groups * _layer(made, config, sizes, norm) + made.final_norm * norm * sizes.hidden
        layers += _relative_layers(config, sizes, groups)
        if made.first_norms is not None:
            layers -= (made.norms - made.first_norms) * norm * sizes.hidden
        if made.pooler:
            layers += sizes.hidden * (sizes.hidden + 1)
    return Count(embeddings, layers, 0 if config.get("tie_word_embeddings", True) else sizes.vocabulary * sizes.hidden)


def _norm(made: Architecture, config: Mapping[str, Any]) -> int:
    biased = bool(config["norm_bias"]) if made.norm == "declared" else made.norm == "layer"
    return 1 + biased


def _embeddings(made: Architecture, config: Mapping[str, Any], sizes: Sizes, norm: int) -> int:
    rows, width = sizes.vocabulary, sizes.width
    if made.positions and config.get("position_biased_input", True):
        rows += sizes.positions
    if made.token_types:
        rows += int(config["type_vocab_size"])
    mapped = made.mapping == "always" or (made.mapping == "narrower" and width != sizes.hidden)
    debertas = str(config["model_type"]).startswith("deberta")
    mapping = sizes.hidden * (width + (not debertas)) if mapped else 0
    return rows * width + made.embedding_norm * norm * (sizes.hidden if debertas else width) + mapping


def _layer(made: Architecture, config: Mapping[str, Any], sizes: Sizes, norm: int) -> int:
    """Return the parameters of one layer that tokens pass through."""
    attending = made.biases == "all" or (made.biases == "declared" and bool(config.get("attention_bias")))
    forward = made.biases == "all" or (made.biases == "declared" and bool(config.get("mlp_bias")))
    inside = {"none": 0, "head": 2 * sizes.head_dim, "width": (sizes.heads + sizes.kv_heads) * sizes.head_dim}
    return (
        _attention(sizes, in_biased=attending or made.biases == "qkv", out_biased=attending)
        + _feed_forward(sizes, gated=bool(gates(config)), biased=forward)
        + made.norms * norm * sizes.hidden
        + inside[made.inside]
    )


def _attention(sizes: Sizes, *, in_biased: bool = False, out_biased: bool = False) -> int:
    inwards = (sizes.heads + 2 * sizes.kv_heads) * sizes.head_dim
    outwards = sizes.heads * sizes.head_dim
    return inwards * (sizes.hidden + in_biased) + (outwards + out_biased) * sizes.hidden


def _feed_forward(sizes: Sizes, *, gated: bool, biased: bool = False) -> int:
    inwards = (2 if gated else 1) * sizes.intermediate
    return inwards * (sizes.hidden + biased) + (sizes.intermediate + biased) * sizes.hidden


def _two_stacks(made: Architecture, config: Mapping[str, Any], sizes: Sizes, norm: int) -> int:
    """Return the parameters of layers that read and layers that write, which attend to what was read too (T5)."""
    attention, forward = _attention(sizes), _feed_forward(sizes, gated=bool(gates(config)))
    reading = attention + forward + 2 * norm * sizes.hidden
    writing = 2 * attention + forward + 3 * norm * sizes.hidden
    distances = int(config["relative_attention_num_buckets"]) * sizes.heads
    written = sizes.layers - sizes.reading_layers
    return sizes.reading_layers * reading + written * writing + 2 * (norm * sizes.hidden + distances)


def _relative_embeddings(config: Mapping[str, Any], sizes: Sizes) -> int:
    """Return the embeddings of distances between tokens (DeBERTa; He et al. 2020, arXiv 2006.03654)."""
    if not config.get("relative_attention"):
        return 0
    most = int(config.get("max_relative_positions") or -1)
    most = sizes.positions if most < 1 else most
    buckets = int(config.get("position_buckets") or -1)
    return 2 * (buckets if buckets > 0 else most) * sizes.hidden


def _relative_layers(config: Mapping[str, Any], sizes: Sizes, layers: int) -> int:
    """Return what attending to distances adds to the layers: a table, a normalisation, maps of their embeddings."""
    square, kind = sizes.hidden * sizes.hidden, config["model_type"]
    if kind == "mpnet":
        return int(config["relative_attention_num_buckets"]) * sizes.heads
    if not str(kind).startswith("deberta"):
        return 0
    relative = bool(config.get("relative_attention"))
    by_key, by_query = (relative and name in (config.get("pos_att_type") or ()) for name in ("c2p", "p2c"))
    if kind == "deberta":
        return layers * (by_key * square + by_query * (square + sizes.hidden) - sizes.hidden)
    maps = 0 if config.get("share_att_key") else by_key + by_query
    normalised = relative and "layer_norm" in str(config.get("norm_rel_ebd", "none"))
    return layers * maps * (square + sizes.hidden) + 2 * normalised * sizes.hidden
