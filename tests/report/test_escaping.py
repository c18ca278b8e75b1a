import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.report.escaping import clean, code_block, code_span, escape_markdown, one_line

TEXT = st.text(alphabet="\\`*_[]()<>#+-.!|~$&=:;/@{} \n\t\r\u2028\x00\u202ew1aéß漢", max_size=40)


def read_back(markdown: str) -> str:
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown))


@given(TEXT)
def test_escaped_text_reads_as_itself(text: str) -> None:
    escaped = escape_markdown(text)
    assert read_back(escaped) == re.sub(r"\s+", " ", clean(text))


@given(TEXT)
def test_nothing_active_is_left(text: str) -> None:
    escaped = escape_markdown(text)
    bare = re.sub(r"\\[\\`*\[\]|~$_#+=.)-]", "", escaped)
    assert not re.search(r"[`*\[\]|~$<>@\n\\]", bare)
    assert not re.search(r"://|www\.", bare, re.IGNORECASE)
    assert not re.match(r" ?([#+=-]|\d+[.)]( |$))", escaped)


@pytest.mark.parametrize("text", ["domain_shift", "0.58", "3 of 4", "a-b", "20-30 %"])
def test_plain_text_stays_readable(text: str) -> None:
    assert escape_markdown(text) == text


@given(TEXT)
def test_code_spans_cannot_be_closed_from_within(text: str) -> None:
    span = code_span(text)
    fence = re.match("`+", span)
    assert fence
    inside = span[len(fence[0]) : -len(fence[0])]
    assert span.endswith(fence[0])
    assert fence[0] not in re.findall("`+", inside)
    assert "\n" not in span
    assert not re.search(r"(?<!\\)\|", span)


@given(TEXT)
def test_code_blocks_cannot_be_closed_from_within(text: str) -> None:
    lines = code_block(text).split("\n")
    assert lines[0] == lines[-1]
    assert not any(line.strip().startswith(lines[0]) for line in lines[1:-1])


def test_control_characters_and_direction_marks_go() -> None:
    assert clean("a\x00b\u202ec\ud800d\ne") == "abcd\ne"
    assert one_line("  a\n\n b\t") == "a b"
