"""The address of an endpoint: a base URL that holds no secret."""

from typing import NamedTuple
from urllib.parse import urlsplit

from advisor.backend.prompted.secrecy import Key, looks_like_a_key
from advisor.errors import InputError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_CALLED = "/chat/completions"


class Address(NamedTuple):
    """Where an endpoint answers.

    Attributes:
        base: URL that ``/chat/completions`` is put behind.
        loopback: whether it is this machine's own.
    """

    base: str
    loopback: bool


def read_address(url: str | None, key: Key | None = None) -> Address:
    """Return the address that a base URL names; without a path it is that of ``/v1``.

    Args:
        url: such as ``http://localhost:8000/v1``.
        key: what must not stand in it, beside all that has the form of a key.

    Raises:
        InputError: it is no such URL, or holds what may be a secret; the message does not repeat it.
    """
    if not url:
        raise InputError("model.llm_url is missing: the base URL of the server, such as http://localhost:8000/v1")
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname
    except ValueError:
        raise InputError("model.llm_url is not a URL; it looks like http://localhost:8000/v1") from None
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "model.llm_url holds a user name or a password; take it out and name the environment variable with the key "
            "by model.llm_key_variable"
        )
    if parts.query or parts.fragment or looks_like_a_key(url) or (key and key.stands_in(url)):
        raise InputError(
            "model.llm_url may hold neither a query nor a key; a key comes from the environment variable that "
            "model.llm_key_variable names"
        )
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or any(c.isspace() for c in url.strip()):
        raise InputError("model.llm_url must begin with http:// or https:// and a host, as http://localhost:8000/v1")
    path = parts.path.rstrip("/").removesuffix(_CALLED) or "/v1"
    place = f"[{host}]" if ":" in host else host
    return Address(f"{parts.scheme}://{place}{f':{port}' if port else ''}{path}", host in _LOOPBACK)
