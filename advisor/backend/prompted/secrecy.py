"""A key that nothing shows: read from the environment, hidden in whatever is written or said."""

import base64
import json
import os
import re
from urllib.parse import quote

from advisor.errors import InputError

_HIDDEN = "[hidden]"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_HEADERS = re.compile(r"(?i)\b(bearer|basic)(\s+|%20)[^\s,}]{6,}")
_ASSIGNED = re.compile(
    r"(?i)((?:api|access|secret|auth)[-_ ]?(?:key|token)|authorization|password)(\W{1,4})[^\s,}]{8,}"
)
_KEY_LIKE = re.compile(
    r"\b(?:(?:sk|pk|rk|hf|gsk|xai|nvapi|glpat|ghp|gho|ghs|github_pat|pplx|fw|csk|tgp|key|r8)[-_](?=[\w\-]*\d|[\w\-]{24})[\w\-]{12,}"
    r"|AIza[\w\-]{20,}|AKIA[A-Z0-9]{12,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*)"
)


def looks_like_a_key(text: str) -> bool:
    """Return whether some part of a text has the form of a key."""
    return bool(_KEY_LIKE.search(text))


def check_variable(name: str) -> None:
    """Check that a name can be one of an environment variable, rather than a key.

    Raises:
        InputError: it cannot; the message does not repeat it.
    """
    if not _VARIABLE.fullmatch(name) or looks_like_a_key(name):
        raise InputError(
            "model.llm_key_variable must name an environment variable, such as OPENAI_API_KEY; a key itself does not "
            "belong into a file"
        )


def without_keys(text: str) -> str:
    """Return what a server said of an error, without whatever has the form of a key or stands where one does."""
    text = _IN_HEADERS.sub(rf"\1\2{_HIDDEN}", text)
    return _KEY_LIKE.sub(_HIDDEN, _ASSIGNED.sub(rf"\1\2{_HIDDEN}", text))


class Key:
    """A secret that neither its representation nor a copy in a file shows.

    Args:
        value: the secret; empty where an endpoint needs none.
        variable: the environment variable that it comes from.
    """

    __slots__ = ("_forms", "_value", "variable")

    def __init__(self, value: str, variable: str = "") -> None:
        self._value, self.variable = value, variable
        self._forms = _forms(value)

    @classmethod
    def from_environment(cls, variable: str | None) -> "Key":
        """Return the key that an environment variable holds, an empty one where none is named.

        Raises:
            InputError: the name is none of a variable, or the variable is not set or cannot be sent.
        """
        if variable is None:
            return cls("")
        check_variable(variable)
        value = os.environ.get(variable, "").strip()
        if not value:
            raise InputError(
                f"the endpoint needs a key: set the environment variable {variable} (model.llm_key_variable)"
            )
        if not value.isascii() or not value.isprintable() or " " in value:
            raise InputError(f"the environment variable {variable} holds something that cannot be sent as a key")
        return cls(value, variable)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Key({self.variable})"

    def __reduce__(self) -> str:
        raise TypeError("a key is never written to a file")

    def reveal(self) -> str:
        """Return the secret, to be sent."""
        return self._value

    def stands_in(self, text: str) -> bool:
        """Return whether a text holds the secret, in any form it may be written in."""
        return any(form in text for form in self._forms)

    def hide(self, text: str) -> str:
        """Return a text without the secret, and without whatever else has the form of a key."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return _KEY_LIKE.sub(_HIDDEN, text)


def _forms(value: str) -> tuple[str, ...]:
    """Return the ways a secret may be written, the longest first."""
    if not value:
        return ()
    encoded = base64.b64encode(value.encode()).decode()
    ways = {value, quote(value, safe=""), json.dumps(value)[1:-1], encoded, encoded.rstrip("=")}
    return tuple(sorted(ways, key=len, reverse=True))
