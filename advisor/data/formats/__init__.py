"""File formats: each opens as a `Table`."""

from pathlib import Path

from advisor.data.formats.conll import open_conll
from advisor.data.formats.lines import TextFile
from advisor.data.formats.objects import open_json
from advisor.data.formats.parquet import open_parquet
from advisor.data.formats.separated import open_separated
from advisor.data.formats.squad import is_nested
from advisor.data.formats.table import Table
from advisor.errors import DataError

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".conll": "conll",
    ".iob": "conll",
    ".bio": "conll",
}
KNOWN = "CSV, TSV, JSONL, JSON, CoNLL and Parquet"


def open_table(path: Path) -> Table:
    """Open a data file by its suffix; JSON by what it begins with.

    Raises:
        DataError: an unknown suffix, or a file that cannot be read; reading ``rows`` raises it for a bad row.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind == "parquet":
        return open_parquet(path)
    file = TextFile(path)
    try:
        if kind is None:
            ending = f"'{path.suffix}' is no known ending" if path.suffix else "the name has no ending"
            raise DataError(f"{path}: {ending}; {KNOWN} can be read")
        first = file.first_line().lstrip()
        if kind == "conll":
            return open_conll(file, path)
        if kind == "json" and is_nested(file.head):
            return open_json(file, path, "nested")
        if kind in {"json", "jsonl"}:
            if kind == "json" and first.startswith("{") and not first.rstrip().endswith("}"):
                raise DataError(f"{path}: one JSON object over several lines; a list of objects is needed")
            return open_json(file, path, "list" if first.startswith("[") else "lines")
        return open_separated(file, path, kind, first)
    except BaseException:
        file.close()
        raise
