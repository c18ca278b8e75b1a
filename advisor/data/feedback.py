"""Feedback: what is known of answers to prompts - how long, which were preferred, how many approved of."""

from collections.abc import Sequence
from typing import Literal, cast

from advisor.data.examples import Examples
from advisor.data.lengths import Quantiles, quantiles, word_counts
from advisor.strict import Strict
from advisor.tasks import Demonstration, Judged, Label, Preferred

Kind = Literal["demonstrations", "pairs", "thumbs"]
_KINDS: dict[type, Kind] = {Demonstration: "demonstrations", Preferred: "pairs", Judged: "thumbs"}


class Feedback(Strict):
    """What is known of answers to prompts.

    Attributes:
        kind: right answers; pairs of a preferred and a rejected one; or single ones with a judgement.
        words: lengths of the answers in words, split at spaces.
        longer_preferred: share of pairs whose preferred answer has more words than the other, those of equal length
            counted half; None for other kinds. Far from a half it may be length that is learnt.
        approved: share of judgements that approve; None for other kinds.
        several: rows with more than one right answer.
    """

    kind: Kind
    words: Quantiles
    longer_preferred: float | None = None
    approved: float | None = None
    several: int = 0


def feedback_kind(labels: Sequence[Label]) -> Kind | None:
    """Return the kind of feedback that labels are; None where they are none, or there is no label."""
    return _KINDS.get(type(labels[0])) if labels else None


def answers_of(label: Label) -> list[str]:
    """Return the answers that a row's feedback holds; several right ones count as the first."""
    if isinstance(label, Demonstration):
        return [label.answers[0]]
    return [label.answer] if isinstance(label, Judged) else list(cast(Preferred, label))


def feedback(examples: Examples) -> Feedback:
    """Look over the feedback of rows."""
    kind = feedback_kind(examples.labels)
    assert kind is not None
    words = word_counts([text for label in examples.labels for text in answers_of(label)])
    found = Feedback(kind=kind, words=quantiles(words))
    if kind == "pairs":
        signs = [(a > b) + 0.5 * (a == b) for a, b in zip(words[::2], words[1::2], strict=True)]
        return found.model_copy(update={"longer_preferred": sum(signs) / len(signs)})
    if kind == "thumbs":
        judged = cast("list[Judged]", examples.labels)
        return found.model_copy(update={"approved": sum(one.approved for one in judged) / len(judged)})
    several = sum(len(one.answers) > 1 for one in cast("list[Demonstration]", examples.labels))
    return found.model_copy(update={"several": several})


def whole_texts(examples: Examples) -> list[str]:
    """Return each prompt with an answer, the longer one where there are two."""
    pairs = zip(examples.texts, examples.labels, strict=True)
    return [f"{text}\n{max(answers_of(label), key=len)}" for text, label in pairs]


def whole_lengths(examples: Examples) -> list[int]:
    """Return how many words a prompt has together with an answer, the mean one where there are two."""
    prompts = word_counts(examples.inputs)
    found = []
    for length, label in zip(prompts, examples.labels, strict=True):
        answers = word_counts(answers_of(label))
        found.append(length + round(sum(answers) / len(answers)))
    return found
