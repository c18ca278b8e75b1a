"""Parquet files as tables, class numbers replaced by the names that ``datasets`` leaves beside them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.data.formats.lines import open_regular
from advisor.data.formats.table import Row, Table, refuse_duplicates
from advisor.errors import DataError
from advisor.files import sha256_of


def open_parquet(path: Path) -> Table:
    """Open a Parquet file.

    Raises:
        DataError: it cannot be opened, or is none.
    """
    open_regular(path).close()
    import pyarrow as pa
    from pyarrow import parquet

    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    try:
        file = parquet.ParquetFile(path)
        columns = list(file.schema_arrow.names)
        names = class_names(file.schema_arrow.metadata or {})
    except (pa.ArrowException, OSError, ValueError) as failure:
        raise DataError(f"{path}: damaged, or not a Parquet file ({_first_words(failure)})") from None
    refuse_duplicates(columns, str(path))

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in file.iter_batches(batch_size=1024):
                values = [
                    with_names(column.to_pylist(), names.get(name))
                    for name, column in zip(columns, batch.columns, strict=True)
                ]
                for row in zip(*values, strict=True):
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError, ValueError, OverflowError) as failure:
            raise DataError(f"{path}: damaged after row {number:,} ({_first_words(failure)})") from None

    return Table(path, "parquet", "row", columns, rows(), lambda: sha256_of(path), file.close)


def class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Return the class names that Hugging Face's ``datasets`` leaves in a Parquet file, by column.

    A column may hold class numbers, or lists of them.
    """
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = {name: _class_label(feature) for name, feature in features.items()}
        return {name: list(label["names"]) for name, label in found.items() if label}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _class_label(feature: Any) -> dict[str, Any] | None:
    """Return the description of the class label that a feature is, or is a list of."""
    if isinstance(feature, list):
        return _class_label(feature[0]) if len(feature) == 1 else None
    if isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
        return _class_label(feature["feature"])
    return feature if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None


def with_names(values: list[Any], names: list[str] | None) -> list[Any]:
    """Put class names for class numbers, in lists too; -1 stands for no label."""
    if names is None:
        return values
    return [
        (names[value] if 0 <= value < len(names) else None if value == -1 else value)
        if isinstance(value, int)
        else with_names(value, names)
        if isinstance(value, list)
        else value
        for value in values
    ]


def _first_words(failure: BaseException) -> str:
    text = str(failure).splitlines()[0].strip() if str(failure) else type(failure).__name__
    return text.rstrip(".")[:120]
