"""What a server is able to do, found out by a few tiny requests, once."""

import hashlib
import itertools
import json
from contextlib import suppress
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor.backend.prompted.endpoint.answer import Answer
from advisor.backend.prompted.endpoint.forms import answer_format, one_of
from advisor.backend.prompted.endpoint.lengths import Messages, size_of
from advisor.backend.prompted.endpoint.session import LIMITS, Body, GivenUp, Session
from advisor.backend.prompted.endpoint.transport import Refused
from advisor.errors import InputError, RunError

_SYSTEM = {"role": "system", "content": "Answer in one word."}
_QUESTION = {"role": "user", "content": "Is water wet?"}
# Nobody answers so unless made to.
_CODES = ("k7-violet", "q3-amber")
_CONTEXTS = ("max_model_len", "context_length", "context_window", "max_context_length")
_LISTED = 5


class Abilities(BaseModel):
    """What a server takes and gives.

    Attributes:
        limit: how a request names the most tokens of its answer.
        greedy: whether it may ask for the likeliest tokens by a temperature of 0.
        system: whether messages may have the role of the system.
        quiet: whether a chat template may be told that the model is not to think first.
        likeliest: how many of the likeliest tokens it tells with their log-probabilities in each place.
        schema_kept: whether it makes answers follow a JSON schema.
        context: tokens that prompt and answer may have together, where its list of models says.
        short: bytes and tokens of a short prompt; None where it does not count tokens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Literal["max_tokens", "max_completion_tokens"]
    greedy: bool
    system: bool
    quiet: bool
    likeliest: int
    schema_kept: bool
    context: int | None
    short: tuple[int, int] | None

    def messages(self, messages: Messages) -> list[dict[str, str]]:
        """Return messages as the server takes them: what the system says may have to stand in the first question."""
        # Halves of letters, which a text may hold in memory, cannot be sent.
        sent = [{**one, "content": one["content"].encode(errors="replace").decode()} for one in messages]
        if self.system or sent[0]["role"] != "system":
            return sent
        first, second, *rest = sent
        return [{**second, "content": f"{first['content']}\n\n{second['content']}"}, *rest]

    def body(self, model: str, messages: Messages, tokens_out: int, **more: Any) -> Body:
        """Return a request for a chat completion."""
        greedy = {"temperature": 0} if self.greedy else {}
        quiet = {"chat_template_kwargs": {"enable_thinking": False}} if self.quiet else {}
        return {"model": model, "messages": self.messages(messages), self.limit: tokens_out, **greedy, **quiet, **more}


def likelihoods_asked(number: int) -> dict[str, Any]:
    """Return what asks for log-probabilities: of the answer's tokens, and of so many of the likeliest, if any."""
    return {"logprobs": True, "top_logprobs": number} if number else {}


async def find_abilities(session: Session) -> Abilities:
    """Return what the server is able to do, from the journal where it was found out before.

    Raises:
        InputError: there is no such model.
        RunError: the server takes no request.
    """
    connection = session.connection
    about = hashlib.sha256(f"{connection.address.base}\n{connection.place.name}".encode()).hexdigest()
    known = connection.journal.facts(about)
    if known is not None:
        with suppress(ValidationError):  # another version may have written it
            return Abilities.model_validate(known)
    listed = await session.listed()
    plain, answer = await _taken(session, listed)
    found = plain.model_copy(
        update={
            "likeliest": await _likeliest(session, plain),
            "schema_kept": await _keeps_schema(session, plain),
            "context": connection.place.context or _context(listed, connection.place.name),
            "short": (size_of([_SYSTEM, _QUESTION]), answer.tokens_in) if answer.counted else None,
        }
    )
    connection.journal.add_facts(about, found.model_dump(mode="json"))
    return found


async def _taken(session: Session, listed: list[dict[str, Any]]) -> tuple[Abilities, Answer]:
    """Return the first form of a plain request that the server takes, and its answer."""
    name, first = session.connection.place.name, ""
    yes_or_no = (True, False)
    for limit, greedy, system, quiet in itertools.product(LIMITS, yes_or_no, yes_or_no, yes_or_no):
        form = Abilities(
            limit=limit,
            greedy=greedy,
            system=system,
            quiet=quiet,
            likeliest=0,
            schema_kept=False,
            context=None,
            short=None,
        )
        try:
            return form, await _probe(session, form.body(name, [_SYSTEM, _QUESTION], 1), 1)
        except Refused as refused:
            first = first or str(refused)
            if refused.status == 404:
                raise InputError(_unknown(session, str(refused), listed)) from None
    raise RunError(
        f"{session.connection.address.base} takes no chat request for {name} ({session.connection.key.hide(first)})"
    )


async def _probe(session: Session, body: Body, tokens_out: int) -> Answer:
    """Ask; an inner error of the server that comes again counts as its way of refusing."""
    try:
        return await session.ask(body, tokens_out, attempts=session.settings.probe_attempts)
    except GivenUp as given_up:
        if given_up.status == 500:
            raise Refused(str(given_up), 500) from None
        raise


async def _likeliest(session: Session, form: Abilities) -> int:
    for number in session.settings.likeliest:
        body = form.body(session.connection.place.name, [_SYSTEM, _QUESTION], 1, **likelihoods_asked(number))
        try:
            answer = await _probe(session, body, 1)
        except Refused:
            continue
        return number if answer.steps and len(answer.steps[0].likeliest) > 1 else 0
    return 0


async def _keeps_schema(session: Session, form: Abilities) -> bool:
    most = session.settings.answer_tokens
    body = form.body(session.connection.place.name, [_SYSTEM, _QUESTION], most, **answer_format(one_of(_CODES)))
    try:
        return bool(json.loads((await _probe(session, body, most)).text)["answer"] in _CODES)
    except (Refused, ValueError, LookupError, TypeError):
        return False


def _context(listed: list[dict[str, Any]], name: str) -> int | None:
    told = next((one for one in listed if one.get("id") == name), {})
    meta = told.get("meta")
    values = [told.get(key) for key in _CONTEXTS] + [meta.get("n_ctx") if isinstance(meta, dict) else None]
    return next((value for value in values if isinstance(value, int) and value > 0), None)


def _unknown(session: Session, said: str, listed: list[dict[str, Any]]) -> str:
    connection = session.connection
    names = [str(one["id"]) for one in listed if "id" in one]
    there = f"; it lists {', '.join(names[:_LISTED])}{', …' if len(names) > _LISTED else ''}" if names else ""
    text = f"{connection.address.base} has no model {connection.place.name} ({said}){there}"
    return connection.key.hide(f"{text}; correct model.llm_name or model.llm_url")
