"""Blocks: the types of layers there are, and what a layer of each keeps of a token for the backward pass."""

from functools import cache
from typing import NamedTuple

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.knowledge.catalogue import BaseModelFacts
from advisor.strict import Strict


class Kept(Strict):
    """Bytes that are kept of a token: factors of widths, and of heads times tokens attended to."""

    hidden: float = 0.0
    inner: float = 0.0
    query: float = 0.0
    key: float = 0.0
    score: float = 0.0

    def of_token(self, model: BaseModelFacts, length: float) -> float:
        """Return the bytes of one token in a text of ``length`` tokens, for one layer."""
        return (
            self.hidden * model.hidden
            + self.inner * model.intermediate
            + self.query * query_width(model)
            + self.key * key_width(model)
            + self.score * model.heads * length
        )


class Way(NamedTuple):
    """How a layer is computed.

    Attributes:
        fused: whether attention is computed without writing its scores down.
        precision: ``fp32``; ``bf16``, by autocast over fp32 weights; or ``16-bit``, with weights held in 16 bits.
        adapters: whether low-rank adapters alone learn.
    """

    fused: bool
    precision: str
    adapters: bool

    def __str__(self) -> str:
        return f"{'fused' if self.fused else 'eager'} {self.precision} {'adapters' if self.adapters else 'all'}"


@cache
def load_blocks() -> dict[str, dict[str, Kept]]:
    """Return what is kept by architecture and way, from ``rules/blocks.yaml``.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    document = read_document(asset("rules", "blocks.yaml"), kind=RuleBaseError)
    found: dict[str, dict[str, Kept]] = {}
    for block, entry in document.data.items():
        ways = {
            way: document.validate(Kept, kind=RuleBaseError, at=(block, way)) for way in entry if way != "architectures"
        }
        found |= dict.fromkeys([block, *entry["architectures"]], ways)
    return found


def kept(model: BaseModelFacts, way: Way) -> Kept:
    """Return what a layer of a model keeps of a token.

    An unknown architecture is taken for the type that is commonest among its like: with a gate in the feed-forward part
    Llama's, among generators without one GPT-2's, else BERT's. Where a type has no fused attention it computes eagerly,
    and where it was not counted with weights in 16 bits, bf16 stands in.
    """
    blocks = load_blocks()
    ways = blocks.get(model.architecture or "") or blocks[_likely(model)]
    for tried in (way, way._replace(fused=False), way._replace(precision="bf16"), Way(False, "bf16", way.adapters)):
        if str(tried) in ways:
            return ways[str(tried)]
    return ways[str(Way(False, "fp32", False))]


def query_width(model: BaseModelFacts) -> int:
    """Return the units of all queries of a token: not always as many as the stream has (Qwen3, Gemma)."""
    return model.heads * units_of_head(model)


def key_width(model: BaseModelFacts) -> int:
    """Return the units of all keys of a token; several heads of queries may share one of keys."""
    return (model.kv_heads or model.heads) * units_of_head(model)


def units_of_head(model: BaseModelFacts) -> int:
    """Return the width of a head."""
    return model.head_dim or model.hidden // model.heads


def _likely(model: BaseModelFacts) -> str:
    if model.gated_mlp:
        return "gated" if model.generates else "modernbert"
    return "plain" if model.objective == "causal" else "post-norm"
