"""A tiny causal language model made on the spot: real configuration, tokenizer and files, random weights."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conftest import TEXTS

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
    "{{ '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_SIZES: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 2},
    "qwen2": {"num_key_value_heads": 2, "tie_word_embeddings": True},
    "mistral": {"num_key_value_heads": 2, "sliding_window": 16},
    "gpt2": {},
}


def write_tiny_generator(
    folder: Path,
    texts: Iterable[str] = (),
    *,
    kind: str = "llama",
    template: str | None = None,
    hidden: int = 32,
    layers: int = 2,
    tokens: int = 600,
    context: int = 128,
    dtype: str = "float32",
) -> Path:
    """Write a causal model with a byte-level pair tokenizer learnt from texts, the test messages if there are none."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=tokens, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(list(texts) or [text for some in TEXTS.values() for text in some], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[1:], model_max_length=context,
    )  # fmt: skip
    wrapped.chat_template = template
    wrapped.save_pretrained(folder)
    end = tokenizer.token_to_id("<|endoftext|>")
    sizes = {
        "vocab_size": tokenizer.get_vocab_size(), "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": 4, "intermediate_size": 2 * hidden, "max_position_embeddings": context,
        "bos_token_id": None, "eos_token_id": end, "pad_token_id": end, **_SIZES[kind],
    }  # fmt: skip
    config = transformers.AutoConfig.for_model(kind, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = transformers.AutoModelForCausalLM.from_config(config)
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    return folder
