"""A fresh reader of an exported prompt: opens it and asks its language model again.

Run as a module with a model folder as its argument: JSON in on stdin ``{"inputs": […]}``, JSON out on stdout, one list
of numbers a row, or a word where words are tagged.
"""

import json
import sys
from pathlib import Path
from typing import Any

from advisor.tasks import TASKS, Chat, Input, Message, Pair


def main() -> None:
    """Answer the request on stdin."""
    from advisor.backend.devices import choose_device
    from advisor.backend.predictor import load_model

    request = json.load(sys.stdin)
    model = load_model(Path(sys.argv[1]), choose_device().in_fp32())
    json.dump(model.outputs([read(request["task"], one) for one in request["inputs"]]).tolist(), sys.stdout)


def read(task: str, one: Any) -> Input:
    """Return what JSON made of an input."""
    if isinstance(one, str):
        return one
    if TASKS[task].reads == "prompt":
        return Chat(tuple(Message(*message) for message in one[0]))
    return tuple(one) if TASKS[task].reads == "words" else Pair(*one)


if __name__ == "__main__":
    main()
