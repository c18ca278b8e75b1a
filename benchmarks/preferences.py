"""Whether preferences are learnt: held-out pairs judged by small causal models made from a configuration.

    OMP_NUM_THREADS=1 python benchmarks/preferences.py DATA_FOLDER --way kto --way kto,beta=0.5 --results FILE
    python benchmarks/preferences.py --results FILE --table

The pairs of DATA_FOLDER, those of its train.* and test.* together, are dealt into folds by prompt. Each fold is held
out once: a model with random weights and a tokenizer of the folder's texts is tuned on the others, and all held-out
pairs are judged together, so that intervals rest on every pair there is. A way is a strategy, perhaps with
hyper-parameters of ``alignment``; ``thumbs=true`` leaves it one answer of each pair, approved and disapproved in turns.
Differences are to the same models after SFT alone, row by row. A line a way is appended; those already there are not
measured again.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from advisor.backend.alignment.fitting import align
from advisor.backend.alignment.settings import AlignmentSettings
from advisor.backend.devices import choose_device
from advisor.backend.evaluation import differences, evaluate, headline, trivial_outputs
from advisor.backend.evaluation.preferences import of_reference
from advisor.backend.loading import quiet_transformers
from advisor.backend.rows import Rows, encode_rows
from advisor.data.reading import DataSource, load_labelled
from advisor.knowledge.hyperparameters import default_values
from advisor.run.prepare import fold_rows
from advisor.strategies import STRATEGIES
from advisor.strategies.alignment import Alignment
from advisor.tasks import Judged

TASK = "preference"
DRAWS = 2000
# Rates for pre-trained models would leave random weights where they are.
FROM_NOTHING = {
    "weights": "all", "learning_rate": 2e-3, "preference_learning_rate": 5e-4, "epochs": 2, "preference_epochs": 2,
    "max_length": 160, "recompute": False, "evaluations": 1,
}  # fmt: skip


def read_pairs(folder: Path) -> Rows:
    """Return all pairs of a folder."""
    data = load_labelled(DataSource(folder), TASK)
    parts = [part for part in (data.train, data.test) if part is not None]
    inputs = [one for part in parts for one in part.inputs]
    return encode_rows(TASK, inputs, [one for part in parts for one in part.labels], list(range(len(inputs))), [])


def write_model(folder: Path, rows: Rows, hidden: int) -> None:
    """Write a model of two layers with random weights, and a tokenizer of the rows' texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<end>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    texts = [str(text) for one, target in zip(rows.inputs, rows.targets, strict=True) for text in (one, *target)]
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=hidden, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=2 * hidden, max_position_embeddings=1024, bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    with quiet_transformers():
        LlamaForCausalLM(config).save_pretrained(folder)


def as_thumbs(rows: Rows) -> Rows:
    """Return one judgement a pair, of the chosen and of the rejected answer in turns."""
    judged = [Judged(target[number % 2], number % 2 == 0) for number, target in enumerate(rows.targets)]
    return encode_rows(TASK, rows.inputs, judged, rows.places, [])


def measure(rows: Rows, way: str, folds: int, seed: int, hidden: int) -> dict[str, Any]:
    """Return what a way came to on all pairs, each held out once."""
    name, *changes = way.split(",")
    changed = {key: yaml.safe_load(value) for key, _, value in (change.partition("=") for change in changes)}
    thumbs = bool(changed.pop("thumbs", False))
    strategy, settings = STRATEGIES[name], default_values("alignment") | FROM_NOTHING | changed
    assert isinstance(strategy, Alignment)
    started, outputs, held_rows = time.process_time(), [], []
    for kept, held in fold_rows(TASK, rows, folds, seed):
        training, measured = rows.take(kept), rows.take(held)
        with TemporaryDirectory() as place:
            base = Path(place, "base")
            write_model(base, rows, hidden)
            fitted = align(
                base, TASK, strategy.stages, as_thumbs(training) if thumbs else training, None,
                AlignmentSettings.model_validate(settings), seed=seed, device=choose_device(),
                workspace=Path(place, "fit"),
            )  # fmt: skip
            outputs.append(fitted.model.observe(measured).numbers)
        held_rows.append(held)
    found, measured = np.concatenate(outputs), rows.take(np.concatenate(held_rows))
    own = evaluate(TASK, found, measured, [], draws=DRAWS, seed=seed).as_dict()["metrics"]
    apart = differences(TASK, found, of_reference(found), measured, draws=DRAWS, seed=seed)
    longer = headline(TASK, trivial_outputs(TASK, measured, measured, [])[1], measured, [])
    return {
        "pairs": len(measured),
        "metrics": own,
        "after_sft": headline(TASK, of_reference(found), measured, []),
        "differences": {key: vars(interval) for key, interval in apart.items()},
        "longer": longer["preference_accuracy"],
        "processor_seconds": round(time.process_time() - started),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """Return one line a measurement as Markdown."""
    found = ["| data | way | pairs | preference accuracy | ranking accuracy, difference to SFT alone | longer answer | "
             "processor s |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for line in lines:
        own, apart = line["metrics"]["preference_accuracy"], line["differences"]["ranking_accuracy"]
        ranking = f"{line['metrics']['ranking_accuracy']['value']:.3f}, {shown(apart)}"
        cells = [line["data"], f"`{line['way']}`", line["pairs"], shown(own), ranking, f"{line['longer']:.3f}",
                 line["processor_seconds"]]  # fmt: skip
        found.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(found)


def shown(interval: dict[str, float]) -> str:
    """Return a value with its interval."""
    return f"{interval['value']:.3f} [{interval['low']:.3f} to {interval['high']:.3f}]"


def main() -> None:
    """Measure what is not measured yet, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--way", action="append", default=[])
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    known = asked.results.read_text(encoding="utf-8").splitlines() if asked.results.exists() else []
    lines = [json.loads(line) for line in known]
    for folder in asked.folders:
        for way in asked.way:
            key = {"data": folder.name, "way": way, "folds": asked.folds, "hidden": asked.hidden, "seed": asked.seed}
            if any(line.items() >= key.items() for line in lines):
                continue
            lines.append(key | measure(read_pairs(folder), way, asked.folds, asked.seed, asked.hidden))
            with asked.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
    if asked.table or asked.folders:
        print(table(lines))


if __name__ == "__main__":
    main()
