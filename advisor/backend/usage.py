"""The lines of Python that use a saved frozen model with transformers alone, as its card shows them."""

from pathlib import Path

from advisor.backend.head import HEAD_DETAILS, HeadDetails, LinearHead
from advisor.backend.prompted.place import PROMPT_DETAILS
from advisor.tasks import TASKS

_OPENING = """\
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

INPUTS

encoder, tokenizer = AutoModel.from_pretrained("FOLDER"), AutoTokenizer.from_pretrained("FOLDER")
head, info = load_file("FOLDER/head.safetensors"), json.loads(Path("FOLDER/head.json").read_bytes())
"""
_INPUTS = {"text": 'texts = ["…"]', "pair": 'pairs = [("…", "…")]', "words": 'sentences = [["…", "…"]]'}
_POOLED = {
    "mean": '(HIDDEN * batch["attention_mask"][..., None]).sum(1)',
    "cls": "HIDDEN[:, 0]",
    "last": 'HIDDEN[range(len(batch["input_ids"])), batch["attention_mask"].sum(1) - 1]',
}
_STATES = """\
def hidden(batch):
    states = encoder(**batch, output_hidden_states=True).hidden_states
    return sum(states[layer] for layer in info["layers"])


"""
_BATCH = 'tokenizer(texts, truncation=True, padding=True, return_tensors="pt")'
_PARTS = """\
def parts(text):
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    opening, closing = info["frame"]
    room = info["max_length"] - len(opening) - len(closing)
    KEPT
    return [[*opening, *part, *closing] for part in kept]


def vector(text):
    batch = tokenizer.pad({"input_ids": parts(text)}, return_tensors="pt")
    return (VECTORS).mean(0)


"""
_KEPT = {
    "head-tail": "kept = [ids if len(ids) <= room else ids[: room // 4] + ids[room // 4 - room :]]",
    "windows": "size = -(-len(ids) // max(1, -(-len(ids) // room))) or 1\n"
    "    kept = [ids[start : start + size] for start in range(0, len(ids), size)] or [ids]",
}
_READ = """\
def read(texts):
    return normalize(VECTORS)


u, v = (read(list(texts)) for texts in zip(*pairs))
logits = torch.cat([u, v, (u - v).abs(), u * v], 1) @ head["weight"].T + head["bias"]
"""
_WORDS = """\
batch = tokenizer(sentences, is_split_into_words=True, truncation=True, padding=True, return_tensors="pt")
tokens, tags = HIDDEN, []
for row, words in enumerate(sentences):
    of_word = torch.tensor([-1 if word is None else word for word in batch.word_ids(row)])
    vectors = torch.stack([tokens[row, of_word == word].sum(0) for word in range(len(words))])
    found = (normalize(vectors) @ head["weight"].T + head["bias"]).argmax(1)
    seen = [bool((of_word == word).any()) for word in range(len(words))]
    tags.append([info["labels"][tag] if there else "O" for tag, there in zip(found, seen)])
"""
_CLASSES = """\
probabilities = logits.sigmoid()
labels = [[name for name, given in zip(info["labels"], row >= torch.tensor(info["thresholds"])) if given]
          for row in probabilities]
"""
_ANSWERS = {"class": "probabilities = logits.softmax(1)\n", "classes": _CLASSES, "number": "values = logits[:, 0]\n"}


_PROMPTED = """\
from pathlib import Path

from advisor.backend.devices import choose_device
from advisor.backend.predictor import load_model

model = load_model(Path("FOLDER"), choose_device())
print(model.outputs(["…"]), model.labels)
"""


def usage(folder: Path, name: str) -> str:
    """Return the lines; none for a tuned model, which has no head beside it.

    Args:
        folder: where the model lies.
        name: the same, as the reader will write it.

    Raises:
        InputError: the head cannot be read.
    """
    if (folder / PROMPT_DETAILS).exists():
        return _PROMPTED.replace("FOLDER", name)
    if not (folder / HEAD_DETAILS).exists():
        return ""
    _, details = LinearHead.load(folder)
    return _lines(details).replace("FOLDER", name)


def _lines(details: HeadDetails) -> str:
    body = _body(details)
    hidden = "hidden(batch)" if details.layers else "encoder(**batch).last_hidden_state"
    vectors = _POOLED[details.pooling].replace("HIDDEN", hidden)
    if details.pooling == "mean" and details.long_texts == "windows":
        vectors += ' / batch["attention_mask"].sum(1, keepdim=True)'
    body = body.replace("VECTORS", vectors).replace("HIDDEN", hidden)
    opening = _OPENING.replace("INPUTS", _INPUTS[details.reads])
    if "torch." not in body:
        opening = opening.replace("import torch\n", "")
    functions = _STATES if details.layers else ""
    apart = "\n\n" if functions or body.startswith("def ") else ""
    return opening + apart + functions + body


def _body(details: HeadDetails) -> str:
    """Return what follows the opening, with the names of vectors and hidden states still to be filled in."""
    if details.reads == "words":
        return _WORDS
    answers = _ANSWERS[TASKS[details.task].predicts]
    cut = details.long_texts != "truncate"
    functions = _PARTS.replace("KEPT", _KEPT[details.long_texts]) if cut else ""
    rows = "torch.stack([vector(text) for text in texts])"
    if details.reads == "pair":
        read = (
            _READ.replace("VECTORS", rows) if cut else _READ.replace("    return", f"    batch = {_BATCH}\n    return")
        )
        return functions + read + answers
    return (
        functions
        + (
            f'logits = normalize({rows}) @ head["weight"].T + head["bias"]\n'
            if cut
            else f'batch = {_BATCH}\nvectors = VECTORS\nlogits = normalize(vectors) @ head["weight"].T + head["bias"]\n'
        )
        + answers
    )
