"""Prompts with demonstrations, preferences and judgements, in the layouts that people keep them in."""

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.data.feedback import Feedback
from advisor.data.inspection import inspect_data
from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.errors import DataError
from advisor.report.console import console
from advisor.report.inspection import inspection_screen
from advisor.tasks import Chat, Demonstration, Judged, Message, Preferred
from tests.task_samples import write_rows

USER, ANSWER = {"role": "user", "content": "Name a fruit"}, {"role": "assistant", "content": "A pear."}
OTHER = {"role": "assistant", "content": "A car."}
SYSTEM = {"role": "system", "content": "Be brief."}
ASKED = Chat((Message("user", "Name a fruit"),))
TOLD = Chat((Message("system", "Be brief."), Message("user", "Name a fruit")))
LONGER = Chat((*TOLD.messages, Message("assistant", "A car."), Message("user", "Name a fruit")))


def read(path: Path, rows: list[dict[str, Any]], task: str | None = None, **columns: str) -> LabelledData:
    return load_labelled(DataSource(write_rows(path, rows), **columns), task)


LAYOUTS: dict[str, tuple[dict[str, Any], str, Any, Any]] = {
    "prompt and response": (
        {"prompt": "Name a fruit", "response": "A pear."}, "generation", "Name a fruit", Demonstration(("A pear.",)),
    ),
    "instruction alone": (
        {"instruction": "Name a fruit", "input": "", "output": "A pear."},
        "generation", "Name a fruit", Demonstration(("A pear.",)),
    ),
    "instruction with input": (
        {"instruction": "Name its colour", "input": "A pear", "output": "Green."},
        "generation", "Name its colour\n\nA pear", Demonstration(("Green.",)),
    ),
    "several right answers": (
        {"prompt": "Name a fruit", "completion": "A pear.", "references": ["A pear.", "A fig."]},
        "generation", "Name a fruit", Demonstration(("A pear.", "A fig.")),
    ),
    "messages": ({"messages": [SYSTEM, USER, ANSWER]}, "generation", TOLD, Demonstration(("A pear.",))),
    "several turns": (
        {"messages": [SYSTEM, USER, OTHER, USER, ANSWER]}, "generation", LONGER, Demonstration(("A pear.",)),
    ),
    "a turn without an answer": (
        {"messages": [USER, ANSWER, {"role": "user", "content": "Thanks"}]},
        "generation", ASKED, Demonstration(("A pear.",)),
    ),
    "other names of roles": (
        {"conversations": [{"from": "human", "value": "Name a fruit"}, {"from": "gpt", "value": "A pear."}]},
        "generation", ASKED, Demonstration(("A pear.",)),
    ),
    "prompt as messages": (
        {"prompt": [SYSTEM, USER], "completion": [ANSWER]}, "generation", TOLD, Demonstration(("A pear.",)),
    ),
    "pairs of messages": (
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [OTHER]},
        "preference", ASKED, Preferred("A pear.", "A car."),
    ),
    "pairs of whole chats": (
        {"chosen": [USER, ANSWER], "rejected": [USER, OTHER]}, "preference", ASKED, Preferred("A pear.", "A car."),
    ),
    "prompt beside whole chats": (
        {"prompt": "Name a fruit", "chosen": [USER, ANSWER], "rejected": [USER, OTHER]},
        "preference", "Name a fruit", Preferred("A pear.", "A car."),
    ),
    "thumbs": (
        {"prompt": "Name a fruit", "completion": "A car.", "label": False},
        "preference", "Name a fruit", Judged("A car.", False),
    ),
    "thumbs in words": (
        {"prompt": "Name a fruit", "response": "A pear.", "feedback": "good"},
        "preference", "Name a fruit", Judged("A pear.", True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_from_every_format(layout: str, ending: str, tmp_path: Path) -> None:
    row, task, prompt, feedback = LAYOUTS[layout]
    found = read(tmp_path / f"a.{ending}", [row, row])
    assert (found.task, found.train.inputs[0], found.train.labels[0]) == (task, prompt, feedback)
    again = DataSource(
        tmp_path / f"a.{ending}",
        text_column=found.text_column, pair_column=found.pair_column, label_column=found.label_column,
    )  # fmt: skip
    assert load_labelled(again, task) == found


def test_judgements_of_what_was_written_are_what_generation_learns_from(tmp_path: Path) -> None:
    found = read(tmp_path / "a.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}] * 2, "generation")
    assert found.task == "preference"


@pytest.mark.parametrize(
    ("rows", "task", "told"),
    [
        ([{"prompt": "a", "completion": "b"}] * 2, "preference", "looks like generation"),
        ([{"prompt": "a", "chosen": "b", "rejected": ""}], None, "column 'rejected' is empty; both are needed"),
        ([{"prompt": "a", "chosen": "b", "rejected": "b"}], None, "the chosen and the rejected answer are the same"),
        ([{"prompt": "a", "completion": "b", "label": "maybe"}], "preference", "'maybe' where yes or no is expected"),
        ([{"messages": [{"role": "judge", "content": "b"}]}], None, "a message needs content and the role"),
        ([{"messages": ["a"]}], None, "'a' where a message with role and content is expected"),
        ([{"messages": "a text"}], None, "'a text' where messages are expected"),
        ([{"prompt": [USER, ANSWER], "completion": "b"}], None, "the prompt ends with an answer"),
        ([{"prompt": "a", "completion": "b"}, {"prompt": "a", "text": 1}], "preference", "looks like generation"),
        ([{"a": "b", "c": "d"}], "generation", "no column of answers; found: a, c. Name it by --label COLUMN"),
        ([{"a": "b", "chosen": "d", "rejected": "e"}], "preference", "where messages are expected"),
        ([{"a": "b", "output": "d"}], "generation", "no column of prompts; found: a, output. Name it by --text COLUMN"),
        ([{"prompt": "b", "c": "d"}], "preference", "neither chosen and rejected answers nor answers with a judgement"),
    ],
)
def test_what_does_not_fit_is_told(rows: list[dict[str, Any]], task: str | None, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.jsonl", rows, task)
    assert told in str(caught.value)


def test_a_test_file_needs_the_same_kind(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}] * 2)
    write_rows(tmp_path / "test.jsonl", [{"prompt": "a", "completion": "b", "label": 1}])
    with pytest.raises(DataError, match="another kind of feedback"):
        load_labelled(DataSource(tmp_path))


def test_a_column_of_zeros_and_ones_with_a_class_beside_texts_stays_a_class(tmp_path: Path) -> None:
    rows = [{"text": f"a text {number}", "label": number % 2} for number in range(6)]
    assert read(tmp_path / "a.jsonl", rows).task == "text-classification"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("a b", "c"), ("d", "e f"), ("g", "h")], {"kind": "pairs", "longer_preferred": 0.5}),
        ([(True, "a"), (True, "b"), (False, "c d")], {"kind": "thumbs", "approved": pytest.approx(2 / 3)}),
        ([("a", ["b"]), ("c", ["c"])], {"kind": "demonstrations", "several": 1}),
    ],
)
def test_feedback_is_looked_over(rows: list[tuple[Any, Any]], found: dict[str, Any], tmp_path: Path) -> None:
    made = {
        "pairs": lambda a, b: {"prompt": "p", "chosen": a, "rejected": b},
        "thumbs": lambda a, b: {"prompt": "p", "completion": b, "label": a},
        "demonstrations": lambda a, b: {"prompt": "p", "completion": a, "references": b},
    }[found["kind"]]
    inspection = inspect_data(read(tmp_path / "a.jsonl", [made(*row) for row in rows]), tokenizer_path=None, limit=None)
    assert isinstance(inspection.feedback, Feedback)
    assert inspection.feedback.model_dump(exclude={"words"}, exclude_none=True) == {"several": 0} | found
    screen = console()
    with screen.capture() as taken:
        screen.print(inspection_screen(inspection, "a model"), soft_wrap=True)
    assert "answers  median" in taken.get()
    assert json.loads(inspection.model_dump_json())["feedback"]["kind"] == found["kind"]
