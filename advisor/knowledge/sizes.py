"""Sizes of a model: what its configuration says of layers, widths and heads, however that names them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

_HIDDEN = ("hidden_size", "dim", "d_model", "n_embd")
_LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers")
_WRITING_LAYERS = ("num_decoder_layers", "decoder_layers")
_HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads", "encoder_attention_heads")
_INNER = ("intermediate_size", "hidden_dim", "n_inner", "d_ff", "encoder_ffn_dim")
_POSITIONS = ("max_position_embeddings", "n_positions")


class Sizes(NamedTuple):
    """Sizes of a model, in units, tokens and layers.

    Attributes:
        layers: all of them, those that read and those that write.
        reading_layers: those that read, where a model has other layers to write; all of them elsewhere.
        groups: how many layers have weights of their own, where layers share them.
        width: of the token embeddings.
        positions: rows of the table of positions; 0 where there is no limit.
    """

    layers: int
    reading_layers: int
    groups: int | None
    hidden: int
    width: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    positions: int


class Window(NamedTuple):
    """Layers that see a part of the text: how many tokens, and that each so-manieth layer sees all."""

    tokens: int | None
    global_every: int | None


def read_sizes(config: Mapping[str, Any]) -> Sizes:
    """Return the sizes that a configuration declares.

    Raises:
        KeyError: one is missing that cannot do without.
        ValueError: one is no number.
        TypeError: likewise.
    """
    hidden, heads, reading = _first(config, _HIDDEN), _first(config, _HEADS), _first(config, _LAYERS)
    writing = _first(config, _WRITING_LAYERS, reading) if config.get("is_encoder_decoder") else 0
    return Sizes(
        layers=reading + writing,
        reading_layers=reading,
        groups=_first(config, ("num_hidden_groups",), 0) or None,
        hidden=hidden,
        width=_first(config, ("embedding_size",), hidden),
        intermediate=_first(config, _INNER, 4 * hidden),
        heads=heads,
        kv_heads=_first(config, ("num_key_value_heads",), heads),
        head_dim=_first(config, ("head_dim", "d_kv"), hidden // heads),
        vocabulary=_first(config, ("vocab_size",)),
        positions=max(0, _first(config, _POSITIONS, 0)),
    )


def read_window(config: Mapping[str, Any], context: int) -> Window:
    """Return which layers see a part of the text only; a window that holds the whole context is none.

    Args:
        config: whole, as `advisor.knowledge.architectures.completed` returns it.
        context: longest text in tokens.
    """
    tokens = config.get("local_attention") or config.get("sliding_window")
    kinds = list(config.get("layer_types") or ())
    local = "sliding_attention" in kinds if kinds else config.get("use_sliding_window", True)
    if not tokens or int(tokens) >= context or not local:
        return Window(None, None)
    seeing_all = [place for place, kind in enumerate(kinds) if kind == "full_attention"]
    if seeing_all:
        return Window(int(tokens), seeing_all[1] - seeing_all[0] if len(seeing_all) > 1 else len(kinds))
    every = config.get("global_attn_every_n_layers") or config.get("sliding_window_pattern")
    return Window(int(tokens), None if kinds or not every else int(every))


def _first(config: Mapping[str, Any], names: tuple[str, ...], default: int | None = None) -> int:
    """Return the first number that a configuration has under one of several names."""
    for name in names:
        if config.get(name) is not None:
            return int(config[name])
    if default is None:
        raise KeyError(names[0])
    return default
