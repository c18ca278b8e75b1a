"""Which task labelled data look like, from the names and values of their columns."""

from collections.abc import Sequence

from advisor.data.content import Rows, column, fractions, lists, objects, tag_strings, zero_one_columns
from advisor.data.names import (
    CLASSES_NAMES,
    JUDGEMENT_NAMES,
    LABEL_NAMES,
    NUMBER_NAMES,
    TAG_NAMES,
    WORD_NAMES,
    Wanted,
    place_of,
    plain,
    several,
    usual,
    usual_pair,
)
from advisor.data.prompts import NO, YES

_GENERATION = (
    {"prompt", "completion"}, {"prompt", "response"}, {"instruction", "output"}, {"instruction", "response"},
    {"messages"}, {"conversations"},
)  # fmt: skip
_QUESTION = {"question", "context"}
_PREFERENCE = {"chosen", "rejected"}


def guess_task(names: Sequence[str], sample: Rows, wanted: Wanted = Wanted()) -> str:  # noqa: B008
    """Return the task that columns of these names and values look like, a profile's ``task.type``.

    Columns that the user named decide. A text and a label that both are named make one task of one text, whatever
    other texts a row holds.

    Args:
        names: column names.
        sample: some rows, as many values as names.
        wanted: the columns that the user named.
    """
    known = {plain(name) for name in names}
    both = wanted.text is not None and wanted.label is not None
    writing = _named_to_write(names, wanted) if both else None
    if writing:
        return writing
    if not both and (known >= _PREFERENCE or (wanted.label is None and _approves(names, known, sample))):
        return "preference"
    named = place_of(names, wanted.label) if wanted.label is not None else None
    words = place_of(names, wanted.text) if wanted.text is not None else usual(names, WORD_NAMES)
    if _tagged(sample, words, usual(names, TAG_NAMES) if wanted.label is None else named):
        return "token-classification"
    if _asks(known, sample, wanted, None if wanted.label is None else plain(wanted.label), named):
        return "question-answering"
    label = usual(names, LABEL_NAMES) if wanted.label is None else named
    classes = usual(names, CLASSES_NAMES) if label is None and wanted.label is None else label
    if lists(column(sample, classes)) or (wanted.label is not None and several(names, wanted.label)):
        return "multi-label"
    if label is None and wanted.label is None and zero_one_columns(names, sample):
        return "multi-label"
    number = usual(names, NUMBER_NAMES) if label is None and wanted.label is None else label
    if fractions(column(sample, number)):
        return "regression"
    if wanted.pair is not None or (not both and usual_pair(names)):
        return "pair-classification"
    if label is None and any(group <= known for group in _GENERATION):
        return "generation"
    return "text-classification"


def _named_to_write(names: Sequence[str], wanted: Wanted) -> str | None:
    """Return the task that columns named for text and label make, where they hold prompts with answers."""
    text, label = str(wanted.text), str(wanted.label)
    labels = [plain(names[place]) for place in several(names, label)] or [plain(label)]
    if set(labels) == _PREFERENCE:
        return "preference"
    if not any(group <= {plain(text), *labels} for group in _GENERATION):
        return None
    return "preference" if len(labels) > 1 else "generation"


def _approves(names: Sequence[str], known: set[str], sample: Rows) -> bool:
    """Tell whether a column of yes and no stands beside prompts with answers."""
    judgements = {str(value).strip().lower() for value in column(sample, usual(names, JUDGEMENT_NAMES))}
    return bool(judgements) and judgements <= YES | NO and any(group <= known for group in _GENERATION)


def _tagged(sample: Rows, words: int | None, tags: int | None) -> bool:
    """Tell whether one column holds words and the other tags: both lists, or both strings of equally many parts."""
    if words is None or tags is None or words == tags:
        return False
    some_words, some_tags = column(sample, words), column(sample, tags)
    if lists(some_words) and lists(some_tags):
        return True
    return tag_strings(some_tags) and all(
        isinstance(row[words], str) and len(row[words].split()) == len(row[tags].split()) for row in sample if row[tags]
    )


def _asks(known: set[str], sample: Rows, wanted: Wanted, label: str | None, place: int | None) -> bool:
    """Tell whether there are questions, contexts and answers; ``label`` is the plain name of the column named so."""
    if label is None:
        return known >= _QUESTION and any(name.startswith("answer") for name in known)
    told = objects(column(sample, place))
    return (known >= _QUESTION and (told or label.startswith("answer"))) or (wanted.pair is not None and told)
