"""Which tokens a grammar allows next: a vocabulary as bytes, walked together with the grammar."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from advisor.backend.prompted.local.grammar import Grammar, Node


class _Place(NamedTuple):
    """A place within a step's text: so many of its bytes are written."""

    text: bytes
    written: int
    node: Node


Places = frozenset[_Place]


class Spelling:
    """A vocabulary, every token as the bytes it writes.

    Attributes:
        tokenizer: whose vocabulary it is.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        special = {number for number, token in _added(tokenizer).items() if token.special}
        special |= set(tokenizer.all_special_ids)
        as_bytes = _reader(tokenizer)
        spelled: dict[int, bytes] = {
            number: as_bytes(token) for token, number in tokenizer.get_vocab().items() if number not in special
        }
        spelled |= {
            number: str(token.content).encode() for number, token in _added(tokenizer).items() if number not in special
        }
        ranked = sorted((text, number) for number, text in spelled.items() if text)
        self._texts, self._numbers = [text for text, _ in ranked], [number for _, number in ranked]
        self._of = spelled

    def writes(self, token: int) -> bytes:
        """Return the bytes of a token, none for a special one."""
        return self._of.get(token, b"")

    def spellable(self, text: str) -> bool:
        """Whether a text can be written whatever tokens are taken on the way: each character, or byte, is one."""
        return all(
            character.encode() in self._alphabet or all(bytes([byte]) in self._alphabet for byte in character.encode())
            for character in text
        )

    @cached_property
    def _alphabet(self) -> set[bytes]:
        return {text for text in self._texts if len(text) == 1 or len(text.decode(errors="ignore")) == 1}

    @cached_property
    def breaks(self) -> frozenset[int]:
        """Tokens that begin with a new line."""
        return frozenset(number for number, text in self._of.items() if text.startswith(b"\n"))

    def allowed(self, grammar: Grammar, places: Places) -> dict[int, Places]:
        """Return the tokens that may come next, and where each leads."""
        found: dict[int, Places] = {}
        open_: list[tuple[bytes, int, int, Places]] = [(b"", 0, len(self._texts), places)]
        while open_:
            prefix, low, high, here = open_.pop()
            if low < high and self._texts[low] == prefix and prefix:
                last = low
                while last < high and self._texts[last] == prefix:
                    found[self._numbers[last]] = here
                    last += 1
                low = last
            for byte, there in _onward(grammar, here).items():
                longer = prefix + bytes([byte])
                first = bisect_left(self._texts, longer, low, high)
                beyond = high if byte == 255 else bisect_left(self._texts, prefix + bytes([byte + 1]), first, high)
                if first < beyond:
                    open_.append((longer, first, beyond, there))
        return found


def places_at(grammar: Grammar, node: Node, lead: str = "") -> Places:
    """Return the places at a node's beginning, once ``lead`` is written."""
    return _settled(grammar, [_Place(lead.encode(), 0, node)])


def may_end(grammar: Grammar, places: Places) -> bool:
    """Whether the answer may end at one of these places."""
    return any(place.written == len(place.text) and grammar.ends(place.node) for place in places)


def ended(grammar: Grammar, places: Places) -> bool:
    """Whether the answer is at its end, with nothing that could follow."""
    return may_end(grammar, places) and all(place.written == len(place.text) for place in places)


def _onward(grammar: Grammar, places: Places) -> dict[int, Places]:
    """Return where each byte that may come next leads."""
    reached: dict[int, list[_Place]] = {}
    for text, written, node in places:
        if written < len(text):
            reached.setdefault(text[written], []).append(_Place(text, written + 1, node))
    return {byte: _settled(grammar, there) for byte, there in reached.items()}


def _settled(grammar: Grammar, places: Iterable[_Place]) -> Places:
    """Return places with those that begin where one has been written to its end."""
    found: set[_Place] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place.written == len(place.text):
            # What is behind matters no longer, so that ways that meet again become one.
            place = _Place(b"", 0, place.node)
            if place not in found:
                waiting += [_Place(step.text.encode(), 0, step.node) for step in grammar.steps(place.node)]
        found.add(place)
    return frozenset(found)


def _added(tokenizer: Any) -> dict[int, Any]:
    return dict(getattr(tokenizer, "added_tokens_decoder", {}))


def _reader(tokenizer: Any) -> Callable[[str], bytes]:
    """Return a function that gives a vocabulary entry's bytes: byte-level ones by their letters, others by ``▁``."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    decoder = backend.decoder.__getstate__() if backend is not None and backend.decoder is not None else b""
    if b"ByteLevel" in decoder:
        letters = {letter: byte for byte, letter in _byte_letters().items()}
        return lambda token: bytes(letters[letter] for letter in token) if set(token) <= set(letters) else b""

    def as_bytes(token: str) -> bytes:
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            return bytes([int(token[3:5], 16)])
        return token.replace("▁", " ").encode()

    return as_bytes


def _byte_letters() -> dict[int, str]:
    """Return the letter that byte-level vocabularies write for every byte (GPT-2's table).

    Bytes that print stand for themselves; the others, in order, for the letters from 256 on.
    """
    printing = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printing]
    return {byte: chr(byte) for byte in printing} | {byte: chr(256 + place) for place, byte in enumerate(others)}
