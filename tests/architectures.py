"""Tiny models of many architectures as a hub would hold them: configuration, tokenizer of its kind, safetensors."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TEXTS

SENTENCES = [text for texts in TEXTS.values() for text in texts]
POSITIONS = 48
# Of random weights; with the usual 0.02 a tiny model says the same of every text.
SPREAD = 0.2
_BERT_NAMES = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
_BERT_NAMES |= {"mask_token": "[MASK]"}
_ROBERTA_NAMES = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>"}
_ROBERTA_NAMES |= {"mask_token": "<mask>", "bos_token": "<s>", "eos_token": "</s>"}
_END = "<|endoftext|>"


def word_pieces(names: Mapping[str, str]) -> Any:
    """Return a lower-casing word-piece tokenizer, as of BERT: all words, and letters to spell others."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    words = sorted({word.strip(".,?!'").lower() for text in SENTENCES for word in text.split()})
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789.,?!'"]
    pieces = dict.fromkeys([*_in_order(names), *letters, *(f"##{letter}" for letter in letters), *words])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=names["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return _with_ends(tokenizer, names)


def byte_pairs(names: Mapping[str, str]) -> Any:
    """Return a byte-level pair tokenizer, as of RoBERTa and GPT-2; without ``cls_token`` nothing is put around."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=_in_order(names),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return _with_ends(tokenizer, names) if "cls_token" in names else tokenizer


def unigrams(names: Mapping[str, str]) -> Any:
    """Return a unigram tokenizer that marks the starts of words, as sentencepiece does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = _in_order(names)
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=special, unk_token=names["unk_token"], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return _with_ends(tokenizer, names)


def _in_order(names: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(names.values()))


def _with_ends(tokenizer: Any, names: Mapping[str, str]) -> Any:
    """Put the first and the last token around a text, and between the two of a pair."""
    from tokenizers import processors

    first, last = names["cls_token"], names["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, last)],
    )
    return tokenizer


@dataclass(frozen=True)
class Architecture:
    """How to make a tiny model of an architecture.

    Attributes:
        model_type: its name in ``config.json``.
        make_tokenizer: makes the tokenizer; given ``names``, the special tokens by role.
        tokenizer_class: the name that hub folders give it.
        pretraining_class: the class with the pre-training head.
        head: what of that class is not the encoder, as a plan names it.
        discarded: what of that a run's log names, where a classifier goes on using a part of it.
        config: what deviates from the common sizes.
        usable: longest input in tokens.
        decoder: whether tokens see only what is before them.
    """

    model_type: str
    make_tokenizer: Callable[[Mapping[str, str]], Any]
    tokenizer_class: str
    names: Mapping[str, str]
    pretraining_class: str
    head: str
    config: Mapping[str, Any] = field(default_factory=dict)
    discarded: str = ""
    usable: int = POSITIONS
    decoder: bool = False


_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
_GPT2_SIZES = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS}
_DISTILBERT_SIZES = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": POSITIONS}
_BEYOND_PADDING = {**_SIZES, "max_position_embeddings": POSITIONS + 2}

