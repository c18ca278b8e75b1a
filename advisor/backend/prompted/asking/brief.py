"""A brief: all that decides how rows are asked about, kept with the model."""

from pydantic import Field

from advisor.backend.settings import Settings


class Brief(Settings):
    """What is asked, and how answers are worded.

    Attributes:
        task: id of the task.
        labels: classes or tags in the order of their numbers; empty for numbers and spans.
        descriptions: one line about a label or a kind of entity, by name, where there is one.
        instruction: what the task asks, in the project's words; may be empty.
        pairs: whether a row is a pair of texts.
        hypotheses: whether the model judges hypotheses instead of answering prompts.
        listed: whether several labels are asked for in one list.
        unanswerable: whether a context may hold no answer.
        levels: numbers of the scale, ascending, where a number is asked for.
        verbalisers: most wordings of an answer that are scored.
        written_tokens: most tokens of a written answer.
    """

    task: str
    labels: tuple[str, ...] = ()
    descriptions: dict[str, str] = Field(default_factory=dict)
    instruction: str = ""
    pairs: bool = False
    hypotheses: bool = False
    listed: bool = False
    unanswerable: bool = False
    levels: tuple[float, ...] = ()
    verbalisers: int = Field(1, ge=1)
    written_tokens: int = Field(ge=1)
