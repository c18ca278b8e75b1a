from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from advisor.assets import asset
from advisor.documents import parse_document, read_document, scalar
from advisor.errors import AdvisorError, DocumentError, InputError


class Point(BaseModel):
    model_config = ConfigDict(extra="forbid")
    width: int
    names: list[str] = []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("12:30", "12:30"),
        ("true", True),
        ("1e3", 1000.0),
        ("0x10", "0x10"),
        ("-7", -7),
        ("~", None),
        ("1_000", 1000),
    ],
)
def test_plain_scalars_are_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value


def test_quoted_text_stays_text() -> None:
    assert parse_document("a: '7'\nb: \"null\"\nc: |\n  7\n", "x").data == {"a": "7", "b": "null", "c": "7\n"}


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", "x:3:1", "duplicate key 'a'"),
        ("a: &one 1\nb: *one\n", "x:1:4", "aliases"),
        ("a: 1\nb: &one 2\n", "x:2:4", "anchors"),
        ("a: 1\nb: *one\n", "x:2:4", "aliases"),
        ("a: 1\n---\nb: 2\n", "x:2:1", "a second document"),
        ("a: !!python/object:os.system x\n", "x:1:4", "tag"),
        ("a: [1, 2\n", "x:2:1", "not valid YAML"),
        ("a: b: c\n", "x:1:5", "not valid YAML"),
        ("a:\n\tb: 1\n", "x:2:1", "a tab where only spaces may indent"),
        ("a: 1\nb: c\0d\n", "x:2:1", "not valid YAML: unacceptable character #x0000"),
        ("? [1, 2]\n: 3\n", "x:1:3", "a key must be"),
    ],
)
def test_what_is_refused_is_pointed_at(text: str, place: str, part: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "x")
    assert str(caught.value).startswith(place)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "data"),
    [("", None), ("# nothing\n", None), ("---\na: 1\n...\n", {"a": 1}), ("- [x, {y: }]\n", [["x", {"y": None}]])],
)
def test_documents_hold_one_value_or_none(text: str, data: object) -> None:
    assert parse_document(text, "x").data == data


def test_every_key_and_value_has_a_place() -> None:
    document = parse_document("a:\n  - 1\n  - b: two\nc: {d: 3}\n", "x")
    assert document.places == {
        (): (1, 1), ("a",): (2, 3), ("a", 0): (2, 5), ("a", 1): (3, 5), ("a", 1, "b"): (3, 8), ("c",): (4, 4),
        ("c", "d"): (4, 8),
    }  # fmt: skip
    assert document.keys == {("a",): (1, 1), ("a", 1, "b"): (3, 5), ("c",): (4, 1), ("c", "d"): (4, 5)}


def test_shipped_rules_read_alike_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = read_document(asset("rules", "requires.yaml"))
    monkeypatch.delattr(yaml, "CBaseLoader")
    assert read_document(asset("rules", "requires.yaml")) == fast


def test_an_unknown_key_is_pointed_at_with_a_suggestion() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document("width: 3\n\nname:\n  - a\n", "p.yaml").validate(Point)
    assert str(caught.value) == "p.yaml:3:1: unknown key 'name'; did you mean 'names'?\n    name:\n    ^"


def test_a_wrong_value_is_pointed_at() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document("width: wide\n", "p.yaml").validate(Point)
    assert "p.yaml:1:8: width: 'wide' is not a whole number" in str(caught.value)


def test_of_a_long_line_only_the_place_is_shown() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(f"{{names: [{'a, ' * 500}], width: {'9' * 390}z}}\n", "p.yaml").validate(Point)
    message, source, caret = str(caught.value).splitlines()
    assert len(message) < 120
    assert source[caret.index("^")] == "9"
    assert len(source) <= 104


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(DocumentError, match=r"latin.yaml:2:1: not UTF-8"):
        read_document(path)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_document(tmp_path / "none.yaml")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(DocumentError):
        parse_document("[" * 3000, "x")


@given(st.text(max_size=200))
def test_any_text_parses_or_is_refused_politely(text: str) -> None:
    try:
        document = parse_document(text, "x")
        document.validate(Point)
    except AdvisorError as error:
        assert "Traceback" not in str(error)
