"""What a layer keeps for its backward pass, counted by block type: prints ``rules/blocks.yaml``.

    python benchmarks/blocks.py > rules/blocks.yaml

Tiny models of each type are made from a configuration with random weights. torch's saved-tensor hooks tell the size
of everything that a forward pass keeps, parameters apart; the difference between four layers and two, and between six
texts and two, leaves the bytes of a layer and token. Over several shapes they are linear in the widths of the stream,
of the feed-forward part, of queries and of keys, and in the scores of attention, by whole numbers.
"""

import itertools
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModel

WIDTHS = ("hidden", "inner", "score", "query", "key")
# (hidden, inner, heads, key heads, units of a head, tokens)
SHAPES = (
    (64, 160, 4, 2, 16, 24), (96, 160, 4, 2, 24, 24), (64, 352, 4, 4, 16, 24), (64, 160, 8, 2, 8, 24),
    (64, 160, 4, 1, 32, 24), (64, 160, 4, 2, 16, 40), (96, 416, 8, 4, 12, 32), (128, 200, 4, 4, 32, 16),
)  # fmt: skip
USUAL = {
    "hidden_size": 0, "intermediate_size": 1, "num_attention_heads": 2, "num_key_value_heads": 3, "head_dim": 4,
    "num_hidden_layers": 5,
}  # fmt: skip
WHOLE = {name: place for name, place in USUAL.items() if place not in (3, 4)}
BERT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
NOTES = """\
# Bytes that a layer keeps of a token for the backward pass: times the widths hidden, inner, query and key, and times
# heads x tokens attended to (score). all: every weight learns; adapters: they alone. bf16 is by autocast over fp32
# weights; 16-bit has the frozen weights held so. Without dropout. What is left out is 0."""


@dataclass(frozen=True)
class Block:
    """A type of layer: the architecture that is counted, those made alike, and what its configuration takes.

    Attributes:
        sizes: its names of sizes, with their places in a shape; the last is the number of layers.
    """

    counted: str
    alike: tuple[str, ...]
    sizes: dict[str, int]
    settings: dict[str, Any]
    longer: int = 1

    def make(self, shape: tuple[int, ...], layers: int, attention: str) -> Any:
        """Return a model with random weights."""
        own: dict[str, Any] = {name: (*shape[:5], layers)[place] for name, place in self.sizes.items()}
        if self.counted == "gemma3_text":
            own["layer_types"] = ["full_attention"] * layers
        config = AutoConfig.for_model(
            self.counted, **own, **self.settings, vocab_size=128, max_position_embeddings=64 * self.longer
        )
        kernel = "sdpa" if attention == "fused" else "eager"
        return AutoModel.from_config(config, attn_implementation=kernel)  # type: ignore[no-untyped-call]


BLOCKS = {
    "post-norm": Block(
        "bert", ("roberta", "xlm-roberta", "camembert", "distilbert", "electra", "mpnet", "albert"), WHOLE, BERT
    ),
    "disentangled": Block(
        "deberta-v2", ("deberta",), WHOLE,
        BERT | {
            "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16, "share_att_key": True,
            "norm_rel_ebd": "layer_norm", "type_vocab_size": 0, "position_biased_input": False,
        },
        longer=8,
    ),
    "modernbert": Block("modernbert", (), WHOLE, {"global_attn_every_n_layers": 1, "pad_token_id": 0}),
    "gated": Block(
        "llama", ("mistral", "qwen2", "granite", "smollm3", "olmo2", "eurobert", "gemma"), USUAL, {"use_cache": False}
    ),
    "gated-inner-norms": Block("qwen3", (), USUAL, {"use_cache": False}),
    "gated-four-norms": Block("gemma3_text", ("gemma2", "gemma3"), USUAL, {"use_cache": False}),
    "gated-fused": Block("phi3", (), USUAL, {"use_cache": False, "pad_token_id": 0}),
    "plain": Block(
        "gpt2", (), {"n_embd": 0, "n_inner": 1, "n_head": 2, "n_layer": 5},
        {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "use_cache": False},
    ),
    "parallel": Block("gpt_neox", ("phi",), WHOLE, {"use_cache": False}),
}  # fmt: skip


def main() -> None:
    """Count the block types named, or all, in every way."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    print(NOTES)
    print(f"# By benchmarks/blocks.py with torch {torch.__version__}, transformers {transformers.__version__}.")
    for name in sys.argv[1:] or BLOCKS:
        block = BLOCKS[name]
        print(f"{name}:\n  architectures: [{', '.join((block.counted, *block.alike))}]")
        for attention, precision, learns in itertools.product(
            ("eager", "fused"), ("fp32", "bf16", "16-bit"), ("all", "adapters")
        ):
            if (precision, learns) == ("16-bit", "all") or (name == "disentangled" and attention == "fused"):
                continue
            found = count(block, attention, precision, adapters=learns == "adapters")
            told = ", ".join(f"{width}: {value}" for width, value in found.items() if value)
            print(f"  {attention} {precision} {learns}: {{{told}}}", flush=True)


def count(block: Block, attention: str, precision: str, *, adapters: bool) -> dict[str, int]:
    """Return bytes a token and layer by width, rounded to whole numbers."""
    rows, found = [], []
    for shape in SHAPES:
        hidden, inner, heads, keys, units, length = shape
        length *= block.longer
        grouped = [heads * units, keys * units] if block.sizes is USUAL else []
        rows.append([hidden, inner, heads * length, *grouped, heads])
        found.append(of_layer_and_token(block, shape, attention, precision, adapters, length))
    solved, *_ = np.linalg.lstsq(np.array(rows, dtype=float), np.array(found), rcond=None)
    off = np.abs(np.array(rows) @ solved - found).max() / max(found)
    if off > 0.02:
        print(f"{block.counted}, {attention} {precision}: off by {off:.1%}", file=sys.stderr)
    return {name: round(value) for name, value in zip(WIDTHS, solved[:-1], strict=False)}


def of_layer_and_token(
    block: Block, shape: tuple[int, ...], attention: str, precision: str, adapters: bool, length: int
) -> float:
    """Return the bytes that one more layer keeps of one more token."""
    few, many = 2, 6
    found = [
        kept(block.make(shape, layers, attention), precision, adapters, rows, length)
        for layers, rows in itertools.product((2, 4), (few, many))
    ]
    return (found[3] - found[2] - found[1] + found[0]) / (2 * (many - few) * length)


def kept(model: Any, precision: str, adapters: bool, rows: int, length: int) -> int:
    """Return the bytes that a forward pass keeps, those of parameters apart."""
    model.train()
    if precision == "16-bit":
        model = model.bfloat16()
    model.get_input_embeddings().weight.requires_grad_(False)
    if adapters:
        model = get_peft_model(model, LoraConfig(r=1, lora_dropout=0.0, target_modules="all-linear"))
        if precision == "16-bit":
            model = model.bfloat16()
    own = {tensor.untyped_storage().data_ptr() for tensor in tensors(model)}
    found: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(5, 60, (rows, length))
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"),
    ):
        held = model(input_ids=ids, attention_mask=torch.ones_like(ids))
    del held
    return sum(found.values())


def tensors(model: Any) -> Iterator[Any]:
    """Yield parameters and buffers."""
    yield from model.parameters()
    yield from model.buffers()


if __name__ == "__main__":
    main()
