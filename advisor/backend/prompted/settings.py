"""Settings of prompting language models; their values come from the rules."""

from typing import Annotated

from pydantic import Field

from advisor.backend.settings import Settings


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
    """

    concurrency: Annotated[int, Field(ge=1)]


class PromptedSettings(PromptSettings, EndpointSettings):
    """All of it."""
