"""Tiny language models of many kinds as a hub would hold them: configuration, tokenizer of its kind, safetensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.architectures import SENTENCES, SPREAD, byte_pairs, word_pieces

POSITIONS = 512
WINDOW = 12
_END = "<|endoftext|>"
_CHAT_NAMES = {"bos_token": _END, "eos_token": "<|im_end|>", "pad_token": _END}
_PLAIN_NAMES = {"bos_token": _END, "eos_token": _END}
_T5_NAMES = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
_BART_NAMES = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
_BART_NAMES |= {"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}
_BERT_NAMES = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
_BERT_NAMES |= {"mask_token": "[MASK]"}
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As of Gemma: a system's message is refused.
CHAT_WITHOUT_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHAT
_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
_GPT2_SIZES = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS}
_T5_SIZES = {"d_model": 32, "num_layers": 2, "num_heads": 4, "d_ff": 48, "d_kv": 8}
_BART_SIZES = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4}
_BART_SIZES |= {"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
_BART_SIZES |= {"max_position_embeddings": POSITIONS}


@dataclass(frozen=True)
class TinyModel:
    """How to make a tiny language model.

    Attributes:
        model_type: its name in ``config.json``.
        auto: the class of transformers that makes it, heads included.
        names: special tokens by role.
        config: sizes and what else deviates.
        pieces: kind of tokenizer.
        chat: template of its chats.
    """

    model_type: str
    auto: str
    names: Mapping[str, str]
    config: Mapping[str, Any]
    pieces: str = "byte pairs"
    chat: str | None = None


CAUSAL = "AutoModelForCausalLM"
MODELS = {
    "llama": TinyModel("llama", CAUSAL, _PLAIN_NAMES, _GROUPED),
    "llama-chat": TinyModel("llama", CAUSAL, _CHAT_NAMES, _GROUPED, chat=CHAT),
    "llama-chat-without-system": TinyModel("llama", CAUSAL, _CHAT_NAMES, _GROUPED, chat=CHAT_WITHOUT_SYSTEM),
    "qwen2": TinyModel("qwen2", CAUSAL, _PLAIN_NAMES, _GROUPED),
    "qwen3": TinyModel("qwen3", CAUSAL, _PLAIN_NAMES, {**_GROUPED, "head_dim": 8}),
    "gpt2": TinyModel("gpt2", CAUSAL, _PLAIN_NAMES, _GPT2_SIZES),
    "opt": TinyModel("opt", CAUSAL, _PLAIN_NAMES, {**_SIZES, "ffn_dim": 48, "word_embed_proj_dim": 32}),
    "multi-query": TinyModel("gpt_bigcode", CAUSAL, _PLAIN_NAMES, {**_GPT2_SIZES, "multi_query": True}),
    "mistral-window": TinyModel("mistral", CAUSAL, _PLAIN_NAMES, {**_GROUPED, "sliding_window": WINDOW}),
    "gemma3-windows": TinyModel(
        "gemma3_text", CAUSAL, _PLAIN_NAMES,
        {
            **_GROUPED, "head_dim": 8, "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    "bloom": TinyModel("bloom", CAUSAL, _PLAIN_NAMES, {"hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "mamba": TinyModel("mamba", CAUSAL, _PLAIN_NAMES, {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}),
    "lfm2": TinyModel(
        "lfm2", CAUSAL, _PLAIN_NAMES, {**_GROUPED, "layer_types": ["conv", "full_attention", "conv"]}
    ),
    "qwen3-next": TinyModel(
        "qwen3_next", CAUSAL, _PLAIN_NAMES,
        {
            **_GROUPED, "head_dim": 8, "layer_types": ["linear_attention", "full_attention", "linear_attention"],
            "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8,
            "linear_value_head_dim": 8, "num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
        },
    ),
    "t5": TinyModel("t5", "AutoModelForSeq2SeqLM", _T5_NAMES, _T5_SIZES, "unigrams"),
    "bart": TinyModel("bart", "AutoModelForSeq2SeqLM", _BART_NAMES, _BART_SIZES),
    "bert": TinyModel("bert", "AutoModelForMaskedLM", _BERT_NAMES, _SIZES, "word pieces"),
    "roberta": TinyModel(
        "roberta", "AutoModelForMaskedLM", _BART_NAMES, {**_SIZES, "max_position_embeddings": POSITIONS + 2}
    ),
    "nli": TinyModel(
        "bert", "AutoModelForSequenceClassification", _BERT_NAMES,
        {**_SIZES, "id2label": {0: "contradiction", 1: "ENTAILMENT", 2: "neutral"}}, "word pieces",
    ),
    "judge": TinyModel(
        "bert", "AutoModelForSequenceClassification", _BERT_NAMES, {**_SIZES, "id2label": {0: "bad", 1: "good"}},
        "word pieces",
    ),
}  # fmt: skip
SHARING = ("llama", "llama-chat", "qwen2", "qwen3", "gpt2", "opt", "multi-query", "mistral-window", "gemma3-windows")
COPYING = ("bloom", "lfm2", "qwen3-next")
WHOLE = ("mamba",)


def write_language_model(folder: Path, name: str, **changes: Any) -> Path:
    """Write a tiny language model.

    Args:
        folder: where to.
        name: of a model above.
        changes: to its configuration.
    """
    import torch
    import transformers

    from advisor.backend.loading import quiet_transformers

    tiny = MODELS[name]
    folder.mkdir(parents=True, exist_ok=True)
    chat_marks = {"start": "<|im_start|>"} if tiny.chat else {}
    tokenizer = {"byte pairs": byte_pairs, "unigrams": marked_unigrams, "word pieces": word_pieces}[tiny.pieces](
        {**tiny.names, **chat_marks}
    )
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tiny.names)
    if tiny.chat:
        wrapped.chat_template = tiny.chat
    wrapped.save_pretrained(folder)
    config = transformers.AutoConfig.for_model(
        tiny.model_type, vocab_size=len(wrapped), **_numbers(wrapped), **{**tiny.config, **changes}
    )
    for spread in ("initializer_range", "init_std"):
        if hasattr(config, spread):
            setattr(config, spread, SPREAD)
    with torch.random.fork_rng(), quiet_transformers():
        torch.manual_seed(11)
        getattr(transformers, tiny.auto).from_config(config).save_pretrained(folder)
    return folder


def marked_unigrams(names: Mapping[str, str]) -> Any:
    """Return a unigram tokenizer that ends a text with its mark, as T5's does; it knows no braces, as T5's does not."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    words = sorted({word.strip(".,?!'") for text in SENTENCES for word in text.split()})
    pieces = {name: 0.0 for name in names.values()} | {f"▁{word}": -5 - len(word) / 100 for word in words if word}
    pieces |= {letter: -9.0 for letter in "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:?!'()-"}
    tokenizer = Tokenizer(models.Unigram(list(pieces.items()), unk_id=list(pieces).index(names["unk_token"])))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    end = names["eos_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
    )
    return tokenizer


def _numbers(tokenizer: Any) -> dict[str, int | None]:
    found: dict[str, int | None] = {
        f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "bos", "eos")
    }
    return found | {"decoder_start_token_id": tokenizer.pad_token_id}
