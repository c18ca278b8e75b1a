"""The forms of a written answer: the JSON schema that asks for one, and whether an answer keeps to it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from advisor.backend.prompted.language_model import Entities, Extract, Form, Free

_NO_JSON = object()


def answer_format(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what asks for an answer by a JSON schema."""
    kept = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": kept}}


def one_of(choices: Sequence[str]) -> dict[str, Any]:
    """Return the schema of an object whose ``answer`` is one of the choices."""
    return _object(answer={"type": "string", "enum": list(choices)})


def schema_of(form: Form) -> dict[str, Any] | None:
    """Return the JSON schema of answers, None where any text will do."""
    match form:
        case Free():
            return None
        case Extract():
            return _object(answer={"type": "string"})
        case Entities():
            kind = {"type": "string", "enum": list(form.kinds)}
            entity = _object(kind=kind, text={"type": "string"})
            return _object(entities={"type": "array", "items": entity})


def reminder(form: Form) -> str:
    """Return what to add to a question whose answer had another form."""
    match form:
        case Free():
            return ""
        case Extract(_, nothing):
            copied = 'Copy the answer from the text above, word for word, and write nothing else: {"answer": "…"}'
            return f"{copied}; where it holds no answer, {json.dumps({'answer': nothing})}" if nothing else copied
        case Entities():
            kinds = ", ".join(map(json.dumps, form.kinds))
            return (
                "Copy the words of each entity as they stand above and write nothing else: "
                f'{{"entities": [{{"kind": "…", "text": "…"}}]}} with kinds out of {kinds}'
            )


def valid(text: str, form: Form) -> tuple[str, bool]:
    """Return as much of an answer as keeps to its form, and whether that is all of it."""
    match form:
        case Free():
            return text, True
        case Extract():
            return _extract(text, form)
        case Entities():
            return _entities(text, form)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _extract(text: str, form: Extract) -> tuple[str, bool]:
    found, context = _json(text), form.context
    if isinstance(found, dict):
        found = found.get("answer", "")
    said = found.strip() if isinstance(found, str) else "" if found is not _NO_JSON else text.strip().strip("\"'`")
    if form.nothing and (found == "" or said.strip(".").casefold() == form.nothing.casefold()):
        return form.nothing, True
    if not said:
        return "", False
    if said in context:
        return said, True
    # Models change case, quotes and line breaks; the context's own wording is meant.
    words = r"\s+".join(map(re.escape, said.split()))
    like = re.search(words, context, re.IGNORECASE)
    return (like.group(), True) if like else ("", False)


def _entities(text: str, form: Entities) -> tuple[str, bool]:
    found = _json(text)
    if isinstance(found, dict):
        found = found.get("entities", _NO_JSON)
    if not isinstance(found, list):
        return "[]", False
    kept = [entity for one in found if (entity := _entity(one, form)) is not None]
    return json.dumps(kept, ensure_ascii=False), len(kept) == len(found)


def _entity(one: Any, form: Entities) -> dict[str, str] | None:
    if not isinstance(one, dict) or one.get("kind") not in form.kinds or not isinstance(one.get("text"), str):
        return None
    wanted, size = one["text"].split(), len(one["text"].split())
    runs = (form.words[start : start + size] for start in range(len(form.words) - size + 1))
    found = next((run for run in runs if size and [*run] == wanted), None)
    return {"kind": one["kind"], "text": " ".join(found)} if found else None


def _json(text: str) -> Any:
    """Return the first JSON object or list in a text, which models like to fence or to introduce."""
    start = min((place for place in (text.find("{"), text.find("[")) if place >= 0), default=-1)
    if start < 0:
        return _NO_JSON
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except (ValueError, RecursionError):
        return _NO_JSON
