"""Servers that texts and keys may go to: those of what was made here, and those that a person allows by name.

What was made here is known by its hash, kept in the user's cache and so out of reach of whoever hands a folder over.
"""

import hashlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

from advisor.backend.prompted.address import read_address
from advisor.cache import cache_folder
from advisor.errors import InputError


class Terms(Protocol):
    """Where a language model answers: the base URL of a server, None for none, and the variable that holds its key."""

    @property
    def url(self) -> str | None: ...  # noqa: D102

    @property
    def key_variable(self) -> str | None: ...  # noqa: D102


def remember(made: bytes) -> None:
    """Keep in mind that a plan or prompt was made here; where nothing can be kept it counts as made elsewhere.

    Args:
        made: of a plan what it sends where, so that its template and settings may be edited; of a prompt all of it.
    """
    folder = cache_folder("made-here")
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _digest(made)).touch()


def check_servers(name: str, made: bytes, places: Iterable[Terms | None], allowed: Collection[str]) -> None:
    """Refuse to send anything where a plan or prompt of somebody else says.

    A server on this machine that is given no key needs no agreement: nothing leaves.

    Args:
        name: of the plan or folder, for the message.
        made: as of `remember`.
        places: where it says that language models answer.
        allowed: hosts that a person agreed to, with the port where the URL has one.

    Raises:
        InputError: it was not made here, and a server that it names was not agreed to; or its URL is not usable.
    """
    for terms in places:
        if terms is None or terms.url is None:
            continue
        address = read_address(terms.url)
        host = urlsplit(address.base).netloc
        if (address.loopback and not terms.key_variable) or host in allowed or _made_here(made):
            continue
        key = f" with the key in {terms.key_variable}" if terms.key_variable else ""
        raise InputError(
            f"{name} was not made here, and texts would be sent to {address.base}{key}; if they may, say "
            f"--allow-host {host}"
        )


def _made_here(made: bytes) -> bool:
    return (cache_folder("made-here") / _digest(made)).exists()


def _digest(made: bytes) -> str:
    return hashlib.sha256(made).hexdigest()
