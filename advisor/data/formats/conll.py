"""CoNLL files as tables: a word and its tag a line, blank lines between sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

from advisor.data.formats.lines import TextFile, and_more
from advisor.data.formats.table import Row, Table
from advisor.errors import DataError

COLUMNS = ["tokens", "tags"]
_DOCUMENT = "-DOCSTART-"
COMMENT = re.compile(r"#\s*[\w.-]+\s*=|#(?!.*\s([A-Z]-\S+|[A-Z]|[bi]-\S+|o)\s*$)")


def open_conll(file: TextFile, path: Path) -> Table:
    """Open a CoNLL file; a row is a sentence, numbered by its first line.

    The word stands in a line's first column, the tag in its last; tabs divide columns, or spaces where a line has no
    tab. Lines of ``-DOCSTART-`` end a sentence. A line with ``#`` before a sentence's first word is a comment where
    it reads ``# name = value`` or does not end like a tag.
    """
    return Table(path, "conll", "line", list(COLUMNS), _sentences(file, path), file.sha256, file.close)


def _sentences(file: TextFile, path: Path) -> Iterator[Row]:
    start = 0
    words: list[str] = []
    tags: list[str] = []
    lines = file.lines()
    for line in lines:
        fields = _fields(line)
        if not fields or fields[0] == _DOCUMENT:
            if words:
                yield start, [words, tags]
                words, tags = [], []
        elif not words and COMMENT.match(line):
            continue
        elif len(fields) == 1:
            place = f"{path}: line {file.line}"
            count = 1 + sum(len(_fields(other)) == 1 for other in lines)
            raise DataError(f"{place}: one column where a word and its tag are needed{and_more(count, 'line')}")
        else:
            if not words:
                start = file.line
            words.append(fields[0])
            tags.append(fields[-1])
    if words:
        yield start, [words, tags]


def _fields(line: str) -> list[str]:
    """Split at tabs, else at spaces; other blanks, such as a no-break space, may be part of a word."""
    bare = line.rstrip(" \t\r\n")
    return bare.split("\t") if "\t" in bare else [field for field in bare.split(" ") if field]
