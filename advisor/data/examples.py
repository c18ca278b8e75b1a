"""What reading labelled data gives: texts, their labels, and where each stood."""

from dataclasses import dataclass, field

from advisor.data.columns import is_number


@dataclass(frozen=True)
class Examples:
    """Labelled texts, in the file's order.

    Attributes:
        texts: as written, never blank.
        labels: one a text, without surrounding space, never empty.
        rows: each text's place in its file, from 1; `Part.unit` says whether lines or rows.
    """

    texts: list[str] = field(default_factory=list, repr=False)
    labels: list[str] = field(default_factory=list, repr=False)
    rows: list[int] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Part:
    """What one file gave.

    Attributes:
        path: the file as the user named it, or the hub id with its split.
        format: ``csv``, ``tsv``, ``jsonl``, ``json``, ``parquet`` or ``hub``.
        unit: what row numbers count, ``line`` or ``row``.
        columns: all columns of the file.
        sha256: of the file's bytes; for a hub id, of its rows as JSON lines ``[text, label]``.
        examples: rows with text and label.
        without_text: places of the rows that have no text.
        unlabelled: texts of the rows that have no label.
        unlabelled_rows: their places.
    """

    path: str
    format: str
    unit: str
    columns: list[str]
    sha256: str
    examples: Examples
    without_text: list[int] = field(default_factory=list, repr=False)
    unlabelled: list[str] = field(default_factory=list, repr=False)
    unlabelled_rows: list[int] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class LabelledData:
    """A training file and, where there is one, a test file, with the columns that were used."""

    train_part: Part
    test_part: Part | None
    text_column: str
    label_column: str

    @property
    def train(self) -> Examples:
        """The labelled rows to learn from."""
        return self.train_part.examples

    @property
    def test(self) -> Examples | None:
        """The labelled rows to measure on, ``None`` where no test file was given."""
        return self.test_part.examples if self.test_part else None

    @property
    def unlabelled(self) -> list[str]:
        """Texts of training rows without a label."""
        return self.train_part.unlabelled

    @property
    def label_names(self) -> list[str]:
        """The distinct training labels, sorted: as numbers where all are numbers, else as text."""
        names = set(self.train.labels)
        return sorted(names, key=lambda name: (float(name), name) if all(map(is_number, names)) else (0.0, name))
