"""Every damaged or unsuitable file is answered by one sentence that names the file and the place."""

import csv
import os
import re
from pathlib import Path

import pytest

from advisor.data.formats import lines, objects, separated
from advisor.data.reading import DataSource, load_labelled
from advisor.errors import AdvisorError, DataError

GOOD = b"text,label\ngood one,pos\nbad one,neg\nfine one,pos\n"

BAD: dict[str, tuple[str, bytes, list[str]]] = {
    "empty": ("a.csv", b"", ["empty"]),
    "only a BOM": ("a.csv", b"\xef\xbb\xbf", ["blank lines"]),
    "blank lines only": ("a.csv", b"\n\n  \n", ["blank lines"]),
    "header only": ("a.csv", b"text,label\n", ["only a header"]),
    "no such columns": (
        "a.csv",
        b"u,v\nx,1\ny,2\nz,3\n",
        ["no column named 'text' or 'label'", "found: u, v"],
    ),
    "no label column": (
        "a.csv",
        b"text,id\nhi,1\nho,2\n",
        ["no column named 'label'", "Try --text text --label id"],
    ),
    "two labels": ("a.csv", b"text,topic,intent\na,b,c\nd,e,f\n", ["'topic' and 'intent'", "--label topic"]),
    "same name twice": ("a.csv", b"text,label,text\na,b,c\n", ["line 1", "'text' stands twice"]),
    "no header": (
        "a.csv",
        b"it is very good,pos\nit is so bad,neg\nthis one is fine,pos\nthat one was not,neg\n",
        ["the first line looks like data"],
    ),
    "UTF-16": ("a.csv", GOOD.decode().encode("utf-16"), ["UTF-16", "save it as UTF-8"]),
    "UTF-16 without BOM": ("a.csv", GOOD.decode().encode("utf-16-le"), ["UTF-16"]),
    "UTF-32": ("a.csv", GOOD.decode().encode("utf-32"), ["UTF-32"]),
    "NUL": ("a.csv", GOOD + b"a\0b,pos\nc,neg\nd\0,neg\n", ["line 5", "NUL", "and 1 more line)"]),
    "open quote": ("a.csv", b'text,label\na,b\n"c,d\ne,f\ng,h\n', ["line 3", "never closed"]),
    "stray quote": ("a.csv", b'text,label\na,b\n"c,d\n"e",f\n', ["line 3", "closes on line 4"]),
    "text after quote": ("a.csv", b'text,label\na,b\n"c" d,e\n', ["line 3", "followed by more text"]),
    "bare return": ("a.csv", b"text,label\na\rb,c\n", ["line 2", "carriage return"]),
    "too many fields": (
        "a.csv",
        GOOD + b"yes, no,pos\nx,neg\nwell, well, no,neg\n",
        ["line 5: 3 fields, the header has 2", "and 1 more row)", "commas"],
    ),
    "too few fields": ("a.csv", b"text,label\na,b\nc\nd,e\n", ["line 3: 1 field, the header has 2"]),
    "Latin-1": (
        "a.csv",
        b"text,label\nna\xefve,b\nc,d\ncaf\xe9,d\n",
        ["line 2, column 3: byte 0xEF ('ï' in Windows-1252)", "and 1 more line)"],
    ),
    "mixed encodings": (
        "a.csv",
        "text,label\né,b\n".encode() + b"\xe9,c\n",
        ["line 3, column 1", "mixes encodings"],
    ),
    "cut in a character": ("a.csv", GOOD + b"caf\xc3", ["line 5, column 4", "0xC3"]),
    "one class": ("a.csv", b"text,label\na,x\nb,x\nc,x\n", ["one class only", "3 rows", "'x'"]),
    "one row": ("a.csv", b"text,label\na,x\n", ["one class only: the only row has the label 'x'"]),
    "an object of nothing": ("a.jsonl", b"{}\n", ["no column named 'text' or 'label'; found: nothing"]),
    "ids": ("a.csv", b"text,label\na,1\nb,2\nc,3\n", ["different value in each of 3 rows", "--label"]),
    "no labels": ("a.csv", b"text,label\na,\nb,\n", ["'label' is empty in all 2 rows"]),
    "no texts": ("a.csv", b"text,label\n,a\n ,b\n", ["no row has a text"]),
    "Excel": ("a.csv", b"PK\x03\x04" + b"\x00" * 50, ["Excel"]),
    "gzip": ("a.csv", b"\x1f\x8b\x08\x00rest", ["gzip"]),
    "Parquet by another name": ("a.csv", b"PAR1....", ["*.parquet"]),
    "junk": ("a.csv", bytes(range(256)) * 4, ["not a text file"]),
    "unknown ending": ("a.xyz", GOOD, ["'.xyz' is no known ending"]),
    "no ending": ("data", GOOD, ["no ending"]),
    "bad JSON line": (
        "a.jsonl",
        b'{"text": "a", "label": "b"}\n{"text":\nno\n',
        ["line 2, column 9", "not valid JSON", "(and 1 more line)"],
    ),
    "JSON line not an object": (
        "a.jsonl",
        b'{"text": "a", "label": "b"}\n\n["c"]\n',
        ["line 3", "a list where"],
    ),
    "key twice": (
        "a.jsonl",
        b'{"text": "a", "text": "b", "label": "c"}\n',
        ["line 1", "'text' stands twice"],
    ),
    "nested text": (
        "a.jsonl",
        b'{"text": "a", "label": "b"}\n{"text": {"en": "c"}, "label": "d"}\n{"text": [], "label": "d"}\n',
        ["line 2 (and 1 more row)", "an object where text is expected"],
    ),
    "late list label": (
        "a.jsonl",
        b'{"text": "a", "label": "b"}\n{"text": "c", "label": ["d"]}\n',
        ["line 2", "multi-label", "a text and one label"],
    ),
    "deep JSON": ("a.jsonl", b'{"text": ' + b"[" * 100_000 + b"\n", ["line 1", "JSON"]),
    "many digits": ("a.jsonl", b'{"text": ' + b"1" * 10_000 + b', "label": 1}\n', ["line 1", "digits"]),
    "bad JSON list": ("a.json", b'[{"text": "a",\n "label": }]', ["line 2, column 11", "not valid JSON"]),
    "JSON list of texts": ("a.json", b'[{"text": "a", "label": "b"}, "c"]', ["row 2", "a text where"]),
    "bytes in JSON list": ("a.json", b'[\n{"text": "\xff"}]', ["line 2, column 11", "0xFF"]),
    "empty JSON list": ("a.json", b"[]", ["no rows"]),
    "JSON over several lines": ("a.json", b'{"rows": [\n]}', ["a list of objects"]),
    "JSON number": ("a.json", b"12\n", ["line 1", "a number where"]),
    "bad Parquet": ("a.parquet", b"PAR1 this is not it PAR1", ["Parquet"]),
    "empty Parquet": ("a.parquet", b"", ["empty"]),
}


