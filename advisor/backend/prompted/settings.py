"""Settings of prompting language models; their values come from the rules."""

from typing import Annotated, Literal

from pydantic import Field

from advisor.backend.settings import Positive, Settings

Selection = Literal["fixed", "retrieved"]
Order = Literal["forward", "reversed"]
CalibrationName = Literal["none", "contextual", "batch"]
LabelSets = Literal["auto", "each", "list"]


class PromptSettings(Settings):
    """How prompts are made, and which ways are compared on labelled rows.

    Attributes:
        instruction: what the task asks, in the project's own words; stands before the rest, empty for nothing.
        demonstrations: most demonstrations in a prompt.
        selections: ways to choose them that are compared: ``fixed``, the same balanced ones for every row, or
            ``retrieved``, the ones most similar to the row. The first is taken where nothing can be measured.
        orders: orders that are compared: ``forward``, the most similar last, or ``reversed``.
        calibrations: what is compared of ``none``, ``contextual`` and ``batch``.
        content_free: inputs that say nothing, for contextual calibration.
        prior_floor: least probability that a calibration divides by.
        verbalisers: most wordings of a label that are scored; a server is asked about one.
        label_sets: how several labels are asked for: ``each`` in a question of its own, all in one ``list``, or
            ``auto``, by list from a server.
        levels: most levels of the scale that numbers are answered on.
        pool: most rows that similar ones are looked for in.
        written_tokens: most tokens of a written answer.
        measured_rows: labelled rows that ways are compared on.
        paid_rows: the same of somebody else's server, where prompts are paid for.
        measured_sureness: standard errors within which the measure does not tell ways apart and log loss does.
        attacked_rows: rows whose label injections try to flip.
        injections: what is appended to them, with ``{answer}`` in it.
    """

    instruction: str
    demonstrations: Annotated[int, Field(ge=1)]
    selections: Annotated[tuple[Selection, ...], Field(min_length=1)]
    orders: Annotated[tuple[Order, ...], Field(min_length=1)]
    calibrations: Annotated[tuple[CalibrationName, ...], Field(min_length=1)]
    content_free: Annotated[tuple[str, ...], Field(min_length=1)]
    prior_floor: Annotated[float, Field(gt=0, lt=0.5)]
    verbalisers: Annotated[int, Field(ge=1)]
    label_sets: LabelSets
    levels: Annotated[int, Field(ge=2)]
    pool: Annotated[int, Field(ge=1)]
    written_tokens: Annotated[int, Field(ge=1)]
    measured_rows: Annotated[int, Field(ge=0)]
    paid_rows: Annotated[int, Field(ge=0)]
    measured_sureness: Annotated[float, Field(ge=0)]
    attacked_rows: Annotated[int, Field(ge=0)]
    injections: tuple[Annotated[str, Field(pattern=r"\{answer\}")], ...]

    def prompts_to_choose(self, rows: int, *, demonstrated: bool, paid: bool, questions: int = 1) -> int:
        """Return how many prompts are asked at most to choose a way and to attack it.

        Args:
            rows: labelled rows at hand.
            demonstrated: whether demonstrations are shown.
            paid: whether prompts are paid for.
            questions: that a row takes.
        """
        asked = min(rows, self.paid_rows if paid else self.measured_rows)
        if not asked:
            return 0
        fixed = sum(selection == "fixed" for selection in self.selections) * len(self.orders) if demonstrated else 0
        ways = len(self.selections) * len(self.orders) + 1 if demonstrated else 1
        empty = len(self.content_free) * (fixed + 1) if "contextual" in self.calibrations else 0
        attacks = min(asked, self.attacked_rows) * (1 + len(self.injections)) if self.injections else 0
        return (asked * ways + empty + attacks) * questions


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
        whole_share: share of the tokens expected by that, below which those of the prompt's halves are counted, too;
            below that share of their sum the server cut the prompt.
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
