"""What a look over data of each task finds, on small data where the answer is known by hand."""

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from advisor.data.duplicates import Finding
from advisor.data.inspection import Inspection, inspect_data
from advisor.data.lengths import nearest_rank, word_counts
from advisor.data.reading import DataSource, load_labelled
from advisor.report.console import console
from advisor.report.inspection import inspection_screen
from advisor.tasks import TASKS, Pair
from tests.task_samples import CONTEXT, ROWS, write_rows

PAIRS = [
    ("a dog runs", "an animal moves", "entailed"),
    ("A  dog runs", "An animal moves", "not"),
    ("an animal moves", "a dog runs", "entailed"),
    ("a dog", "runs an animal moves", "not"),
]
SENTENCES = [
    (["Ada", "met", "Bo", "Li"], ["B-PER", "O", "B-PER", "I-PER"]),
    (["in", "Rome"], ["O", "B-LOC"]),
    (["nobody", "there"], ["O", "O"]),
    (["ada", "met", "bo", "li"], ["B-PER", "O", "B-PER", "B-PER"]),
]


def inspected(
    folder: Path, rows: list[dict[str, Any]], test: list[dict[str, Any]] | None = None, **more: Any
) -> Inspection:
    write_rows(folder / "train.jsonl", rows)
    if test:
        write_rows(folder / "test.jsonl", test)
    return inspect_data(load_labelled(DataSource(folder)), **{"tokenizer_path": None, "limit": None, **more})


def shown(found: Inspection) -> str:
    screen = console()
    with screen.capture() as taken:
        screen.print(inspection_screen(found, "an encoder"), soft_wrap=True)
    return taken.get()


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_looked_over_and_shown(task: str, tmp_path: Path) -> None:
    found = inspected(tmp_path, ROWS[task], ROWS[task][:1])
    assert Inspection.model_validate_json(found.model_dump_json()) == found
    assert found.task == task
    assert found.leakage is not None
    assert found.leakage.exact == Finding(count=1, rows=[1])
    assert (found.leakage.other_label, found.leakage.pairs) == (0, [(1, 1)])
    named = [found.classes, found.labels, found.smallest_class, found.imbalance]
    assert (None in named) == (TASKS[task].predicts in ("number", "span", "text", "preference"))
    special = {"classes": found.label_sets, "number": found.numbers, "tags": found.entities, "span": found.answers}
    assert [kind for kind, part in special.items() if part] == [
        kind for kind in special if kind == TASKS[task].predicts
    ]
    screen = shown(found)
    assert TASKS[task].title in screen
    assert f"'{found.text_column}'" in screen
    assert f"'{found.label_column}'" in screen


def test_pairs_repeat_where_both_texts_do(tmp_path: Path) -> None:
    found = inspected(tmp_path, [{"text": a, "text_pair": b, "label": label} for a, b, label in PAIRS])
    assert found.pair_column == "text_pair"
    assert found.duplicates == Finding(count=1, rows=[2])
    assert found.near_duplicates == Finding(count=1, rows=[3])
    assert found.contradictions.examples[0].text == "a dog runs\nan animal moves"
    assert found.contradictions.examples[0].labels == ["entailed", "not"]
    assert found.words.max == 6
    assert "with different labels" in shown(found)


def test_label_sets(tmp_path: Path) -> None:
    sets = [["a", "b"], ["b", "a"], [], ["a"], []]
    rows = [{"text": text, "labels": names} for text, names in zip("vvxyz", sets, strict=True)]
    found = inspected(tmp_path, rows)
    assert found.label_sets is not None
    assert found.label_sets.model_dump() == {
        "mean": 1.0,
        "most": 2,
        "without": {"count": 2, "rows": [3, 5]},
        "distinct": 3,
    }
    assert [(label.label, label.count, label.share) for label in found.labels or []] == [("a", 3, 0.6), ("b", 2, 0.4)]
    assert found.duplicates.count == 1
    assert found.contradictions.texts == 0
    screen = shown(found)
    assert "labels a row: mean 1.00, most 2, 3 different sets" in screen
    assert "2 rows (40%) have none" in screen