def message_of(source: DataSource) -> str:
    with pytest.raises(DataError) as caught:
        load_labelled(source)
    assert caught.value.exit_code == 2
    return str(caught.value)


def assert_one_sentence(message: str, path: Path) -> None:
    assert message.startswith(f"{path}")
    assert message.isprintable()
    assert not message.endswith(".")
    told = message.removeprefix(str(path))
    assert len(told) < 300
    assert len(re.findall(r"\. [A-Z]", told)) <= ("Try --" in told)


@pytest.mark.parametrize("name", BAD)
def test_bad_file(name: str, tmp_path: Path) -> None:
    file, content, parts = BAD[name]
    path = tmp_path / file
    path.write_bytes(content)
    message = message_of(DataSource(path))
    assert_one_sentence(message, path)
    for part in parts:
        assert part in message


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.csv"
    assert message_of(DataSource(path)) == f"{path}: no such file"


def test_an_address() -> None:
    address = "https://example.org/reviews.csv"
    assert message_of(DataSource(address)) == f"{address}: an address, and data are read from files; download it first"


def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.symlink_to(path)
    assert message_of(DataSource(path)) == f"{path}: cannot be read (Too many levels of symbolic links)"


def test_missing_test_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(GOOD)
    assert message_of(DataSource(path, test=tmp_path / "b.csv")) == f"{tmp_path / 'b.csv'}: no such file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(GOOD)
    path.chmod(0)
    assert "permission denied" in message_of(DataSource(path))


