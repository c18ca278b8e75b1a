"""Good files of every format give the same examples; columns, labels and separators are found."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from advisor.data.reading import DataSource, Examples, LabelledData, load_labelled

ROWS = [
    ("good, really", "pos"),
    ('he said "no"', "neg"),
    ("two\nlines", "pos"),
    ("line\u2028separator and é", "None"),
    ("tab\there; and there", "NA"),
]


def write(path: Path, rows: list[tuple[Any, Any]], columns: tuple[str, str] = ("text", "label")) -> Path:
    text, label = columns
    objects = [{text: row[0], label: row[1]} for row in rows]
    if path.suffix in {".csv", ".tsv"}:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerows([columns, *rows])
        path.write_bytes(buffer.getvalue().encode())
    elif path.suffix == ".jsonl":
        path.write_bytes("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects).encode())
    elif path.suffix == ".json":
        path.write_bytes(json.dumps(objects).encode())
    else:
        parquet.write_table(pa.Table.from_pylist(objects), path)
    return path


def read(path: Path, content: bytes) -> LabelledData:
    path.write_bytes(content)
    return load_labelled(DataSource(path))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_formats_agree(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a.{ending}", ROWS)
    data = load_labelled(DataSource(path))
    assert list(zip(data.train.texts, data.train.labels, strict=True)) == ROWS
    assert data.test is None
    assert (data.text_column, data.label_column) == ("text", "label")
    assert data.train_part.format == ending
    assert data.train_part.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# A file that is mostly control characters is refused as binary, so texts hold a few of them at most.
printed = st.characters(exclude_categories=["Cs", "Cc"])
texts = st.lists(printed | st.sampled_from("\t\n"), min_size=1).map("".join).filter(str.strip)


@given(st.lists(texts, min_size=2, max_size=8))
def test_any_text_survives_any_format(tmp_path_factory: pytest.TempPathFactory, some: list[str]) -> None:
    folder = tmp_path_factory.mktemp("round")
    rows: list[tuple[Any, Any]] = [(text, ["a", "b"][index % 2]) for index, text in enumerate(some)]
    rows.append((some[0], "a"))
    for ending in ("csv", "tsv", "jsonl", "json", "parquet"):
        data = load_labelled(DataSource(write(folder / f"a.{ending}", rows)))
        assert list(zip(data.train.texts, data.train.labels, strict=True)) == rows


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 2, 1], ["1", "2", "1"]),
        ([1.0, 2.0, 1.0], ["1", "2", "1"]),
        ([True, False, True], ["true", "false", "true"]),
        (["None", "null", "None"], ["None", "null", "None"]),
        (["NA", "nan", "NA"], ["NA", "nan", "NA"]),
        ([" a ", "b", "a"], ["a", "b", "a"]),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet"])
def test_labels_become_text(ending: str, labels: list[Any], expected: list[str], tmp_path: Path) -> None:
    rows = [(f"text {index}", label) for index, label in enumerate(labels)]
    assert load_labelled(DataSource(write(tmp_path / f"a.{ending}", rows))).train.labels == expected


def test_lines_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    data = read(tmp_path / "a.csv", b'\ntext,label\n\n"a\nb",x\nc,y\n\n ,x\nd,\ne,x\n\n\n')
    assert data.train == Examples(["a\nb", "c", "e"], ["x", "y", "x"], [4, 6, 10])
    assert data.train_part.without_text == [8]
    assert data.unlabelled == ["d"]
    assert data.train_part.unlabelled_rows == [9]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbftext,label\na b,x\nc,y\nd,x\n",
        b"text,label\r\na b,x\r\nc,y\r\nd,x\r\n\r\n",
        b"text,label\ra b,x\rc,y\rd,x\r",
        b"text;label\na b;x\nc;y\nd;x\n",
        b"text\tlabel\na b\tx\nc\ty\nd\tx",
        b'"text","label"\n"a b","x"\n"c","y"\n"d","x"\n',
        b"text,label,,\na b,x,,\nc,y,,\nd,x,,\n,,,\n",
        b"id,Label, TEXT \n1,x,a b\n2,y,c\n3,x,d\n",
    ],
)
def test_safe_variants_of_csv(content: bytes, tmp_path: Path) -> None:
    train = read(tmp_path / "a.csv", content).train
    assert train.texts == ["a b", "c", "d"]
    assert train.labels == ["x", "y", "x"]


def test_half_an_emoji_becomes_a_replacement_character(tmp_path: Path) -> None:
    lines = [{"text": "cut \ud83d", "label": "a"}, {"text": "whole \U0001f600", "label": "b"}] * 2
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert load_labelled(DataSource(path)).train.texts[:2] == ["cut \ufffd", "whole \U0001f600"]


def test_null_is_no_label(tmp_path: Path) -> None:
    data = read(
        tmp_path / "a.jsonl",
        b'{"text": "a", "label": "x"}\n{"text": "b", "label": null}\n{"text": "c", "label": "y"}\n'
        b'{"text": null, "label": "y"}\n{"text": "d", "label": NaN}\n{"text": "e", "label": "x"}\n'
        b'{"text": "f"}\n',
    )
    assert data.train.texts == ["a", "c", "e"]
    assert data.unlabelled == ["b", "d", "f"]
    assert data.train_part.without_text == [4]


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("Review,Sentiment", "Review", "Sentiment"),
        ("title,text,topic", "text", "topic"),
        ("label,target,sentence", "sentence", "label"),
        ("input,target", "input", "target"),
        ("text,label,label_text", "text", "label_text"),
        ("Customer Words,Kind", "Customer Words", "Kind"),
    ],
)
def test_columns_are_found(header: str, text: str, label: str, tmp_path: Path) -> None:
    names = header.split(",")
    rows = []
    for index in range(12):
        values = dict.fromkeys(names, f"class {index % 3}")
        values[text] = f"some words of text number {index}"
        rows.append(",".join(values[name] for name in names))
    data = read(tmp_path / "a.csv", "\n".join([header, *rows]).encode())
    assert (data.text_column, data.label_column) == (text, label)


def test_class_numbers_stay_where_names_disagree(tmp_path: Path) -> None:
    data = read(tmp_path / "a.csv", b"text,label,label_text\na,0,x\nb,1,x\nc,0,y\n")
    assert data.label_column == "label"


def test_named_columns_win(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label,words,kind\na,b,c,d\ne,f,g,h\ni,j,k,d\n")
    data = load_labelled(DataSource(path, text_column="Words", label_column="kind"))
    assert data.train == Examples(["c", "g", "k"], ["d", "h", "d"], [2, 3, 4])


def test_one_label_of_a_pair_task_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,text_pair,label\na,b,x\nc,d,y\ne,f,x\n")
    assert load_labelled(DataSource(path, text_column="text", label_column="label")).train.texts == [
        "a",
        "c",
        "e",
    ]


def test_folder(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", ROWS)
    write(tmp_path / "test.csv", ROWS[:2])
    (tmp_path / "meta.json").write_text("{}")
    data = load_labelled(DataSource(tmp_path))
    assert data.test is not None
    assert (len(data.train), len(data.test)) == (5, 2)
    assert data.test_part is not None
    assert data.test_part.path == str(tmp_path / "test.csv")
    given = load_labelled(DataSource(str(tmp_path), test=write(tmp_path / "other.tsv", ROWS[:1])))
    assert given.test == Examples([ROWS[0][0]], ["pos"], [2])


def test_folder_with_one_file(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", [*ROWS, ("more", "pos")])
    (tmp_path / "meta.json").write_text("{}")
    assert len(load_labelled(DataSource(tmp_path)).train) == 6


def test_one_example_a_class_is_fine_with_a_test_set(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", [("a", "x"), ("b", "y")])
    write(tmp_path / "test.csv", [("c", "x"), ("d", "x")])
    assert len(load_labelled(DataSource(tmp_path)).train) == 2


def test_label_names_in_order(tmp_path: Path) -> None:
    rows = [("a", 10), ("b", 9), ("c", 10)]
    assert load_labelled(DataSource(write(tmp_path / "a.jsonl", rows))).label_names == ["9", "10"]


def test_parquet_with_class_names(tmp_path: Path) -> None:
    features = {"text": {"_type": "Value"}, "label": {"_type": "ClassLabel", "names": ["no", "yes"]}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table({"text": ["a", "b", "c", "d"], "label": [1, 0, 1, -1]}).replace_schema_metadata(metadata)
    parquet.write_table(table, tmp_path / "a.parquet")
    data = load_labelled(DataSource(tmp_path / "a.parquet"))
    assert data.train.labels == ["yes", "no", "yes"]
    assert data.unlabelled == ["d"]


def test_parquet_cut_short_inside(tmp_path: Path) -> None:
    from advisor.errors import DataError

    path = write(tmp_path / "a.parquet", [(f"text {index}", index % 3) for index in range(2000)])
    content = bytearray(path.read_bytes())
    content[100:400] = bytes(300)
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        load_labelled(DataSource(path))


def test_hub_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    kinds = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["no", "yes"]))

    def split(*labels: int) -> Any:
        rows = {"text": [f"text {index}" for index in range(len(labels))], "label": list(labels)}
        return datasets.Dataset.from_dict(rows, features=kinds)

    asked = []

    def load(name: str, config: str | None) -> Any:
        asked.append((name, config))
        return datasets.DatasetDict(train=split(0, 1, 0), test=split(-1, -1), validation=split(1, 1))

    monkeypatch.setattr(datasets, "load_dataset", load)
    data = load_labelled(DataSource("owner/name/small"))
    assert asked == [("owner/name", "small")]
    assert data.train == Examples(["text 0", "text 1", "text 2"], ["no", "yes", "no"], [1, 2, 3])
    assert data.test_part is not None
    assert data.test_part.path == "owner/name/small (validation)"
    assert data.test_part.examples.labels == ["yes", "yes"]
    lines = b'["text 0", "no"]\n["text 1", "yes"]\n["text 2", "no"]\n'
    assert data.train_part.sha256 == hashlib.sha256(lines).hexdigest()


def test_hub_failures_are_put_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    from advisor.errors import DataError

    def fail(name: str, config: str | None) -> Any:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DataError, match=r"^owner/name: no such file or folder, .*\(no route to host\)$"):
        load_labelled(DataSource("owner/name"))


def test_reading_imports_nothing_heavy(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [*ROWS, ("more", "pos")])
    program = (
        "import sys; from advisor.data.reading import DataSource, load_labelled;"
        f"load_labelled(DataSource({str(path)!r}));"
        "print({'torch', 'numpy', 'pandas', 'pyarrow', 'datasets'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
