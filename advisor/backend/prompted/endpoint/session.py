"""A session with an endpoint: each request asked at most once, tried again with patience, within the budget."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from advisor.backend.prompted.address import Address
from advisor.backend.prompted.endpoint.answer import Answer, Broken, read_answer
from advisor.backend.prompted.endpoint.budget import Budget
from advisor.backend.prompted.endpoint.journal import Journal, request_hash
from advisor.backend.prompted.endpoint.lengths import (
    Rate,
    cut,
    halves,
    most_tokens,
    perhaps_cut,
    size_of,
    surely_cut,
)
from advisor.backend.prompted.endpoint.transport import Passing, Refused, Transport, pause
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.secrecy import Key
from advisor.backend.prompted.settings import EndpointSettings
from advisor.backend.within_memory import Progress
from advisor.errors import RunError

Body = dict[str, Any]
_Done = TypeVar("_Done")
_CHAT = "/chat/completions"
LIMITS = ("max_tokens", "max_completion_tokens")
"""Names that servers know the most tokens of an answer by."""
_TOO_MANY = 429
_MORE = ("response_format", "logprobs", "top_logprobs")


class Connection:
    """What outlasts a session: where and as whom one asks, the journal, and counts.

    Attributes:
        rate: tokens by length, once measured.
        requests: answered by the server since this was made; ``tokens_in`` and ``tokens_out`` are theirs.
        uncounted: answers whose tokens the server did not count.
        asked: answers by request; those of the journal, too.

    Raises:
        InputError: the address, the key or the prices are not usable.
    """

    def __init__(self, place: LanguageModelPlace, address: Address, key: Key, settings: EndpointSettings) -> None:
        self.place, self.address, self.key, self.settings = place, address, key, settings
        self.journal = Journal(place.journal, key.hide)
        self.rate: Rate | None = None
        self.requests = self.tokens_in = self.tokens_out = self.uncounted = 0
        self.asked: dict[str, Answer] = {}
        self.price = Budget(place, self.journal).price


class Session:
    """Requests that are under way together; to be used in ``async with``, in one event loop."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.settings = connection.settings
        self._transport = Transport(connection.address, connection.key, connection.settings)
        self._budget = Budget(connection.place, connection.journal)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._resume = 0.0

    async def __aenter__(self) -> "Session":
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def listed(self) -> list[dict[str, Any]]:
        """Return the models that the server lists, none where it does not list any."""
        try:
            found = await self._transport.send("/models")
            return [one for one in found["data"] if isinstance(one, dict)]
        except (Passing, Refused, RunError, LookupError, TypeError):
            return []

    async def ask(self, body: Body, tokens_out: int, *, attempts: int | None = None, checked: bool = True) -> Answer:
        """Return the answer to a chat completion: the one in the journal, else the server's.

        Args:
            body: the request.
            tokens_out: tokens that it lets the answer have.
            attempts: how often it is tried, as often as the settings say by default.
            checked: whether to check that the server read the whole prompt.

        Raises:
            Refused: the server does not take requests of this form.
            RunError: it could exceed the cap, fails again and again, or its prompt was cut.
        """
        connection = self.connection
        request = request_hash(connection.address.base, body)
        async with self._locks[request]:
            known = connection.journal.answer(request)
            if known is not None:
                if checked:
                    await self._check(body, known)
                connection.asked[request] = known
                return known
            answer = await self._try(body, tokens_out, attempts or self.settings.attempts)
            try:
                if checked:
                    await self._check(body, answer)
            except RunError:
                connection.journal.add_lost(answer.tokens_in, answer.tokens_out)
                raise
            connection.journal.add(request, answer)
            connection.asked[request] = answer
            return answer

    async def _check(self, body: Body, answer: Answer) -> None:
        """Check that the server read the whole prompt; where its tokens are few, have those of its halves counted.

        Raises:
            RunError: it did not.
        """
        connection, messages = self.connection, body["messages"]
        base = connection.address.base
        if surely_cut(messages, answer, self.settings):
            raise cut(base, messages, answer)
        if not perhaps_cut(messages, answer, connection.rate, self.settings):
            return
        assert connection.rate is not None
        counted, limit = 0.0, next(name for name in LIMITS if name in body)
        short = {name: value for name, value in body.items() if name not in _MORE} | {limit: 1}
        try:
            for half in halves(messages):
                part = await self.ask({**short, "messages": half}, 1, checked=False)
                counted += part.tokens_in - connection.rate.tokens
        except Refused:
            return
        if answer.tokens_in < self.settings.whole_share * counted:
            raise cut(base, messages, answer)
        connection.rate = connection.rate.allowing(answer.tokens_in, size_of(messages))

    async def _try(self, body: Body, tokens_out: int, attempts: int) -> Answer:
        connection, most = self.connection, (most_tokens(body["messages"], self.settings), tokens_out)
        for attempt in range(1, attempts + 1):
            async with self._budget.reserved(*most):
                await self._until_resumed()
                started = time.perf_counter()
                try:
                    payload = await self._transport.send(_CHAT, body)
                    answer = read_answer(payload, most, connection.key.hide)
                except Broken as broken:
                    failure = Passing(str(broken), perhaps_paid=True)
                except Passing as passing:
                    failure = passing
                else:
                    self._count(answer)
                    return answer._replace(seconds=time.perf_counter() - started)
                if failure.perhaps_paid:
                    connection.journal.add_lost(*most)
            if attempt < attempts:
                await self._wait(failure, attempt)
        raise GivenUp(self._given_up(failure, attempts), failure.status)

    async def _until_resumed(self) -> None:
        while (left := self._resume - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)

    async def _wait(self, failure: Passing, attempt: int) -> None:
        """Wait before the next try; where the server says how long, or has too many, let every request wait so long."""
        seconds = pause(attempt, self.settings)
        if failure.wait is not None:
            if failure.wait > self.settings.longest_wait_seconds:
                raise RunError(
                    f"{self.connection.address.base} asks to wait {failure.wait:,.0f} seconds ({failure}); start again "
                    f"then: {len(self.connection.journal):,} answers are kept"
                )
            seconds = max(seconds, failure.wait)
        if failure.wait is not None or failure.status == _TOO_MANY:
            self._resume = max(self._resume, asyncio.get_running_loop().time() + seconds)
        await asyncio.sleep(seconds)

    def _count(self, answer: Answer) -> None:
        connection = self.connection
        connection.requests += 1
        connection.tokens_in += answer.tokens_in
        connection.tokens_out += answer.tokens_out
        connection.uncounted += not answer.counted

    def _given_up(self, failure: Passing, attempts: int) -> str:
        connection = self.connection
        return (
            f"{connection.address.base} failed {attempts} times in a row ({failure}); see to the server and start "
            f"again: {len(connection.journal):,} answers are kept"
        )

    async def all(self, works: Sequence[Callable[[], Awaitable[_Done]]], progress: Progress | None) -> list[_Done]:
        """Return what works come to, in order, so many of them under way at once as the settings say.

        Where one fails, or the user interrupts, no other is begun, and those under way are waited for, since they are
        paid for; a second interrupt does not wait.

        Raises:
            RunError: what the first failure said.
            InputError: likewise.
        """
        found: dict[int, _Done] = {}
        failures: list[BaseException] = []
        waiting = iter(enumerate(works))

        async def work_on() -> None:
            for number, work in waiting:
                if failures:
                    return
                try:
                    found[number] = await work()
                except Refused as refused:
                    failures.append(RunError(f"{self.connection.address.base} refuses a request ({refused})"))
                except Exception as failure:
                    failures.append(failure)
                else:
                    if progress is not None:
                        progress(len(found), len(works))

        workers = asyncio.gather(*(work_on() for _ in range(min(self.settings.concurrency, len(works)))))
        try:
            await asyncio.shield(workers)
        except asyncio.CancelledError as interrupted:
            failures.append(interrupted)
            await workers
            raise
        if failures:
            raise failures[0]
        return [found[number] for number in range(len(works))]


class GivenUp(RunError):
    """Tried as often as the settings say."""

    def __init__(self, text: str, status: int) -> None:
        self.status = status
        super().__init__(text)
