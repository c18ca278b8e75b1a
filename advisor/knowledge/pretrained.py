"""A pre-trained model's folder as facts: sizes from its configuration, parameters and heads from its weights' names."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from advisor.errors import InputError
from advisor.files import sha256_of
from advisor.knowledge.architectures import completed, count_parameters, gates
from advisor.knowledge.sizes import Sizes, read_sizes, read_window
from advisor.settings import load_settings

Shapes = dict[str, tuple[int, ...]]

# Types that number positions from the padding token's number on, so that a table of 514 holds 512 tokens.
_COUNT_FROM_PADDING = frozenset(
    {
        "camembert", "data2vec-text", "esm", "ibert", "layoutlmv3", "lilt", "longformer", "luke", "markuplm", "mluke",
        "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
    }
)  # fmt: skip
_EMBEDDINGS = ("embed", "wte", "wpe", "shared")
_OUTPUT = "lm_head.weight"
_CONTENT = {".json", ".safetensors", ".bin", ".txt", ".model", ".jinja", ".py"}
_OBJECTIVES = {
    "MaskedLM": "masked",
    "PreTraining": "masked",
    "CausalLM": "causal",
    "LMHeadModel": "causal",
    "ConditionalGeneration": "causal",
}
_WRITING = ("causal", "denoising")


def describe_folder(folder: Path) -> dict[str, Any]:
    """Return the fields of `advisor.knowledge.catalogue.BaseModelFacts` that a model's files tell.

    Parameters are those of the weights where they can be read, else what the configuration comes to: exactly where its
    architecture is known, else nearly. Of a head only the layer that a language model writes with counts, among the
    embeddings.

    Raises:
        InputError: ``config.json`` is absent, damaged, or not that of a language model.
    """
    try:
        config = completed(read_config(folder))
        sizes, context, objective = read_sizes(config), length_limit(folder), _objective(folder, config)
        window = read_window(config, context)
        parameters, embedding = _parameters(config, sizes, weight_shapes(folder), writes=objective in _WRITING)
        return {
            "architecture": config.get("model_type"),
            "parameters": parameters,
            "embedding_parameters": embedding,
            "layers": sizes.layers,
            "layer_groups": sizes.groups,
            "hidden": sizes.hidden,
            "intermediate": sizes.intermediate,
            "heads": sizes.heads,
            "kv_heads": sizes.kv_heads,
            "head_dim": sizes.head_dim,
            "vocabulary": sizes.vocabulary,
            "gated_mlp": gates(config),
            "context": context,
            "window": window.tokens,
            "global_every": window.global_every,
            "tied_embeddings": bool(config.get("tie_word_embeddings", True)),
            "custom_code": "auto_map" in config,
            "objective": objective,
            "pretraining_head": pretraining_head(folder, config),
        }
    except (OSError, KeyError, ValueError, TypeError, ArithmeticError) as failure:
        raise InputError(f"{folder}: no usable config.json of a pre-trained encoder ({failure})") from None


def content_digest(folder: Path) -> str:
    """Return a hash of a model's files, by which a changed model is told from the one that was used before."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _CONTENT and path.is_file())
    return hashlib.sha256("\n".join(f"{path.name} {sha256_of(path)}" for path in files).encode()).hexdigest()


def read_config(folder: Path) -> dict[str, Any]:
    """Return ``config.json``; of a model with several parts, with the text part's values laid over it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not JSON, or not an object.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise ValueError("not an object")
    text = config.get("text_config")
    return config | text if isinstance(text, dict) else config


def length_limit(folder: Path) -> int:
    """Return the longest input in tokens, special ones included: what the files declare and the positions allow.

    Args:
        folder: of the model; ``sentence_bert_config.json`` and ``tokenizer_config.json`` may declare a limit.

    Raises:
        OSError: there is no ``config.json``.
        ValueError: a file is not JSON.
    """
    positions = usable_positions(completed(read_config(folder)))
    positions = positions or load_settings("computing.yaml")["longest_without_limit"]
    declared = _declared(folder / "sentence_bert_config.json", "max_seq_length")
    declared = declared or _declared(folder / "tokenizer_config.json", "model_max_length")
    return int(min(positions, declared or positions))


def usable_positions(config: Mapping[str, Any]) -> int | None:
    """Return how many tokens the positions of a model suffice for, special ones included; None without a limit."""
    names = ("max_position_embeddings", "n_positions")
    positions = next((int(config[name]) for name in names if (config.get(name) or 0) > 0), None)
    if positions is None or config.get("model_type") not in _COUNT_FROM_PADDING:
        return positions
    padding = config.get("pad_token_id")
    return positions - (1 if padding is None else int(padding)) - 1


def weight_shapes(folder: Path) -> Shapes:
    """Return the shape of every weight in a folder's safetensors files, from their headers; none where unreadable.

    A file starts with the header's length, 8 bytes little-endian, and the header, JSON. Old files also hold tables that
    are no weights: position numbers and attention masks, the only tensors of four dimensions.
    """
    found: Shapes = {}
    for path in sorted(folder.glob("model*.safetensors")):
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(min(size, path.stat().st_size)))
            found |= {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
    return {name: shape for name, shape in found.items() if "position_ids" not in name and len(shape) < 4}


def body_shapes(shapes: Shapes) -> Shapes:
    """Return the tensors of the encoder itself: those that share the token embeddings' prefix, or all without one."""
    prefix = _prefix(shapes)
    return {name: shape for name, shape in shapes.items() if name.startswith(prefix)}


