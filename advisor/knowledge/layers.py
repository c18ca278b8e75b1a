"""Layered rule files: the shipped ones and, over them, those of a user's folder, row by row and name by name.

A row with the id of a lower one takes its place in the order, a new id is added after the others, and
``{id: x, remove: yes}`` takes a row out; named entries (thresholds, findings, assumptions) go by their names alike.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import PrivateAttr

from advisor.documents import Document, Location, read_document, suggest
from advisor.errors import InputError, RuleBaseError
from advisor.strict import Strict

FILES = ("thresholds", "evidence", "assumptions", "requires", "decision")
REMOVE = "remove"


class Placed(Strict):
    """What was read from a rule file and knows where it stands there."""

    _place: str = PrivateAttr(default="")

    @property
    def place(self) -> str:
        """Where it stands: file:line:column."""
        return self._place


ModelT = TypeVar("ModelT", bound=Placed)


class Entry(NamedTuple):
    """A row or a named entry, with the document and the place where it stands."""

    document: Document
    at: Location

    @property
    def data(self) -> Any:
        """The plain value."""
        found = self.document.data
        for step in self.at:
            found = found[step]
        return found

    def read(self, model: type[ModelT]) -> ModelT:
        """Return the entry as ``model``.

        Raises:
            RuleBaseError: it breaks the schema.
        """
        found = self.document.validate(model, kind=RuleBaseError, at=self.at)
        line, column = self.document.keys.get(self.at) or self.document.places[self.at]
        found._place = f"{self.document.path}:{line}:{column}"
        return found

    def error(self, text: str, *path: str | int, key: bool = False) -> RuleBaseError:
        """Return an error that points at a part of the entry."""
        return rule_error(self.document, text, (*self.at, *path), key=key)

    @property
    def removes(self) -> bool:
        """Whether the entry takes out a lower one.

        Raises:
            RuleBaseError: it says so and more, or neither yes nor nothing.
        """
        if not isinstance(self.data, dict) or REMOVE not in self.data:
            return False
        if self.data[REMOVE] not in (True, "yes"):
            raise self.error(f"{REMOVE} is yes, or left out", REMOVE)
        for other in self.data:
            if other not in {"id", REMOVE}:
                raise self.error(f"what is to be removed has no '{other}'", other, key=True)
        return True


class Layers:
    """The rule files of several folders, lowest first; the lowest holds all of them, the others any.

    Args:
        folders: at least one.

    Attributes:
        digest: SHA-256 of every YAML file in the folders, names and lines.

    Raises:
        InputError: a folder or, in the lowest, a file is absent.
        RuleBaseError: a file is not valid YAML, or an upper folder holds none of the files or another one.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._documents = [_read(folder, lowest=not number) for number, folder in enumerate(folders)]
        self.digest = _digest(folders)

    def documents(self, file: str) -> list[Document]:
        """Return the layers of one file, lowest first."""
        return [layer[file] for layer in self._documents if file in layer]

    def keys(self, file: str, known: Iterable[str] = ()) -> list[str]:
        """Return the top-level keys of a file; the lowest layer's, unless ``known`` says which there may be.

        Raises:
            RuleBaseError: a file is no mapping, or has a key that is not known.
        """
        lowest, *upper = self.documents(file)
        keys = list(known) or list(_mapping(lowest))
        for document in [lowest, *upper]:
            for key in _mapping(document):
                if key not in keys:
                    raise rule_error(document, f"unknown key '{key}'{suggest(key, keys)}", (key,), key=True)
        return keys

    def named(self, file: str) -> dict[str, Entry]:
        """Return the entries of a file of names.

        Raises:
            RuleBaseError: a file is no mapping, or removes what is not there.
        """
        merged: dict[str, Entry] = {}
        for document in self.documents(file):
            for name in _mapping(document):
                _lay(merged, name, Entry(document, (name,)))
        return merged

    def rows(self, file: str, key: str) -> list[Entry]:
        """Return the rows of the list at a top-level key; none where no layer has it.

        Raises:
            RuleBaseError: not a list of rows with ids, an id twice in one layer, or a removal of what is not there.
        """
        merged: dict[str, Entry] = {}
        for document in self.documents(file):
            seen: set[str] = set()
            for index, row in enumerate(_sequence(document, key)):
                entry = Entry(document, (key, index))
                name = row.get("id") if isinstance(row, dict) else None
                if not isinstance(name, str):
                    raise entry.error("a row is keys and values, one of them an id of lower-case words and hyphens")
                if name in seen:
                    raise entry.error(f"a second row '{name}'", "id")
                seen.add(name)
                _lay(merged, name, entry)
        return list(merged.values())


