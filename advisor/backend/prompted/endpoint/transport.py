"""One request to an endpoint and what came of it; how long the next try should wait."""

import asyncio
import email.utils
import json
import logging
import random
import time
from collections.abc import Generator
from types import TracebackType
from typing import Any

import httpx2

from advisor.backend.prompted.address import Address
from advisor.backend.prompted.secrecy import Key, without_keys
from advisor.backend.prompted.settings import EndpointSettings
from advisor.errors import RunError

_PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_QUOTED = 300


class Passing(Exception):
    """A request failed in a way that may pass.

    Attributes:
        status: of the response, 0 where none came.
        wait: seconds that the server asks to wait, None where it does not say.
        perhaps_paid: whether the server may have worked, and be paid, for nothing.
    """

    def __init__(self, said: str, status: int = 0, wait: float | None = None, *, perhaps_paid: bool = False) -> None:
        self.status, self.wait, self.perhaps_paid = status, wait, perhaps_paid
        super().__init__(said)


class Refused(Exception):
    """The server does not take a request of this form; the message is what it said."""

    def __init__(self, said: str, status: int) -> None:
        self.status = status
        super().__init__(said)


class Transport:
    """A connection to an endpoint, to be used in ``async with``.

    A request is sent to the address and nowhere else: redirects are not followed. Its time is limited as a whole, so a
    server that drips an answer byte by byte cannot hold it up; so is the size of the answer.
    """

    def __init__(self, address: Address, key: Key, settings: EndpointSettings) -> None:
        self.address, self.key, self.settings = address, key, settings
        # At its lowest level the client logs the headers of responses, in which a server may repeat the key.
        logging.getLogger("httpcore2").setLevel(logging.WARNING)

    async def __aenter__(self) -> "Transport":
        self._client = httpx2.AsyncClient(
            auth=_Bearer(self.key) if self.key else None,
            follow_redirects=False,
            timeout=httpx2.Timeout(self.settings.timeout_seconds, connect=self.settings.connect_timeout_seconds),
            limits=httpx2.Limits(max_connections=self.settings.concurrency),
            # A proxy cannot reach this machine's own address.
            trust_env=not self.address.loopback,
            headers={"Accept-Encoding": "identity", "User-Agent": "adaptation-advisor"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the JSON that the server answers; with a body the request is a POST.

        Raises:
            Passing: it failed in a way that may pass.
            Refused: the server does not take this request.
            RunError: the endpoint will take no request: wrong key, nothing left on the account, a redirect.
        """
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                status, headers, content = await self._exchange(path, body)
        except (TimeoutError, httpx2.TimeoutException):
            raise Passing(
                f"no whole answer within {self.settings.timeout_seconds:g} seconds", perhaps_paid=True
            ) from None
        except httpx2.ConnectError:
            raise Passing("no server answers there") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
            raise Passing("the connection broke off", perhaps_paid=True) from None
        if 200 <= status < 300:
            return _json(content)
        raise self._failure(status, headers, content)

    async def _exchange(self, path: str, body: dict[str, Any] | None) -> tuple[int, httpx2.Headers, bytes]:
        method = "GET" if body is None else "POST"
        async with self._client.stream(method, self.address.base + path, json=body) as response:
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > self.settings.most_answer_bytes:
                    raise Passing(f"its answer is over {self.settings.most_answer_bytes:,} bytes", perhaps_paid=True)
            return response.status_code, response.headers, bytes(content)

    def _failure(self, status: int, headers: httpx2.Headers, content: bytes) -> Exception:
        where, said = self.address.base, self._said(content)
        if 300 <= status < 400:
            target = httpx2.URL(headers["location"]).host if headers.get("location", "").startswith("http") else ""
            to = self.key.hide(target) if target else "elsewhere"
            return RunError(f"{where} redirects to {to}; neither data nor a key are sent on: correct model.llm_url")
        if status in (401, 403):
            name = self.key.variable
            hint = f"check the key in {name}" if name else "name the variable with its key by model.llm_key_variable"
            return RunError(f"{where} refuses access ({status}: {said}); {hint}")
        if status == 402 or (status == 429 and "insufficient_quota" in content.decode(errors="replace")):
            return RunError(f"{where}: nothing is left on the account ({said}); top it up and start again")
        if status in _PASSING:
            return Passing(f"{status}: {said}", status, retry_after(headers.get("retry-after")))
        return Refused(f"{status}: {said}", status)

    def _said(self, content: bytes) -> str:
        """Return what an error says, short, on one line and without a key."""
        text = content.decode(errors="replace")
        try:
            found = json.loads(text)
            for name in ("error", "message", "detail"):
                found = found.get(name, found) if isinstance(found, dict) else found
            text = found if isinstance(found, str) else text
        except ValueError:
            pass
        printable = "".join(letter if letter.isprintable() else " " for letter in without_keys(self.key.hide(text)))
        return " ".join(printable.split())[:_QUOTED] or "no reason given"


class _Bearer(httpx2.Auth):
    """Puts the key on a request at the last moment, so that the client itself does not hold it."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


def retry_after(told: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait: a number, or a date."""
    if not told:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def pause(attempt: int, settings: EndpointSettings) -> float:
    """Return the seconds to wait after so many failed tries: twice as long each time, from half of it up at random.

    The jitter keeps requests that failed together from coming back together (Brooker 2015, AWS Architecture Blog,
    "Exponential backoff and jitter": equal jitter).
    """
    most = min(settings.longest_wait_seconds, settings.first_wait_seconds * 2 ** (attempt - 1))
    return float(most * random.uniform(0.5, 1))


def _json(content: bytes) -> Any:
    try:
        payload = json.loads(content)
    except (ValueError, RecursionError):
        raise Passing("its answer is no whole JSON", perhaps_paid=True) from None
    if isinstance(payload, dict) and payload.get("error") and not payload.get("choices"):
        raise Passing("it answered with an error")
    return payload
