"""What each stage learns from each kind of feedback."""

import pytest

from advisor.backend.alignment.chats import Chats
from advisor.backend.alignment.lessons import lessons
from advisor.backend.loading import load_tokenizer
from advisor.backend.rows import Rows
from advisor.errors import InputError
from tests.backend.alignment.conftest import ASKED, OTHER, RIGHT, MakeGenerator, rows_of


@pytest.fixture(scope="session")
def chats(generator: MakeGenerator) -> Chats:
    return Chats(load_tokenizer(generator(chat=True)))


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_demonstrations_are_the_right_the_preferred_and_the_approved(chats: Chats) -> None:
    prompts = [[{"role": "user", "content": one}] for one in ASKED]
    right = [{"prompt": one, "completion": said(text)} for one, text in zip(prompts, RIGHT, strict=True)]
    assert lessons("sft", rows_of("demonstrations", 1), chats, 128, 0).records == right
    assert lessons("sft", rows_of("pairs", 1), chats, 128, 0).records == right
    assert lessons("sft", rows_of("thumbs", 1), chats, 128, 0).records == right[1::2]


def test_pairs_stay_pairs_or_become_judgements(chats: Chats) -> None:
    found = lessons("dpo", rows_of("pairs", 1), chats, 128, 0).records
    assert found[0]["chosen"] == said(RIGHT[0])
    assert found[0]["rejected"] == said(OTHER)
    judged = lessons("kto", rows_of("pairs", 1), chats, 128, 0).records
    assert len(judged) == 2 * len(ASKED)
    assert all(row["label"] == (row["completion"] != said(OTHER)) for row in judged)


def test_judgements_come_in_an_order_drawn_from_the_seed(chats: Chats) -> None:
    orders = [lessons("kto", rows_of("thumbs", 2), chats, 128, seed).records for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(("stage", "kind"), [("dpo", "demonstrations"), ("dpo", "thumbs"), ("kto", "demonstrations")])
def test_what_a_stage_cannot_learn_from_is_refused(stage: str, kind: str, chats: Chats) -> None:
    with pytest.raises(InputError, match=f"{stage} learns from .*, and the data hold none"):
        lessons(stage, rows_of(kind, 1), chats, 128, 0)  # type: ignore[arg-type]


def test_long_rows_are_counted(chats: Chats) -> None:
    shown = rows_of("demonstrations", 1)
    asked = [f"{ASKED[0]} {'really? ' * number}" for number in range(len(ASKED))]
    rows, lengths = Rows(asked, shown.targets, shown.places), [len(chats.prompt(one)) for one in asked]
    whole = lessons("sft", rows, chats, 128, 0)
    assert (whole.left_out, whole.cut) == (0, 0)
    short = lessons("sft", rows, chats, max(lengths), 0)
    assert short.left_out == 1
    assert short.left_out + len(short.records) == len(ASKED)
    assert 0 < short.cut < len(short.records)
    assert short.longest == max(lengths)
    with pytest.raises(InputError, match="every prompt fills the 4 tokens that are read; raise max_length"):
        lessons("sft", rows, chats, 4, 0)