def is_whole(folder: Path, shipped: Path) -> bool:
    """Return whether a folder is a base of its own: every file is there, with the needs of every shipped strategy.

    Raises:
        RuleBaseError: it is, and its requirements cannot be read.
    """
    if not all((folder / f"{name}.yaml").exists() for name in FILES):
        return False
    own, theirs = (read_document(place / "requires.yaml", kind=RuleBaseError) for place in (folder, shipped))
    return _mapping(theirs).keys() <= _mapping(own).keys()


def refuse_others(folder: Path, shipped: Path) -> None:
    """Refuse rule files that cannot be a team's own, unless they are those shipped.

    Raises:
        RuleBaseError: there is such a file.
    """
    names = [f"{name}.yaml" for name in FILES]
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".yaml", ".yml"} or path.name in names:
            continue
        same = shipped / path.name
        if not same.exists() or same.read_bytes() != path.read_bytes():
            raise RuleBaseError(f"no file of this name can be a team's own rules; known: {', '.join(names)}", path)


def rule_error(document: Document, text: str, at: Location, *, key: bool = False) -> RuleBaseError:
    """Return a `RuleBaseError` that points into a document."""
    error = document.error(text, at, key=key, kind=RuleBaseError)
    assert isinstance(error, RuleBaseError)
    return error


def word_error(document: Document, text: str, at: Location, word: str) -> RuleBaseError:
    """Return a `RuleBaseError` that points at a word within the text at ``at``, which may run over several lines."""
    line, column = document.places[at]
    for number, source in enumerate(document.lines[line - 1 :], line):
        found = source.find(word, column - 1 if number == line else 0)
        if found >= 0:
            return RuleBaseError(text, document.path, number, found + 1, source)
    return rule_error(document, text, at)


def _lay(merged: dict[str, Entry], name: str, entry: Entry) -> None:
    if not entry.removes:
        merged[name] = entry
    elif name in merged:
        del merged[name]
    else:
        raise entry.error(f"there is no '{name}' to remove{suggest(name, merged)}")


def _mapping(document: Document) -> Mapping[str, Any]:
    if not isinstance(document.data, dict):
        raise rule_error(document, "expected names, each with its entry", ())
    return document.data


def _sequence(document: Document, key: str) -> Sequence[Any]:
    rows = _mapping(document).get(key) or []
    if not isinstance(rows, list):
        raise rule_error(document, f"'{key}' holds a list of rows", (key,))
    return rows


def _read(folder: Path, *, lowest: bool) -> dict[str, Document]:
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}; name one of rule files")
    if not lowest:
        names = [f"{name}.yaml" for name in FILES]
        if not any((folder / name).exists() for name in names):
            raise RuleBaseError(f"this folder holds no rule file; known: {', '.join(names)}", folder)
    wanted = [name for name in FILES if lowest or (folder / f"{name}.yaml").exists()]
    return {name: read_document(folder / f"{name}.yaml", kind=RuleBaseError) for name in wanted}


def _digest(folders: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            digest.update(f"{path.name}\n{path.read_text(encoding='utf-8', errors='replace')}\n".encode())
    return digest.hexdigest()