def test_permission_error_is_put_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "a.csv"
    path.write_bytes(GOOD)
    monkeypatch.setattr(lines.io, "FileIO", refuse)
    assert message_of(DataSource(path)) == f"{path}: permission denied; make it readable (chmod +r)"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes by name here")
def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    os.mkfifo(path)
    assert "not a regular file" in message_of(DataSource(path))


def test_impossible_path() -> None:
    message_of(DataSource("a\0b.csv"))
    message_of(DataSource("x" * 5000))


def test_folder_without_training_file(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_bytes(GOOD)
    message = message_of(DataSource(tmp_path))
    assert message.startswith(f"{tmp_path}: a folder without train.*")
    assert "test.csv" in message


def test_folder_with_two_training_files(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(GOOD)
    (tmp_path / "train.tsv").write_bytes(GOOD)
    assert "both train.csv and train.tsv" in message_of(DataSource(tmp_path))


def test_labels_that_training_lacks(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(GOOD)
    (tmp_path / "test.csv").write_bytes(b"text,label\na,pos\nb,odd\nc,strange\nd,odd\n")
    message = message_of(DataSource(tmp_path))
    assert_one_sentence(message, tmp_path / "test.csv")
    assert "line 3: labels 'odd', 'strange' not among the labels of" in message
    assert "and 2 more rows" in message


def test_test_file_without_labels(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(GOOD)
    (tmp_path / "test.csv").write_bytes(b"text,label\na,\n")
    assert "a test set needs labels" in message_of(DataSource(tmp_path))


def test_named_column_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_bytes(b"review,sentiment\na,pos\nb,neg\nc,pos\n")
    message = message_of(DataSource(path, text_column="text", label_column="label"))
    assert message == (
        f"{path}: no column named 'text' or 'label'; found: review, sentiment. Try --text review --label sentiment"
    )


def test_one_column_for_both(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(GOOD)
    assert "cannot be both" in message_of(DataSource(path, text_column="text", label_column="text"))


def test_names_are_made_printable_and_short(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'"a\nb\x1b[31m",' + b"c" * 5000 + b"\n1,2\n3,4\n")
    assert_one_sentence(message_of(DataSource(path)), path)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_gigantic_line_is_refused_unread(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"text,label\n" if ending == "csv" else b"")
    with path.open("ab") as file:
        for _ in range(3):
            file.write(b"x" * (lines.LONGEST_LINE // 2))
    message = message_of(DataSource(path))
    assert_one_sentence(message, path)
    assert f"line {2 if ending == 'csv' else 1}: longer than 16 MB" in message


def test_open_quote_over_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separated, "LONGEST_LINE", 2000)
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,label\na,b\n"c,d\n' + b"some words,e\n" * 1000)
    before = csv.field_size_limit(1000)
    try:
        message = message_of(DataSource(path))
    finally:
        csv.field_size_limit(before)
    assert "line 3: a field of more than" in message
    assert "probably never closed" in message


def test_large_json_document_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_LARGEST_DOCUMENT", 10)
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"text": "a", "label": "b"}]')
    assert "JSON Lines" in message_of(DataSource(path))


def test_message_is_an_advisor_error_for_a_hub_id_without_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(AdvisorError, match=r"owner/name: .*pip install adaptation-advisor\[hub\]") as caught:
        load_labelled(DataSource("owner/name"))
    assert caught.value.exit_code == 2
