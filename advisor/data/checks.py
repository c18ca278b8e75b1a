"""What labelled data must be to be learned from: several classes, known to the test set too."""

from collections import Counter

from advisor.data.columns import is_fraction, is_number, shown
from advisor.data.examples import Part
from advisor.data.lines import and_more
from advisor.errors import DataError


def check_train(part: Part, column: str) -> None:
    """Refuse what no classifier can learn from.

    Raises:
        DataError: no labelled row, numbers with fractions for labels, or one class only.
    """
    examples, place = part.examples, part.path
    if not examples:
        if part.unlabelled:
            raise DataError(
                f"{place}: column {shown(column)} is empty in all {len(part.unlabelled):,} rows; labels are needed"
            )
        raise DataError(f"{place}: no row has a text; at least two labelled rows are needed")
    counts = Counter(examples.labels)
    if any(map(is_fraction, counts)) and all(map(is_number, counts)):
        fractions = [index for index, label in enumerate(examples.labels) if is_fraction(label)]
        first = fractions[0]
        raise DataError(
            f"{place}: {part.unit} {examples.rows[first]}: the label {shown(examples.labels[first])} is "
            f"a number with a fraction{and_more(len(fractions), 'row')}; this looks like regression; "
            "text-classification needs a text and one label a row"
        )
    if len(counts) == 1:
        raise DataError(
            f"{place}: one class only: all {len(examples):,} rows have the label "
            f"{shown(examples.labels[0])}; at least two classes are needed"
        )


def check_unique(part: Part, column: str) -> None:
    """Refuse a label column that never repeats a value: it is an id or a measured number.

    Raises:
        DataError: it is so.
    """
    count = len(part.examples)
    if len(set(part.examples.labels)) == count:
        raise DataError(
            f"{part.path}: column {shown(column)} has a different value in each of {count:,} rows; "
            "it looks like an id or a number to predict (regression), name another with --label"
        )


def check_test(train: Part, test: Part, column: str) -> None:
    """Refuse test rows that training labels cannot measure.

    Raises:
        DataError: no labelled row, labels that training lacks, or no label ever repeated in either file.
    """
    if not test.examples:
        raise DataError(f"{test.path}: no row has both a text and a label; a test set needs labels")
    known = set(train.examples.classes)
    unknown: dict[str, int] = {}
    count = 0
    for row, label in zip(test.examples.rows, test.examples.classes, strict=True):
        if label not in known:
            unknown.setdefault(label, row)
            count += 1
    if unknown:
        names = ", ".join(shown(label) for label in list(unknown)[:5])
        rest = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        first = next(iter(unknown.values()))
        raise DataError(
            f"{test.path}: {test.unit} {first}: label{'s' if len(unknown) > 1 else ''} {names}{rest} "
            f"not among the labels of {train.path}{and_more(count, 'row')}"
        )
    if len(known) == len(train.examples) and len(set(test.examples.labels)) == len(test.examples):
        check_unique(train, column)
