"""A Hugging Face data set, by id, through the ``datasets`` package."""

from collections.abc import Iterator
from typing import Any

from advisor.data.formats.parquet import with_names
from advisor.data.formats.table import Row, Table
from advisor.errors import DataError, InputError


def hub_tables(name: str) -> tuple[Table, Table | None]:
    """Load ``owner/name[/config[/split]]``: the training split and the test split with labels, if any.

    Without a split named, ``train`` (or the only split) is for training, and the first of ``test`` and
    ``validation`` whose labels are public is for testing.

    Raises:
        InputError: ``datasets`` is not installed.
        DataError: the data set cannot be loaded or has no such split.
    """
    try:
        import datasets
    except ImportError:
        raise InputError(
            f"{name}: no such file or folder; to read it from the Hugging Face hub: pip install adaptation-advisor[hub]"
        ) from None
    owner, short, *rest = name.split("/")
    identifier = f"{owner}/{short}"
    place = "/".join([identifier, *rest[:1]])
    try:
        splits = datasets.load_dataset(identifier, rest[0] if rest else None)
    except Exception as failure:
        words = " ".join(str(failure).split())[:200] or type(failure).__name__
        raise DataError(f"{name}: no such file or folder, and the hub gave no data set ({words})") from None
    wanted = rest[1] if len(rest) > 1 else "train" if "train" in splits else next(iter(splits))
    if wanted not in splits:
        raise DataError(f"{name}: no split '{wanted}'; found: {', '.join(splits)}")
    train = _table(f"{place} ({wanted})", splits[wanted])
    if len(rest) > 1:
        return train, None
    for other in ("test", "validation"):
        if other in splits and other != wanted and _has_labels(splits[other]):
            return train, _table(f"{place} ({other})", splits[other])
    return train, None


def _table(place: str, split: Any) -> Table:
    names = _names(split)

    def rows() -> Iterator[Row]:
        number = 0
        for batch in split.iter(batch_size=1000):
            columns = [with_names(batch[name], names.get(name)) for name in split.column_names]
            for row in zip(*columns, strict=True):
                number += 1
                yield number, row

    return Table(place, "hub", "row", list(split.column_names), rows(), lambda: "")


def _names(split: Any) -> dict[str, list[str]]:
    found = {name: _class_label(kind) for name, kind in split.features.items()}
    return {name: list(kind.names) for name, kind in found.items() if kind is not None}


def _class_label(kind: Any) -> Any:
    """Return the class label that a feature is, or is a list of."""
    if isinstance(kind, list):
        return _class_label(kind[0]) if len(kind) == 1 else None
    if type(kind).__name__ == "ClassLabel":
        return kind
    return _class_label(kind.feature) if hasattr(kind, "feature") else None


def _has_labels(split: Any) -> bool:
    """Tell whether some class column has known labels; hidden test labels are written as -1."""
    columns = list(_names(split))
    return not columns or any(_some_known(split[name][:1000]) for name in columns)


def _some_known(values: list[Any]) -> bool:
    return any(_some_known(value) if isinstance(value, list) else value != -1 for value in values)
