"""A language model as prompting sees it: it scores given answers, or writes one of a given form."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from advisor.backend.arrays import Floats
from advisor.backend.prompted.prompt import Prompt
from advisor.backend.within_memory import Progress
from advisor.tasks import Words


class Free(NamedTuple):
    """An answer in the model's own words, of so many tokens at most."""

    max_tokens: int


class Extract(NamedTuple):
    """An answer that stands in a context, word for word; or ``nothing``, which says that none does, unless empty."""

    context: str
    nothing: str = ""


class Entities(NamedTuple):
    """Entities of a sentence, each a kind and some words that follow one another in it."""

    words: Words
    kinds: tuple[str, ...]


Form = Free | Extract | Entities


class Written(NamedTuple):
    """An answer that a model wrote.

    Attributes:
        text: of the answer; entities are a JSON list of objects with ``kind`` and ``text``.
        log_likelihood: natural logarithm, mean over the answer's tokens; NaN where the model does not tell.
        whole: whether the model ended it by itself, rather than running into a limit.
    """

    text: str
    log_likelihood: float
    whole: bool


class Usage(NamedTuple):
    """What answers took.

    Attributes:
        requests: prompts that were sent or computed; answers known from before are not counted.
        tokens_in, tokens_out: of them.
        usd: their price, 0 on one's own machine, None where prices are not known.
    """

    requests: int
    tokens_in: int
    tokens_out: int
    usd: float | None


class LanguageModel(Protocol):
    """Anything that answers prompts.

    Attributes:
        name: hub id, folder or the name that an endpoint knows it by.
        context: tokens that prompt and answer may have together, None where it is not known.
        reads: ``prompts``, or ``hypotheses`` for a model of entailment: then a prompt's question is the premise, the
            choices are hypotheses, and there is neither instruction nor demonstration.
        writes: whether `write` is to be had.
    """

    name: str
    context: int | None
    reads: Literal["prompts", "hypotheses"]
    writes: bool

    def tokens(self, prompt: Prompt) -> int:
        """Return how many tokens a prompt has; an estimate from above where the tokenizer is not at hand."""
        ...

    def score(self, prompts: Sequence[Prompt], choices: Sequence[str], progress: Progress | None = None) -> Floats:
        """Return the log-likelihood (natural logarithm, mean over its tokens) of every choice as the answer.

        Args:
            prompts: what is asked.
            choices: answers, none of them empty.
            progress: called with prompts done and prompts in all.

        Returns:
            (prompts, choices).
        """
        ...

    def write(
        self, prompts: Sequence[Prompt], forms: Sequence[Form], progress: Progress | None = None
    ) -> list[Written]:
        """Return an answer a prompt, in its form, by the likeliest token at each step."""
        ...

    def likelihoods(
        self, prompts: Sequence[Prompt], answers: Sequence[str], progress: Progress | None = None
    ) -> Floats:
        """Return how likely a given answer is after each prompt, its end included; an answer that does not fit is cut.

        Returns:
            (prompts, 2): log-likelihood (natural logarithm, summed over its tokens) and number of tokens; zeros where
            the model does not tell.
        """
        ...

    @property
    def usage(self) -> Usage:
        """What has been used since it was opened."""
        ...
