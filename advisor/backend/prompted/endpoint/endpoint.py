"""A language model behind an endpoint that speaks the OpenAI protocol."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, TypeVar

import numpy as np

from advisor.backend.arrays import Floats
from advisor.backend.prompted.address import read_address
from advisor.backend.prompted.endpoint.abilities import Abilities, find_abilities, likelihoods_asked
from advisor.backend.prompted.endpoint.choosing import chosen, likelihoods, sure_scores, tokens_to_tell
from advisor.backend.prompted.endpoint.forms import answer_format, one_of, reminder, schema_of, valid
from advisor.backend.prompted.endpoint.lengths import (
    characters,
    estimated_tokens,
    measured_rate,
    sample,
    size_of,
)
from advisor.backend.prompted.endpoint.session import Connection, Session
from advisor.backend.prompted.endpoint.transport import Refused
from advisor.backend.prompted.language_model import Form, Free, Usage, Written
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.prompted.secrecy import Key
from advisor.backend.prompted.settings import EndpointSettings
from advisor.backend.within_memory import Progress

_Done = TypeVar("_Done")
_ONE_OF = "Answer with one of these and nothing else: {}"


class Endpoint:
    """A language model that a server answers for: vLLM, llama.cpp, Ollama, ``transformers serve``, a commercial one.

    Opening it finds out by a few tiny requests what the server is able to do. Choices are scored by the
    log-probabilities of the first tokens of the answer where the server tells them; else the model is made to answer
    with one of the choices by a JSON schema where the server keeps to one; else its answer is read, and asked for once
    more where it is none of the choices. An answer that is none even then counts as invalid, and all choices as alike.

    Attributes:
        name, context, reads, writes: as of any `advisor.backend.prompted.language_model.LanguageModel`.
        abilities: what the server is able to do.
        invalid: answers that did not keep to their form, or were none of the choices, even when asked again.
        asked_again: prompts that were asked once more.

    Raises:
        InputError: the place is not usable: no such address or model, no key in the environment, a cap without prices.
        RunError: the server does not answer, or refuses access.
    """

    reads: Literal["prompts", "hypotheses"] = "prompts"
    writes = True

    def __init__(self, place: LanguageModelPlace, settings: EndpointSettings) -> None:
        self._settings = settings
        key = Key.from_environment(place.key_variable)
        self._connection = Connection(place, read_address(place.url, key), key, settings)
        self.name = place.name
        self.invalid = self.asked_again = 0
        self.abilities: Abilities = _run(self._find_abilities)
        self.context: int | None = self.abilities.context
        self._connection.asked.clear()  # of requests that are nobody's rows

    async def _find_abilities(self) -> Abilities:
        async with Session(self._connection) as session:
            return await find_abilities(session)

    @property
    def facts(self) -> dict[str, Any]:
        """How choices are scored, and counts worth reporting."""
        able = self.abilities
        way = "log-probabilities" if able.likeliest else "JSON schema" if able.schema_kept else "written answers"
        return {
            "scored_by": way,
            "asked_again": self.asked_again,
            "invalid": self.invalid,
            "tokens_not_counted": self._connection.uncounted,
        }

    @property
    def seconds(self) -> list[float]:
        """What each answer took, in seconds, with others under way; one from the journal took what it once did."""
        return [answer.seconds for answer in self._connection.asked.values()]

    @property
    def answered(self) -> Usage:
        """What the answers took that were asked for since it was opened, those from the journal, too."""
        answers, price = self._connection.asked.values(), self._connection.price
        tokens_in, tokens_out = sum(one.tokens_in for one in answers), sum(one.tokens_out for one in answers)
        return Usage(len(answers), tokens_in, tokens_out, price(tokens_in, tokens_out))

    @property
    def spent_usd(self) -> float | None:
        """What everything cost that the journal tells of, None where prices are not known."""
        journal = self._connection.journal
        return self._connection.price(journal.tokens_in, journal.tokens_out)

    @property
    def usage(self) -> Usage:
        """What has been used since it was opened; answers from the journal are not counted."""
        used = self._connection
        return Usage(used.requests, used.tokens_in, used.tokens_out, used.price(used.tokens_in, used.tokens_out))

    def tokens(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt mostly has at most."""
        return estimated_tokens(prompt.messages(), self._settings)

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the log-probability of every choice as the answer; see the class for how.

        Args:
            prompts: what is asked.
            choices: answers, none of them empty.
            progress: called with prompts done and prompts in all.

        Returns:
            (prompts, choices). Not divided by a choice's tokens: it is told by the first ones.

        Raises:
            RunError: the cap is reached, the server fails again and again, or it cut a prompt.
        """
        scores = self._answer(prompts, lambda session, prompt, _: self._scores(session, prompt, choices), progress)
        return np.stack(scores) if scores else np.zeros((0, len(choices)), dtype=np.float32)

    def write(
        self, prompts: Sequence[Prompt], forms: Sequence[Form], progress: Progress | None = None
    ) -> list[Written]:
        """Return an answer a prompt, in its form; of one that is not, as much as is.

        What is extracted from a context may be empty, where the answer stands nowhere in it.

        Raises:
            RunError: as of `score`.
        """
        return self._answer(prompts, lambda session, prompt, row: self._written(session, prompt, forms[row]), progress)

    def likelihoods(
        self, prompts: Sequence[Prompt], answers: Sequence[str], progress: Progress | None = None
    ) -> Floats:
        """Return zeros: servers of chats tell of the tokens that they write, not of given ones."""
        return np.zeros((len(prompts), 2), dtype=np.float32)

    def _answer(
        self,
        prompts: Sequence[Prompt],
        work: Callable[[Session, Prompt, int], Awaitable[_Done]],
        progress: Progress | None,
    ) -> list[_Done]:
        async def answers() -> list[_Done]:
            async with Session(self._connection) as session:
                await self._measure(session, prompts)
                works = [partial(work, session, prompt, row) for row, prompt in enumerate(prompts)]
                return await session.all(works, progress)

        return _run(answers)

    async def _measure(self, session: Session, prompts: Sequence[Prompt]) -> None:
        """Measure by a part of the longest prompt how many tokens its text has, to see whether the server cuts it."""
        size, short = self._settings.measured_characters, self.abilities.short
        if self._connection.rate is not None or short is None or not prompts:
            return
        messages = max((prompt.messages() for prompt in prompts), key=characters)
        if characters(messages) < 2 * size:
            return
        part = sample(messages, size)
        try:
            answer = await session.ask(self.abilities.body(self.name, part, 1), 1, checked=False)
        except Refused:
            return
        if answer.counted:
            self._connection.rate = measured_rate(short, (size_of(part), answer.tokens_in))

    async def _scores(self, session: Session, prompt: Prompt, choices: Sequence[str]) -> Floats:
        able, messages = self.abilities, prompt.messages()
        if able.likeliest:
            most = tokens_to_tell(choices, self._settings.answer_tokens)
            body = able.body(self.name, messages, most, **likelihoods_asked(able.likeliest))
            answer = await session.ask(body, most)
            scores = likelihoods(answer, choices, self._settings.least_probability)
            if scores is not None:
                return scores
        number = await self._choice(session, messages, choices)
        return sure_scores(number, len(choices), self._settings.sureness)

    async def _choice(self, session: Session, messages: list[dict[str, str]], choices: Sequence[str]) -> int | None:
        most = max(self._settings.answer_tokens, *(len(choice.encode()) for choice in choices))
        form = answer_format(one_of(choices)) if self.abilities.schema_kept else {}
        again = _reminded(messages, _ONE_OF.format(", ".join(choices)))
        for tried in (messages, again):
            answer = await session.ask(self.abilities.body(self.name, tried, most, **form), most)
            number = chosen(answer, choices)
            if number is not None:
                return number
            self.asked_again += tried is messages
        self.invalid += 1
        return None

    async def _written(self, session: Session, prompt: Prompt, form: Form) -> Written:
        able, messages, schema = self.abilities, prompt.messages(), schema_of(form)
        most = form.max_tokens if isinstance(form, Free) else self._settings.structured_tokens
        more = {"logprobs": True} if able.likeliest else {}
        more |= answer_format(schema) if schema is not None and able.schema_kept else {}
        for tried in (messages, _reminded(messages, reminder(form))):
            answer = await session.ask(able.body(self.name, tried, most, **more), most)
            text, all_of_it = valid(answer.text, form)
            if all_of_it:
                return Written(text, answer.mean_log_probability(), answer.whole)
            self.asked_again += tried is messages
        self.invalid += 1
        return Written(text, answer.mean_log_probability(), False)


def _reminded(messages: list[dict[str, str]], text: str) -> list[dict[str, str]]:
    """Return messages with something added to the last, the question."""
    *before, last = messages
    return [*before, {**last, "content": f"{last['content']}\n\n{text}"}]


def _run(work: Callable[[], Coroutine[Any, Any, _Done]]) -> _Done:
    """Run asynchronous work to its end, beside an event loop where one runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
