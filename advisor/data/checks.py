"""What labelled data must be to be learned from: several answers to choose from, known to the test set too."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import cast

from advisor.data.collecting import NEEDS
from advisor.data.content import is_fraction, is_number
from advisor.data.examples import Part
from advisor.data.formats.lines import and_more
from advisor.data.names import shown
from advisor.data.tags import entities
from advisor.errors import DataError
from advisor.tasks import TASKS, WRITING

_READ = {
    "pair": "two texts",
    "question": "a question and a context",
    "words": "any word",
    "prompt": "a prompt",
}

_READ_WITH_LABEL = {
    "pair": "two texts",
    "question": "a question, a context",
    "words": "words",
    "prompt": "both a prompt",
}


def check_train(task: str, part: Part, column: str) -> None:
    """Refuse what no model can learn from.

    Raises:
        DataError: no labelled row, numbers with fractions for labels, or nothing to tell apart.
    """
    examples, place = part.examples, part.path
    count = f"all {len(examples):,} rows"
    if not examples:
        if part.unlabelled:
            raise DataError(f"{place}: {no_label_in(part, column)}; labels are needed")
        what = _READ.get(TASKS[task].reads, "a text")
        raise DataError(f"{place}: no row has {what}; at least two labelled rows are needed")
    predicts = TASKS[task].predicts
    if predicts == "class":
        _check_classes(task, part)
    elif predicts == "classes":
        _check_label_sets(part, column)
    elif predicts == "number" and len(set(examples.labels)) == 1:
        raise DataError(f"{place}: one number only: {count} have {examples.labels[0]:g}; there is nothing to predict")
    elif predicts == "tags" and not any(_named(task, part)):
        raise DataError(f"{place}: no word is tagged: {count} have nothing but O in column {shown(column)}")
    elif predicts == "span" and not any(examples.labels):
        raise DataError(f"{place}: no answer in {count} of column {shown(column)}; answers are needed")
    elif predicts in WRITING and len({type(label) for label in examples.labels}) > 1:
        raise DataError(f"{place}: some rows hold preferences and others judgements; keep one kind in a file")


def no_label_in(part: Part, column: str) -> str:
    """Say that all rows lack a label; ``column`` is empty where there is no column of labels."""
    rows = f"{len(part.unlabelled):,} rows"
    return f"column {shown(column)} is empty in all {rows}" if column else f"none of its {rows} has a label"


def check_unique(task: str, part: Part, column: str) -> None:
    """Refuse a label column that never repeats a value: it is an id or a measured number.

    Raises:
        DataError: it is so.
    """
    count = len(part.examples)
    if TASKS[task].predicts == "class" and len(set(part.examples.classes)) == count:
        raise DataError(
            f"{part.path}: column {shown(column)} has a different value in each of {count:,} rows; "
            "it looks like an id or a number to predict (regression), name another with --label"
        )
    if TASKS[task].predicts == "classes" and max(Counter(name for _, name in _named(task, part)).values()) == 1:
        raise DataError(
            f"{part.path}: no label stands in two rows of column {shown(column)}; "
            "these look like keywords, not classes, name another with --label"
        )


def check_test(task: str, train: Part, test: Part, column: str) -> None:
    """Refuse test rows that training labels cannot measure.

    Raises:
        DataError: no labelled row, labels that training lacks, or no label ever repeated in either file.
    """
    if not test.examples:
        read = _READ_WITH_LABEL.get(TASKS[task].reads, "both a text")
        raise DataError(f"{test.path}: no row has {read} and a label; a test set needs labels")
    predicts = TASKS[task].predicts
    if predicts == "span" and not any(test.examples.labels):
        raise DataError(f"{test.path}: no answer in column {shown(column)}; a test set needs answers")
    if predicts in WRITING and type(test.examples.labels[0]) is not type(train.examples.labels[0]):
        raise DataError(f"{test.path}: holds another kind of feedback than {train.path}; give both the same columns")
    if predicts in ("number", "span", *WRITING):
        return
    known = {name for _, name in _named(task, train)}
    unknown: dict[str, int] = {}
    rows = set()
    for row, name in _named(task, test):
        if name not in known:
            unknown.setdefault(name, row)
            rows.add(row)
    if unknown:
        names = ", ".join(shown(label) for label in list(unknown)[:5])
        rest = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        first = next(iter(unknown.values()))
        what = "entity type" if predicts == "tags" else "label"
        raise DataError(
            f"{test.path}: {test.unit} {first}: {what}{'s' if len(unknown) > 1 else ''} {names}{rest} "
            f"not among the {what}s of {train.path}{and_more(len(rows), 'row')}"
        )
    if (
        predicts == "class"
        and len(known) == len(train.examples)
        and len(set(test.examples.classes)) == len(test.examples)
    ):
        check_unique(task, train, column)


def _check_classes(task: str, part: Part) -> None:
    examples = part.examples
    counts = Counter(examples.classes)
    if any(map(is_fraction, counts)) and all(map(is_number, counts)):
        fractions = [index for index, label in enumerate(examples.classes) if is_fraction(label)]
        first = fractions[0]
        raise DataError(
            f"{part.path}: {part.unit} {examples.rows[first]}: the label {shown(examples.labels[first])} is "
            f"a number with a fraction{and_more(len(fractions), 'row')}; this looks like regression; "
            f"{task} needs {NEEDS[task]}"
        )
    if len(counts) == 1:
        rows = f"all {len(examples):,} rows have" if len(examples) > 1 else "the only row has"
        raise DataError(
            f"{part.path}: one class only: {rows} the label "
            f"{shown(examples.labels[0])}; at least two classes are needed"
        )


def _check_label_sets(part: Part, column: str) -> None:
    sets = cast("list[tuple[str, ...]]", part.examples.labels)
    names = set(chain.from_iterable(sets))
    if len(names) < 2:
        only = f"one class only, {shown(next(iter(names)))}, in" if names else "no label in any row of"
        raise DataError(f"{part.path}: {only} column {shown(column)}; at least two classes are needed")


def _named(task: str, part: Part) -> Iterable[tuple[int, str]]:
    """Return each class, or each type of entity, with the row it stands in."""
    examples = part.examples
    if TASKS[task].predicts == "class":
        return zip(examples.rows, examples.classes, strict=True)
    sets = zip(examples.rows, cast("list[tuple[str, ...]]", examples.labels), strict=True)
    if TASKS[task].predicts == "classes":
        return ((row, name) for row, names in sets for name in names)
    return ((row, entity.type) for row, tags in sets for entity in entities(tags))