def test_numbers(tmp_path: Path) -> None:
    found = inspected(tmp_path, [{"text": f"text {i}", "label": i / 2} for i in range(1, 21)])
    numbers = found.numbers
    assert numbers is not None
    assert (numbers.min, numbers.p05, numbers.p25, numbers.p50, numbers.p75, numbers.p95, numbers.max) == (
        0.5, 0.5, 2.5, 5, 7.5, 9.5, 10,
    )  # fmt: skip
    assert (numbers.mean, numbers.distinct) == (5.25, 20)
    assert numbers.sd == pytest.approx(2.8831406)
    assert "from 0.5 to 10, mean 5.25 ± 2.883" in shown(found)


@pytest.mark.parametrize(
    ("labels", "told"), [((10, 20, 30), True), ((0, 1), False), (("low", "10", "20"), False)], ids=str
)
def test_classes_that_could_be_amounts_are_pointed_out(labels: tuple[Any, ...], told: bool, tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": labels[i % len(labels)]} for i in range(12)]
    assert ("taken for classes; if they are amounts" in shown(inspected(tmp_path, rows))) == told


def test_labels_that_stand_once_are_named(tmp_path: Path) -> None:
    rows = [{"text": f"a text {n}", "label": label} for n, label in enumerate("aabbcd")]
    assert "2 of them labelled once ('c', 'd')" in shown(inspected(tmp_path, rows))
    assert "labelled once" not in shown(inspected(tmp_path, rows[:4]))


def test_labels_that_are_spelled_alike_are_pointed_out(tmp_path: Path) -> None:
    rows = [{"text": f"text {i}", "label": ("pos", "Pos", "not so", "not-so", "neg")[i % 5]} for i in range(15)]
    screen = shown(inspected(tmp_path, rows))
    assert "! labels 'Pos', 'pos' differ by case, spaces or dashes alone" in screen
    assert "! labels 'not so', 'not-so' differ" in screen
    assert "neg'" not in screen


def test_entities(tmp_path: Path) -> None:
    found = inspected(tmp_path, [{"tokens": words, "tags": tags} for words, tags in SENTENCES])
    entities = found.entities
    assert entities is not None
    assert [kind.model_dump() for kind in entities.types] == [
        {"label": "PER", "count": 5, "mean_words": 1.2, "longest": 2},
        {"label": "LOC", "count": 1, "mean_words": 1.0, "longest": 1},
    ]
    assert (entities.count, entities.without, entities.outside) == (6, Finding(count=1, rows=[3]), 5 / 12)
    assert (found.classes, found.imbalance) == (2, 5)
    assert found.labels is not None
    assert found.labels[0].share == pytest.approx(5 / 6)
    assert found.contradictions.examples[0].labels == ["B-PER O B-PER I-PER", "B-PER O B-PER B-PER"]
    screen = shown(found)
    assert "1.2 words" in screen
    assert "1 sentences (25%) have none" in screen


def test_answers(tmp_path: Path) -> None:
    found = inspected(
        tmp_path,
        ROWS["question-answering"],
        [{"question": "Which mill?", "context": CONTEXT, "answers": ["The mill"], "answer_starts": [0]}],
    )
    answers = found.answers
    assert answers is not None
    assert (answers.count, answers.contexts, answers.without) == (3, 1, Finding(count=1, rows=[3]))
    assert (answers.words.p50, answers.words.max) == (1, 2)
    assert answers.shared_contexts == Finding(count=1, rows=[1])
    assert found.duplicates.count == found.near_duplicates.count == 0
    screen = shown(found)
    assert "3 answers in 1 contexts" in screen
    assert "ask about a context of the training file" in screen


@pytest.mark.parametrize(
    ("task", "longest", "truncated"),
    [
        ("pair-classification", 3 + 3 + 3, 1),
        ("token-classification", 4 + 2, 0),
        ("question-answering", 4 + 14 + 3, 1),
        ("multi-label", 3 + 2, 0),
    ],
)
def test_tokens_of_both_texts_count_together(task: str, longest: int, truncated: float, tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "data").mkdir()
    tokens = inspected(tmp_path / "data", ROWS[task], tokenizer_path=tmp_path / "tokenizer.json", limit=8).tokens
    assert tokens is not None
    assert tokens.lengths.max == longest
    assert tokens.truncated == pytest.approx(truncated)


def test_words_of_inputs() -> None:
    assert word_counts(["a b", Pair("a b", "c"), ("a", "b c")]) == [2, 3, 2]
    assert nearest_rank([1.0, 2.0, 3.0], 50) == 2.0
