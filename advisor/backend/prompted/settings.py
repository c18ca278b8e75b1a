"""Settings of prompting language models; their values come from the rules."""

from typing import Annotated

from pydantic import Field

from advisor.backend.settings import Positive, Settings


class PromptSettings(Settings):
    """How prompts are made, and which ways are compared on labelled rows.

    Attributes:
        demonstrations: most demonstrations in a prompt.
    """

    demonstrations: Annotated[int, Field(ge=1)]


class EndpointSettings(Settings):
    """How an endpoint is asked.

    Attributes:
        concurrency: requests under way at once.
        attempts: how often a request is tried before the run stops.
        probe_attempts: the same of requests that find out what the server is able to do.
        first_wait_seconds: before the second try at most; twice as long before each further one.
        longest_wait_seconds: between tries; a server that asks for more stops the run.
        timeout_seconds: in which an answer must have come as a whole.
        connect_timeout_seconds: in which a connection must have been made.
        most_answer_bytes: size of a response at most.
        likeliest: how many of the likeliest tokens to ask for in each place; the first number that the server takes.
        answer_tokens: of an answer that names one of some choices, at most.
        structured_tokens: of an answer that holds extracts or entities, at most.
        least_probability: of all choices together, below which the first tokens do not tell and an answer is read.
        sureness: probability that a choice counts for where the server tells none.
        tokens_per_byte: of prompts, from above.
        message_tokens, template_tokens: that a chat template adds to each message and to all, from above.
        characters_per_token: of prompts, from above; a server that counts fewer tokens cut the prompt.
        measured_characters: of a piece of the longest prompt whose tokens are counted by the server beforehand.
        whole_share: share of the tokens expected by that, below which the server cut the prompt.
    """

    concurrency: Annotated[int, Field(ge=1)]
    attempts: Annotated[int, Field(ge=1)]
    probe_attempts: Annotated[int, Field(ge=1)]
    first_wait_seconds: Positive
    longest_wait_seconds: Positive
    timeout_seconds: Positive
    connect_timeout_seconds: Positive
    most_answer_bytes: Annotated[int, Field(ge=1000)]
    likeliest: tuple[Annotated[int, Field(ge=2)], ...]
    answer_tokens: Annotated[int, Field(ge=1)]
    structured_tokens: Annotated[int, Field(ge=1)]
    least_probability: Annotated[float, Field(ge=0, le=1)]
    sureness: Annotated[float, Field(gt=0, lt=1)]
    tokens_per_byte: Annotated[float, Field(gt=0, le=1)]
    message_tokens: Annotated[int, Field(ge=0)]
    template_tokens: Annotated[int, Field(ge=0)]
    characters_per_token: Positive
    measured_characters: Annotated[int, Field(ge=100)]
    whole_share: Annotated[float, Field(gt=0, lt=1)]


class PromptedSettings(PromptSettings, EndpointSettings):
    """All of it."""
