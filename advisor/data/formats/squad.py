"""Nested JSON of questions, SQuAD's layout: articles of paragraphs, each a context with questions and answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.errors import DataError

_NESTED = re.compile(r'\s*\{\s*("version"\s*:\s*("[^"]*"|[\d.]+)\s*,\s*)?"data"\s*:\s*\[')


def is_nested(head: str) -> bool:
    """Tell from a file's beginning whether it is one object whose ``data`` is a list."""
    return _NESTED.match(head) is not None


def questions(document: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Yield a row a question, with ``question``, ``context`` and ``answers``; items without paragraphs as they are.

    Questions marked ``is_impossible`` have no answer.

    Raises:
        DataError: something is not where the layout has it.
    """
    for number, article in enumerate(document["data"], 1):
        place = f"{path}: item {number} of 'data'"
        if not isinstance(article, dict):
            raise DataError(f"{place} is not an object; rows or articles with 'paragraphs' are needed")
        if "paragraphs" not in article:
            yield article
            continue
        for paragraph in _objects(article["paragraphs"], f"{place}: 'paragraphs'"):
            for asked in _objects(paragraph.get("qas"), f"{place}: 'qas'"):
                yield {
                    "question": asked.get("question"),
                    "context": paragraph.get("context"),
                    "answers": [] if asked.get("is_impossible") is True else asked.get("answers"),
                }


def _objects(value: Any, place: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DataError(f"{place} is not a list of objects")
    return value