def body_prefix(folder: Path) -> str:
    """Return what the encoder's tensors start with in a folder's files, such as ``bert.``; empty where it is alone."""
    return _prefix(weight_shapes(folder))


def pretraining_head(folder: Path, config: Mapping[str, Any] | None = None) -> str:
    """Say which head the files hold beside the encoder, by the names of its tensors and of its class.

    Args:
        folder: of the model.
        config: the content of ``config.json``, read if left out.
    """
    config = read_config(folder) if config is None else config
    shapes = weight_shapes(folder)
    made_as = ", ".join(config.get("architectures") or ())
    said = f" ({made_as})" if made_as else ""
    outside = name_parts(name for name in shapes if not name.startswith(_prefix(shapes)))
    if outside:
        return f"{outside}{said}"
    if any(made_as.endswith(name) for name in ("LMHeadModel", "ForCausalLM", "ForMaskedLM")):
        return f"the language-model head, whose weights are the token embeddings{said}"
    return f"none in the files{said}"


def name_parts(names: Iterable[str]) -> str:
    """Return the parts of a model that tensors belong to, such as ``cls.predictions`` or ``lm_head``, in one line."""
    parts = {".".join(name.split(".")[:-1][:2]) or name for name in names}
    tops = {part for part in parts if "." not in part}
    return ", ".join(sorted(part for part in parts if "." not in part or part.split(".")[0] not in tops))


def _prefix(shapes: Shapes) -> str:
    """Return what the encoder's tensors start with, such as ``bert.``; empty where the files hold the encoder alone.

    A head that is not tied holds no embedding, so the token embeddings' own prefix tells the encoder.
    """
    embeddings = [name for name in shapes if any(part in name for part in _EMBEDDINGS)]
    first = {name.split(".")[0] for name in embeddings}
    prefixes = {name for name in first if not any(part in name for part in _EMBEDDINGS)}
    whole = len(prefixes) != 1 or len(first) != 1
    return "" if whole else f"{prefixes.pop()}."


def _parameters(config: Mapping[str, Any], sizes: Sizes, shapes: Shapes, *, writes: bool) -> tuple[int, int]:
    """Return the parameters of a model, and those of its embeddings among them."""
    output = writes and not config.get("tie_word_embeddings", True)
    if shapes:
        return _counted(shapes, output=output)
    count = count_parameters(config)
    if count is None:
        return _approximated(config, sizes)
    embedding = count.embeddings + (count.output if output else 0)
    return embedding + count.layers, embedding


def _counted(shapes: Shapes, *, output: bool) -> tuple[int, int]:
    """Return the parameters in a model's files, and those of its embeddings among them."""
    body = body_shapes(shapes) | ({_OUTPUT: shapes[_OUTPUT]} if output and _OUTPUT in shapes else {})
    sizes = {name: math.prod(shape) for name, shape in body.items()}
    embedding = (*_EMBEDDINGS, _OUTPUT)
    return sum(sizes.values()), sum(size for name, size in sizes.items() if any(part in name for part in embedding))


def _approximated(config: Mapping[str, Any], sizes: Sizes) -> tuple[int, int]:
    """Return nearly the same for an unknown architecture: as if its layers were those of BERT, without a pooler."""
    rows = sizes.vocabulary + (usable_positions(config) or 0) + int(config.get("type_vocab_size") or 0)
    attention = 2 * (sizes.heads + sizes.kv_heads) * sizes.head_dim * sizes.hidden
    layer = attention + (3 if gates(config) else 2) * sizes.hidden * sizes.intermediate
    return rows * sizes.width + (sizes.groups or sizes.layers) * layer, rows * sizes.width


def _objective(folder: Path, config: Mapping[str, Any]) -> str:
    """Return how the model was pre-trained, as far as its files say."""
    if (folder / "1_Pooling").is_dir():
        return "contrastive"
    made_as = str((config.get("architectures") or [""])[0])
    if config.get("model_type") == "electra" and made_as == "ElectraForPreTraining":
        return "replaced-token"
    if config.get("is_encoder_decoder") and made_as.endswith("ConditionalGeneration"):
        return "denoising"
    return next((objective for end, objective in _OBJECTIVES.items() if made_as.endswith(end)), "unknown")


def _declared(file: Path, name: str) -> int | None:
    """Return a whole number that a JSON file declares, None where it does not.

    Raises:
        ValueError: the file is not JSON, or not an object.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as failure:
        raise ValueError(f"{file.name}: {failure}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{file.name}: not an object")
    value = found.get(name)
    return int(value) if isinstance(value, int | float) and 0 < value < math.inf else None
