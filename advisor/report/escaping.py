"""Escaping: text of users made inert in Markdown, and control characters taken out of every document."""

import re
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
_INLINE = re.compile(r"([\\`*\[\]|~$])")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"^( ?)(?:([#+=-])|(\d+)([.)])(?= |$))")
_SPACE = re.compile(r"\s+")
_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)


class Markdown(str):
    """Text that is Markdown already; everything else is escaped when a template writes it."""

    __slots__ = ()


def clean(text: str) -> str:
    """Take out control characters and marks that reverse the writing direction; lines stay."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Return cleaned text with every run of white space as one space."""
    return _SPACE.sub(" ", clean(text)).strip()


def finalize_html(value: Any) -> Any:
    """Clean what a template writes; escaping is jinja's own. Unknown values are written as a dash."""
    if value is None:
        return "–"
    return clean(value) if type(value) is str else value


def finalize_markdown(value: Any) -> Any:
    """Escape what a template writes, unless it is `Markdown` already."""
    if isinstance(value, Markdown):
        return str(value)
    return "–" if value is None else escape_markdown(str(value))


def escape_markdown(text: str) -> str:
    """Return text that shows as itself anywhere in GitHub's Markdown, in tables too.

    No HTML, link, image, mention, emphasis, code, formula, table cell or block can start in it
    (CommonMark 0.31 section 2.4, GitHub Flavored Markdown 0.29 sections 4.10, 6.5 and 6.9).
    """
    line = _INLINE.sub(r"\\\1", _SPACE.sub(" ", clean(text)).translate(_ENTITIES))
    line = _EDGE_UNDERSCORE.sub(r"\\_", line)
    line = _LINK.sub(lambda match: match[0].replace("/", "&#47;").replace(".", "&#46;"), line)
    return _BLOCK.sub(_escape_block, line)


def _escape_block(match: re.Match[str]) -> str:
    space, mark, number, point = match.groups()
    return f"{space}\\{mark}" if mark else f"{space}{number}\\{point}"


def code_span(text: Any) -> Markdown:
    """Return text as an inline code span, usable in a table cell."""
    line = one_line(str(text)).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def code_block(text: Any, language: str = "") -> Markdown:
    """Return text as a fenced code block that nothing in it can close."""
    body = clean(str(text)).strip("\n")
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    return Markdown(f"{fence}{language}\n{body}\n{fence}")
