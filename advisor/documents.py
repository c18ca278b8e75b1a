"""YAML documents whose every value remembers its line and column, checked against pydantic models.

YAML 1.2's plain scalars only (``no`` is a word, ``12:30`` is text); duplicate keys, anchors and tags are
refused, so that a file means what it seems to say and cannot grow in memory.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from advisor.errors import DocumentError, InputError

Location = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FIRST_OF_NUMBERS = frozenset("+-.0123456789")
_NO_YAML = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that YAML does not allow."""
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}
_PLAIN_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {None, "!"} | {
    _PLAIN_TAG + name for name in ["str", "int", "float", "bool", "null", "map", "seq", "timestamp", "value", "merge"]
}
_MOST_BYTES = 4 << 20
_DEEPEST = 64
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Document:
    """A YAML document: plain ``data``, where it came from, and the place of every value and key."""

    data: Any
    path: Path
    lines: list[str] = field(repr=False, default_factory=list)
    places: dict[Location, tuple[int, int]] = field(repr=False, default_factory=dict)
    keys: dict[Location, tuple[int, int]] = field(repr=False, default_factory=dict)

    def error(
        self, text: str, at: Location = (), *, key: bool = False, kind: type[DocumentError] = DocumentError
    ) -> DocumentError:
        """Return an error that points at the value (or its key) at ``at``, or at the nearest known parent."""
        places = self.keys if key else self.places
        while at and at not in places:
            at, places = at[:-1], self.places
        line, column = places.get(at, (1, 1))
        source = self.lines[line - 1] if line <= len(self.lines) else ""
        return kind(text, self.path, line, column, source)

    def validate(self, model: type[ModelT], *, kind: type[DocumentError] = DocumentError, at: Location = ()) -> ModelT:
        """Return the part of the document at ``at`` as ``model``.

        Raises:
            DocumentError: the first thing wrong, with its place and, for an unknown name, the nearest known one.
        """
        data = self.data
        for step in at:
            data = data[step]
        if not isinstance(data, dict):
            raise self.error("expected keys and values here", at, kind=kind)
        try:
            return model.model_validate(data)
        except ValidationError as invalid:
            raise self._explain(invalid, model, kind, at) from None

    def _explain(
        self, invalid: ValidationError, model: type[BaseModel], kind: type[DocumentError], at: Location
    ) -> DocumentError:
        first = min(
            invalid.errors(),
            key=lambda error: (
                error["type"] == "missing",
                self.places.get(self._known(at + error["loc"]), (0, 0)),
            ),
        )
        location = self._known(at + first["loc"]) or self._known((*at, *_named_first(str(first["msg"]))))
        name = ".".join(str(step) for step in first["loc"])
        if first["type"] == "extra_forbidden":
            unknown = str(first["loc"][-1])
            known = _field_names(model, first["loc"][:-1])
            return self.error(f"unknown key '{unknown}'{suggest(unknown, known)}", location, key=True, kind=kind)
        if first["type"] == "missing":
            return self.error(f"{name} is missing", location, kind=kind)
        message = fault_in_words(dict(first))
        return self.error(f"{name}: {message}" if name else message, location, kind=kind)

    def _known(self, location: Location) -> Location:
        """Cut ``location`` to its longest prefix in the document: pydantic adds union tags and the like."""
        kept: Location = ()
        for step in location:
            if (*kept, step) in self.places or (*kept, step) in self.keys:
                kept += (step,)
        return kept


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known word, else a list of the known ones if it is short."""
    names = sorted({str(name) for name in known})
    return _nearest(word, names) or (f"; known: {', '.join(names)}" if 0 < len(names) <= 12 else "")


def _nearest(word: str, names: list[str]) -> str:
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def read_document(path: Path | str, *, kind: type[DocumentError] = DocumentError) -> Document:
    """Read a YAML file.

    Raises:
        InputError: the file is absent or unreadable.
        DocumentError: it is not UTF-8, not YAML, or uses a refused feature (of class ``kind``).
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as failure:
        raise InputError(f"{path}: cannot be read ({failure.strerror})") from None
    if len(content) > _MOST_BYTES:
        raise kind(f"larger than {_MOST_BYTES >> 20} MB, which no profile, plan or rule file needs", path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        raise kind("not UTF-8 text; save the file as UTF-8", path, line) from None
    return parse_document(text, path, kind=kind)


def parse_document(text: str, path: Path | str, *, kind: type[DocumentError] = DocumentError) -> Document:
    """Parse YAML text; ``path`` is for messages. Raises as `read_document` does."""
    path = Path(path)
    document = Document(None, path, text.splitlines())
    try:
        data = _Reader(text, document, kind).read()
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source = document.lines[line - 1] if line <= len(document.lines) else ""
        tab = source[column - 1 : column] == "\t"
        problem = "a tab where only spaces may indent" if tab else failure.problem
        raise kind(f"not valid YAML: {problem}", path, line, column, source) from None
    except yaml.YAMLError as failure:
        odd = _NO_YAML.search(text)
        line = text.count("\n", 0, odd.start()) + 1 if odd else 1
        raise kind(f"not valid YAML: {str(failure).splitlines()[0]}", path, line) from None
    return replace(document, data=data)


class _Reader:
    """Turns YAML events into plain values, noting places and refusing what the module's first lines name.

    Events come without the tree of nodes that PyYAML would make of them first, in half the time.
    """

    def __init__(self, text: str, document: Document, kind: type[DocumentError]) -> None:
        self.next: Callable[[], Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(text).get_event
        self.document, self.kind = document, kind

    def read(self) -> Any:
        self.next()  # The stream starts.
        if isinstance(self.next(), yaml.StreamEndEvent):
            return None
        data = self.value(self.next(), (), 0)
        self.next()  # The document ends.
        another = self.next()
        if not isinstance(another, yaml.StreamEndEvent):
            self.note(another, ())
            raise self.error("a second document starts here; one file holds one", ())
        return data

    def value(self, event: Any, at: Location, depth: int) -> Any:
        self.note(event, at)
        if depth > _DEEPEST:
            raise self.error("nested too deeply", at)
        if event.anchor is not None:
            raise self.error("anchors and aliases are not allowed", at)
        if event.tag not in _PLAIN_TAGS:
            raise self.error(f"the tag {event.tag} is not allowed; write plain values", at)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else scalar(event.value)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(at, depth)
        values: list[Any] = []
        while not isinstance(item := self.next(), yaml.SequenceEndEvent):
            values.append(self.value(item, (*at, len(values)), depth + 1))
        return values

    def mapping(self, at: Location, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self.note(event, at)
                raise self.error("a key must be a word or a number", at)
            here = (*at, event.value)
            self.document.keys[here] = _place(event)
            if event.value in values:
                raise self.error(f"duplicate key '{event.value}'", here, key=True)
            values[event.value] = self.value(self.next(), here, depth + 1)
        return values

    def note(self, event: Any, at: Location) -> None:
        self.document.places[at] = _place(event)

    def error(self, text: str, at: Location, *, key: bool = False) -> DocumentError:
        return self.document.error(text, at, key=key, kind=self.kind)


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def scalar(text: str) -> Any:
    """Return the value of a plain (unquoted) YAML 1.2 scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _FIRST_OF_NUMBERS:
        return text
    if _INTEGER.fullmatch(text) and len(text) < 400:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _named_first(message: str) -> Location:
    """Return the input that a sentence about a whole begins with, such as ``data.classes``."""
    return tuple(message.removeprefix("Value error, ").split(" ")[0].split("."))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _field_names(model: type[BaseModel], location: Location) -> list[str]:
    """Return the keys allowed at ``location`` of ``model``."""
    current: type[BaseModel] | None = model
    for step in location:
        info = current.model_fields.get(str(step)) if current else None
        current = (
            next(
                (
                    kind
                    for kind in (info.annotation, *getattr(info.annotation, "__args__", ()))
                    if isinstance(kind, type) and issubclass(kind, BaseModel)
                ),
                None,
            )
            if info
            else None
        )
    if current is None:
        return []
    return [info.alias or name for name, info in current.model_fields.items()]


def fault_in_words(error: Mapping[str, Any]) -> str:
    """Say one of pydantic's errors in plain words, beginning with the value."""
    shown = error.get("input")
    value = f"'{_short(str(shown))}'" if isinstance(shown, str | int | float | bool) else "this value"
    kind, context = error["type"], error.get("ctx", {})
    if kind in {"literal_error", "enum"}:
        expected = str(context.get("expected", ""))
        choices = [quoted or number for quoted, number in re.findall(r"'([^']*)'|(\d+)", expected)]
        return f"{value} is not one of {', '.join(choices)}{_nearest(str(shown), choices)}"
    wanted = {
        "int_parsing": "is not a whole number",
        "int_from_float": "is not a whole number",
        "int_type": "is not a whole number",
        "int_parsing_size": "is far too large",
        "float_parsing": "is not a number",
        "float_type": "is not a number",
        "finite_number": "is not a finite number",
        "bool_parsing": "is neither yes nor no",
        "bool_type": "is neither yes nor no",
        "string_type": "is not text (put it in quotes)",
        "dict_type": "is not a set of keys and values",
        "model_type": "is not a set of keys and values",
        "list_type": "is not a list, such as [a, b]",
        "tuple_type": "is not a list, such as [a, b]",
        "greater_than_equal": f"is below {context.get('ge')}",
        "greater_than": f"is not above {context.get('gt')}",
        "less_than_equal": f"is above {context.get('le')}",
        "less_than": f"is not below {context.get('lt')}",
    }.get(kind)
    if wanted:
        return f"{value} {wanted}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
