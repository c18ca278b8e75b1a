import json

import pytest

from advisor.backend.prompted.endpoint.forms import reminder, schema_of, valid
from advisor.backend.prompted.language_model import Entities, Extract, Free

CONTEXT = 'The bridge, 44 metres\nlong, was built by "Ada Lim" in 1901.'
SENTENCE = Entities(("Ada", "Lim", "left", "Acme", "Corp", "for", "Oslo", "."), ("PER", "ORG", "LOC"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"answer": "Ada Lim"}', "Ada Lim"), ("Ada Lim", "Ada Lim"), ('"1901"', "1901"),
        (' {"answer": " 1901 "}', "1901"),
        ("44 METRES long", "44 metres\nlong"), ('```json\n{"answer": "1901"}\n```', "1901"), ("in 1901.", "in 1901."),
    ],
)  # fmt: skip
def test_extracts_stand_in_the_context_word_for_word(text: str, answer: str) -> None:
    assert valid(text, Extract(CONTEXT)) == (answer, True)
    assert answer in CONTEXT


@pytest.mark.parametrize(
    "text", ["", "1902", '{"answer": "Bob"}', '{"answer": 3}', '{"answer": "', "{}", '{"answer": ""}', "[]"]
)
def test_what_stands_nowhere_in_the_context_is_no_extract(text: str) -> None:
    assert valid(text, Extract(CONTEXT)) == ("", False)


@pytest.mark.parametrize("text", ["no answer", '{"answer": "No answer."}', '{"answer": ""}', "'no answer'"])
def test_an_extract_may_say_that_there_is_none(text: str) -> None:
    assert valid(text, Extract(CONTEXT, "no answer")) == ("no answer", True)
    assert not valid(text, Extract(CONTEXT))[1]
    assert '{"answer": "no answer"}' in reminder(Extract(CONTEXT, "no answer"))
    assert "no answer" not in reminder(Extract(CONTEXT))


@pytest.mark.parametrize("text", ["", "1902", '{"answer": 3}', "there is no answer to that"])
def test_what_neither_stands_there_nor_says_so_is_no_extract(text: str) -> None:
    assert valid(text, Extract(CONTEXT, "no answer")) == ("", False)


def test_entities_are_kinds_and_words_of_the_sentence() -> None:
    told = [{"kind": "PER", "text": "Ada Lim"}, {"kind": "LOC", "text": "Oslo"}]
    for text in (json.dumps(told), json.dumps({"entities": told}), f"Here:\n```json\n{json.dumps(told)}\n```"):
        found, all_of_it = valid(text, SENTENCE)
        assert all_of_it
        assert json.loads(found) == told


def test_what_is_no_entity_of_the_sentence_is_left_out() -> None:
    wrong = [
        {"kind": "PER", "text": "Bob"}, {"kind": "XXX", "text": "Oslo"}, {"kind": "LOC", "text": "Lim left Oslo"},
        "Oslo", {"kind": "LOC"}, {"kind": "LOC", "text": ""}, {"kind": ["LOC"], "text": "Oslo"},
    ]  # fmt: skip
    found, all_of_it = valid(json.dumps([*wrong, {"kind": "ORG", "text": "Acme  Corp"}]), SENTENCE)
    assert not all_of_it
    assert json.loads(found) == [{"kind": "ORG", "text": "Acme Corp"}]


@pytest.mark.parametrize("text", ["", "none", "[", '{"entities": 3}', '[{"kind": "PER", "text": "Ada', "[" * 10_000])
def test_no_list_is_no_answer(text: str) -> None:
    assert valid(text, SENTENCE) == ("[]", False)


def test_no_entities_is_an_answer() -> None:
    assert valid("[]", SENTENCE) == ("[]", True)


def test_schemas_are_closed_objects_as_strict_servers_demand() -> None:
    def closed(schema: object) -> bool:
        if isinstance(schema, dict) and schema.get("type") == "object":
            properties = schema["properties"]
            own = schema["additionalProperties"] is False and schema["required"] == list(properties)
            return own and all(map(closed, properties.values()))
        return not isinstance(schema, dict) or "items" not in schema or closed(schema["items"])

    assert schema_of(Free(3)) is None
    for form in (Extract(CONTEXT), SENTENCE):
        schema = schema_of(form)
        assert schema is not None
        assert schema["type"] == "object"
        assert closed(schema)