ARCHITECTURES = {
    "bert": Architecture(
        "bert", word_pieces, "BertTokenizer", _BERT_NAMES, "BertForMaskedLM", "cls.predictions", _SIZES
    ),
    "distilbert": Architecture(
        "distilbert", word_pieces, "DistilBertTokenizer", _BERT_NAMES, "DistilBertForMaskedLM",
        "vocab_layer_norm", _DISTILBERT_SIZES,
    ),
    "roberta": Architecture(
        "roberta", byte_pairs, "RobertaTokenizer", _ROBERTA_NAMES, "RobertaForMaskedLM", "lm_head", _BEYOND_PADDING
    ),
    "xlm-roberta": Architecture(
        "xlm-roberta", unigrams, "XLMRobertaTokenizer", _ROBERTA_NAMES, "XLMRobertaForMaskedLM", "lm_head",
        _BEYOND_PADDING,
    ),
    "mpnet": Architecture(
        "mpnet", word_pieces, "MPNetTokenizer", {**_ROBERTA_NAMES, "unk_token": "[UNK]"}, "MPNetForMaskedLM",
        "lm_head", _BEYOND_PADDING,
    ),
    "electra": Architecture(
        "electra", word_pieces, "ElectraTokenizer", _BERT_NAMES, "ElectraForPreTraining", "discriminator_predictions",
        {**_SIZES, "embedding_size": 16},
    ),
    "deberta-v2": Architecture(
        "deberta-v2", unigrams, "DebertaV2Tokenizer", _BERT_NAMES, "DebertaV2ForMaskedLM", "cls.predictions",
        {
            **_SIZES, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False,
            "type_vocab_size": 0, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
        },
    ),
    "modernbert": Architecture(
        "modernbert", byte_pairs, "PreTrainedTokenizerFast", _BERT_NAMES, "ModernBertForMaskedLM", "head.dense",
        {**_SIZES, "global_attn_every_n_layers": 2, "local_attention": 8}, discarded="decoder",
    ),
    "albert": Architecture(
        "albert", unigrams, "AlbertTokenizer", _BERT_NAMES, "AlbertForPreTraining", "sop_classifier",
        {**_SIZES, "embedding_size": 16},
    ),
    "gpt2": Architecture(
        "gpt2", byte_pairs, "GPT2Tokenizer", {"bos_token": _END, "eos_token": _END, "unk_token": _END},
        "GPT2LMHeadModel", "the language-model head", _GPT2_SIZES, decoder=True,
    ),
    "qwen2": Architecture(
        "qwen2", byte_pairs, "Qwen2Tokenizer", {"eos_token": _END, "pad_token": _END}, "Qwen2ForCausalLM", "lm_head",
        {**_SIZES, "num_key_value_heads": 2, "tie_word_embeddings": False}, decoder=True,
    ),
}  # fmt: skip


def write_architecture(folder: Path, name: str, *, head: bool = False) -> Path:
    """Write a tiny model.

    Args:
        folder: where to.
        name: of an architecture.
        head: whether its pre-training head is in the files.
    """
    import torch
    import transformers

    from advisor.backend.loading import quiet_transformers

    made = ARCHITECTURES[name]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = made.make_tokenizer(made.names)
    tokenizer.save(str(folder / "tokenizer.json"))
    details = {"tokenizer_class": made.tokenizer_class, **made.names}
    (folder / "tokenizer_config.json").write_text(json.dumps(details), encoding="utf-8")
    numbers = {
        f"{role}_id": tokenizer.token_to_id(text)
        for role, text in made.names.items()
        if role in {"pad_token", "bos_token", "eos_token", "cls_token", "sep_token"}
    }
    numbers = {"bos_token_id": None, "eos_token_id": None} | numbers
    config = transformers.AutoConfig.for_model(
        made.model_type, vocab_size=tokenizer.get_vocab_size(), initializer_range=SPREAD, **numbers, **made.config
    )
    with torch.random.fork_rng(), quiet_transformers():
        torch.manual_seed(11)
        whole = getattr(transformers, made.pretraining_class)(config)
        model = whole if head else transformers.AutoModel.from_config(config)
        model.save_pretrained(folder)
    return folder


def task_rows(task: str) -> tuple[Any, list[str]]:
    """Return a few rows of any task but text classification, and its labels."""
    import numpy as np

    from advisor.backend.rows import Rows
    from advisor.tasks import Answer, Pair

    texts, second = SENTENCES[::2], [text.split()[1] for text in SENTENCES[::2]]
    words, pairs = [tuple(text.split()) for text in texts], [Pair("which word?", text) for text in texts]
    several = np.empty(len(texts), dtype=object)
    if task == "token-classification":
        several[:] = [np.arange(len(row)) % 3 for row in words]
        return Rows(words, several, []), ["O", "B-x", "I-x"]
    if task == "question-answering":
        several[:] = [(Answer(word, text.index(word)),) for word, text in zip(second, texts, strict=True)]
        return Rows(pairs, several, []), []
    if task == "regression":
        return Rows(texts, np.linspace(3, 7, len(texts), dtype=np.float32), []), []
    return Rows(pairs, np.arange(len(texts)) % 3, []), ["a", "b", "c"]


def few(*quick: str) -> list[Any]:
    """Return all architectures for a test, those not named among the slow ones."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in ARCHITECTURES]
