"""A fresh reader of an exported model: loads it as its card says, with transformers alone, and predicts.

Run as a script, ``python reload.py MODEL_FOLDER``: JSON in on stdin ``{"texts": […], "labels": […]}``, JSON out on
stdout ``[[probability, …], …]`` in the order of the labels. It imports nothing of the advisor, so anyone can do it.
"""

import json
import sys
from pathlib import Path
from typing import Any


def tuned(folder: str, texts: list[str], labels: list[str]) -> list[list[float]]:
    """Predict with ``pipeline``."""
    from transformers import pipeline

    classify: Any = pipeline("text-classification", model=folder, device=-1)
    rows = classify(texts, top_k=None, truncation=True)
    by_label = [{entry["label"]: float(entry["score"]) for entry in row} for row in rows]
    return [[scores[label] for label in labels] for scores in by_label]


def frozen(folder: str, texts: list[str], labels: list[str]) -> list[list[float]]:
    """Predict with a frozen encoder and its linear head."""
    import torch
    from safetensors.torch import load_file
    from torch.nn.functional import normalize
    from transformers import AutoModel, AutoTokenizer

    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    head = load_file(f"{folder}/head.safetensors")
    info = json.loads(Path(folder, "head.json").read_text(encoding="utf-8"))
    found = []
    with torch.inference_mode():
        for text in texts:
            batch = tokenizer([text], truncation=True, max_length=info["max_length"], return_tensors="pt")
            hidden = encoder(**batch).last_hidden_state
            vector = hidden[:, 0] if info["pooling"] == "cls" else hidden.mean(1)
            found.append((normalize(vector) @ head["weight"].T + head["bias"]).softmax(1)[0].tolist())
    order = [info["labels"].index(label) for label in labels]
    return [[row[place] for place in order] for row in found]


def main() -> None:
    """Read the request, answer it."""
    folder, request = sys.argv[1], json.load(sys.stdin)
    reader = frozen if Path(folder, "head.json").exists() else tuned
    json.dump(reader(folder, request["texts"], request["labels"]), sys.stdout)


if __name__ == "__main__":
    main()
