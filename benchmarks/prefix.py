"""How much faster prompts are scored once what they share is computed once, side by side in one process.

    OMP_NUM_THREADS=2 python benchmarks/prefix.py [--rows 12] [--demonstrations 16] [--hidden 384] [--layers 6] [--fp32]

A causal model of middling size with random weights scores the label words of prompts that all begin with the same
demonstrations: by taking every prompt in whole with every label word, by taking every prompt in once for all its
label words, and above the trunk that all prompts share. All see the same tokens and must give the same scores. Prints
wall and processor seconds of each, medians of repeats taken in turn, and how many times as fast the last is; processor
seconds are what means something on a busy machine.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from advisor.backend.devices import choose_device
from advisor.backend.loading import quiet_transformers
from advisor.backend.prompted.local import load_language_model
from advisor.backend.prompted.local.causal import CausalModel
from advisor.backend.prompted.local.packed import PackedReader
from advisor.backend.prompted.local.reader import Reader
from advisor.backend.prompted.local.whole import WholeReader
from advisor.backend.prompted.prompt import Prompt, Turn

LABELS = ["praise", "complaint", "a question"]
SPEECH = """
the parcel came early and everything was in it friendly people solved within minutes best purchase of year use daily
works exactly as promised thank you screen went black after one week nobody answers phone update deleted all my notes
far too expensive for what does still waiting refund can I change delivery address does warranty cover water damage how
do reset password is there version tablet which plan includes export when will be back
"""
WORDS = SPEECH.split()


class Cost(NamedTuple):
    """Wall and processor seconds."""

    wall: float
    processor: float


def sentence(chance: random.Random) -> str:
    """Return a made-up message of 8 to 20 words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(8, 20)))


def write_model(folder: Path, hidden: int, layers: int) -> None:
    """Write a causal model with random weights, and a tokenizer of whole words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator([" ".join([*WORDS, *LABELS, "Text: Label:"])] * 20, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=16000, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=hidden // 64,
        num_key_value_heads=hidden // 128, intermediate_size=hidden * 3, max_position_embeddings=4096,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)


def timed(score: Any) -> tuple[Cost, Any]:
    """Return what a call costs, and its result."""
    wall, processor = time.perf_counter(), time.process_time()
    found = score()
    return Cost(time.perf_counter() - wall, time.process_time() - processor), found


class OncePerPrompt(PackedReader):
    """Shares a prompt's tokens among its answers, and nothing among prompts."""

    def settle(self, rows: Sequence[Sequence[int]]) -> None:
        """Share nothing."""
        super().settle([[1, 0], [2, 0]])


def measure(model: CausalModel, prompts: list[Prompt], repeats: int) -> dict[str, list[Cost]]:
    """Return the costs of every way, taken in turn; none remembers anything of the repeat before."""
    net = model.reader.net  # type: ignore[attr-defined]
    ways: dict[str, Callable[[Any], Reader]] = {
        "every answer in whole": WholeReader,
        "every prompt once": OncePerPrompt,
        "shared trunk once": PackedReader,
    }
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(repeats):
        scores = []
        for way, reader in ways.items():
            model.reader = reader(net)
            cost, found = timed(lambda: model.score(prompts, LABELS))
            costs[way].append(cost)
            scores.append(found)
        print(f"scores differ by {float(np.ptp(scores, axis=0).max()):.1g} at most")
    return costs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("rows", 12), ("demonstrations", 16), ("hidden", 384), ("layers", 6), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--fp32", action="store_true")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    given = parser.parse_args()
    chance = random.Random(0)
    turns = tuple(Turn(f"Text: {sentence(chance)}", chance.choice(LABELS)) for _ in range(given.demonstrations))
    prompts = [Prompt("Say which it is.", turns, f"Text: {sentence(chance)}", "Label:") for _ in range(given.rows)]
    device = choose_device(given.device)
    if given.fp32:
        device = device.in_fp32()
    with tempfile.TemporaryDirectory() as folder, quiet_transformers():
        write_model(Path(folder), given.hidden, given.layers)
        model = load_language_model(Path(folder), device, name="random")
    assert isinstance(model, CausalModel)
    lengths = [model.tokens(prompt) for prompt in prompts]
    print(f"{given.rows} prompts of {min(lengths)} to {max(lengths)} tokens, {len(LABELS)} label words,")
    print(f"{device.kind} in {device.precision}, {torch.get_num_threads()} threads")
    model.score(prompts[:2], LABELS)
    costs = measure(model, prompts, given.repeats)
    print("| way | wall s | processor s | shared trunk is faster, wall | processor |\n|---|---|---|---|---|")
    medians = {
        way: [statistics.median(getattr(cost, kind) for cost in found) for kind in Cost._fields]
        for way, found in costs.items()
    }
    ours = medians["shared trunk once"]
    for way, (wall, processor) in medians.items():
        print(f"| {way} | {wall:.2f} | {processor:.2f} | {wall / ours[0]:.1f} | {processor / ours[1]:.1f} |")


if __name__ == "__main__":
    main()
