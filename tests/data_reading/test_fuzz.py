"""Whatever bytes a file holds, reading it succeeds or says why not in one line."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.data.reading import DataSource, load_labelled
from advisor.errors import AdvisorError

CSV = 'text,label\n"good, ""really""",pos\nbad é,neg\n"two\nlines",pos\nfine,neg\n'.encode()
JSONL = b"".join(
    json.dumps({"text": text, "label": label}).encode() + b"\n"
    for text, label in (("good", 1), ("bad \U0001f600", 0), ('quoted "x"', 1), ("fine", 0))
)
JSON = b"[" + JSONL.strip().replace(b"\n", b",\n") + b"]"
FOLDER = "fuzz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(FOLDER)


def read_or_explain(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        data = load_labelled(DataSource(path))
    except AdvisorError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert message.isprintable()
    else:
        assert len(set(data.train.labels)) > 1
        assert all(text.strip() for text in data.train.texts)
        "".join(data.train.texts + data.train.labels).encode()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv", "jsonl", "json"]))
@example(b"\xef\xbb\xbf\xef\xbb\xbf", "csv")
@example(b"\r", "csv")
@example(b'"', "tsv")
@example(b"{}", "jsonl")
@example(b'{"\\ud800": 1}\n', "jsonl")
def test_random_bytes(folder: Path, content: bytes, ending: str) -> None:
    read_or_explain(folder / f"a.{ending}", content)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([("csv", CSV), ("tsv", CSV.replace(b",", b"\t")), ("jsonl", JSONL), ("json", JSON)]),
    st.integers(0, 200),
    st.integers(0, 6),
    st.one_of(
        st.binary(max_size=4),
        st.sampled_from([b'"', b"\n", b"\r", b",", b"\\", b"\\ud800", b"[", b"{", b"null", b"1e999", b"\0", b"\t"]),
    ),
)
def test_random_damage(folder: Path, good: tuple[str, bytes], start: int, length: int, put: bytes) -> None:
    ending, content = good
    read_or_explain(folder / f"b.{ending}", content[:start] + put + content[start + length :])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([("csv", CSV), ("jsonl", JSONL), ("json", JSON)]), st.integers(0, 200))
def test_cut_short(folder: Path, good: tuple[str, bytes], length: int) -> None:
    ending, content = good
    read_or_explain(folder / f"c.{ending}", content[:length])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({"text": values, "label": values}), max_size=6), st.booleans())
def test_any_json_values(folder: Path, rows: list[object], as_list: bool) -> None:
    text = json.dumps(rows) if as_list else "".join(json.dumps(row) + "\n" for row in rows)
    read_or_explain(folder / ("d.json" if as_list else "d.jsonl"), text.encode())
