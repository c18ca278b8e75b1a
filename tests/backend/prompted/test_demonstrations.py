from pathlib import Path

import numpy as np
import pytest

from advisor.backend.devices import Device
from advisor.backend.encoder import Encoder
from advisor.backend.features import FeatureCache
from advisor.backend.prompted.asking import Brief, asking_for
from advisor.backend.prompted.demonstrations import Demonstrations, Similar, Way, balanced
from advisor.backend.prompted.interview import Interview
from advisor.backend.prompted.packing import Packer
from advisor.backend.prompted.prompt import Turn
from advisor.backend.prompted.templates import prompt_template
from advisor.backend.rows import encode_rows
from advisor.errors import InputError
from advisor.tasks import Pair
from tests.backend.prompted.fake import FakeModel
from tests.conftest import TEXTS

LABELS = list(TEXTS)
INPUTS = [text for texts in TEXTS.values() for text in texts]
ROWS = encode_rows(
    "text-classification", INPUTS, [label for label, texts in TEXTS.items() for _ in texts], range(1, 31), LABELS
)
ASKING = asking_for(
    Brief(task="text-classification", labels=tuple(LABELS), written_tokens=10), prompt_template("text-classification")
)
FORWARD, REVERSED = Way("fixed"), Way("fixed", "reversed")


def shown(count: int = 6, similar: Similar | None = None) -> Demonstrations:
    return Demonstrations(ROWS, (balanced(ROWS.targets, len(ROWS), count + 1, 0),), count, similar)


def interview(model: FakeModel | None = None, count: int = 6, similar: Similar | None = None) -> Interview:
    return Interview(model or FakeModel(), ASKING, shown(count, similar))


@pytest.fixture(scope="module")
def similar(tiny_encoder: Path, cpu: Device) -> Similar:
    return Similar.among(Encoder.load(tiny_encoder, cpu), FeatureCache(None), INPUTS)


@pytest.mark.parametrize("most", [1, 3, 7, 12, 40])
def test_strata_are_dealt_in_turns(most: int) -> None:
    strata = np.array([0] * 20 + [1] * 5 + [2] * 2)
    chosen = balanced(strata, len(strata), most, 4)
    assert len(set(chosen.tolist())) == len(chosen) == min(most, 27)
    counts = np.bincount(strata[chosen], minlength=3)
    assert counts.max() - counts[:2].min() <= 1 or most > 10
    assert np.array_equal(chosen, balanced(strata, len(strata), most, 4))
    assert not np.array_equal(balanced(strata, 27, 27, 4), balanced(strata, 27, 27, 5))


def test_any_rows_do_without_strata() -> None:
    assert sorted(balanced(None, 5, 9, 0).tolist()) == [0, 1, 2, 3, 4]
    assert balanced(None, 0, 9, 0).tolist() == []


def test_fixed_demonstrations_are_the_same_for_every_row_in_both_orders() -> None:
    ask = interview()
    ((first, second),), _ = ask.prompts(["one", "two"], FORWARD)
    ((turned, _),), _ = ask.prompts(["one", "two"], REVERSED)
    assert first.turns == second.turns == turned.turns[::-1]
    assert len({turn.answer for turn in first.turns}) == 3


def test_a_row_is_never_its_own_demonstration() -> None:
    ask = interview()
    every = [INPUTS[number] for number in ask.demonstrations.fixed[0]]
    (prompts,), _ = ask.prompts(every, FORWARD, every)
    for row, prompt in zip(every, prompts, strict=True):
        assert len(prompt.turns) == 6
        assert f"Text: {row}" not in {turn.question for turn in prompt.turns}


def test_no_demonstrations_on_demand() -> None:
    (prompts,), _ = interview().prompts(["one"], Way(None))
    assert prompts[0].turns == ()


def test_similar_rows_come_last_and_leave_the_row_itself_out(similar: Similar) -> None:
    ask = interview(similar=similar)
    (prompts,), _ = ask.prompts(INPUTS[:3], Way("retrieved"))
    assert [prompt.turns[-1].question for prompt in prompts] == [f"Text: {text}" for text in INPUTS[:3]]
    (turned,), _ = ask.prompts(INPUTS[:3], Way("retrieved", "reversed"))
    assert [prompt.turns[::-1] for prompt in turned] == [prompt.turns for prompt in prompts]
    (left_out,), _ = ask.prompts(INPUTS[:3], Way("retrieved"), INPUTS[:3])
    for prompt, text in zip(left_out, INPUTS, strict=False):
        assert len(prompt.turns) == 6
        assert f"Text: {text}" not in {turn.question for turn in prompt.turns}


def test_repeated_rows_are_left_out_together(tiny_encoder: Path, cpu: Device) -> None:
    inputs = ["the parcel came early"] * 4 + INPUTS[:6]
    rows = encode_rows("text-classification", inputs, ["praise"] * 10, range(10), LABELS)
    found = Similar.among(Encoder.load(tiny_encoder, cpu), FeatureCache(None), inputs)
    ask = Demonstrations(rows, (np.arange(4),), 3, found)
    ((numbers,),) = ask.preferred(inputs[:1], Way("retrieved"), inputs[:1])
    assert len(numbers) == 3 and min(numbers) >= 4


def test_neighbours_do_not_depend_on_what_is_asked_beside(similar: Similar) -> None:
    asked = ["support never answers the phone", "is there a version", "pretty and quiet"]
    together = similar.ranked(asked, 10)
    assert all(np.array_equal(similar.ranked([one], 10)[0], row) for one, row in zip(asked, together, strict=True))
    cosine = similar.encoder.embed(asked) @ similar.vectors.T
    assert np.array_equal(together[:, 0], cosine.argmax(axis=1))


def test_what_does_not_fit_is_left_out_and_counted() -> None:
    ask = interview()
    ((whole,),), _ = ask.prompts(["short"], FORWARD)
    size = FakeModel().tokens(whole)
    tight = interview(FakeModel(context=size - 1 + 1))
    ((fitted, same),), _ = tight.prompts(["short", "short"], FORWARD)
    assert fitted.turns == whole.turns[: len(fitted.turns)] and 0 < len(fitted.turns) < 6
    assert FakeModel().tokens(fitted) + 1 <= size
    assert same == fitted
    cuts = tight.cuts
    assert (cuts.prompts, cuts.shortened, cuts.demonstrations, cuts.rows) == (2, 2, 2 * (6 - len(fitted.turns)), 0)


def test_a_demonstration_that_is_too_long_leaves_room_for_others() -> None:
    rows = encode_rows("text-classification", ["long " * 80, *INPUTS[:4]], ["praise"] * 5, range(5), LABELS)
    ask = Interview(FakeModel(context=100), ASKING, Demonstrations(rows, (np.arange(5),), 5))
    ((prompt,),), _ = ask.prompts(["short"], FORWARD)
    assert [turn.question for turn in prompt.turns] == [f"Text: {text}" for text in INPUTS[: len(prompt.turns)]]
    assert len(prompt.turns) > 1 and FakeModel().tokens(prompt) <= 99


def test_the_most_similar_stay(similar: Similar) -> None:
    whole = interview(similar=similar).prompts(INPUTS[:1], Way("retrieved"))[0][0][0]
    model = FakeModel(context=FakeModel().tokens(whole) - 10)
    for way in (Way("retrieved"), Way("retrieved", "reversed")):
        prompt = interview(model, similar=similar).prompts(INPUTS[:1], way)[0][0][0]
        assert set(prompt.turns) < set(whole.turns) and whole.turns[-1] in prompt.turns


def test_a_text_is_cut_where_it_alone_is_too_long() -> None:
    bare = FakeModel().tokens(interview().prompts([""], Way(None))[0][0][0])
    ask = interview(FakeModel(context=bare + 6))
    ((prompt,),), ((read,),) = ask.prompts(["word " * 100], FORWARD)
    assert prompt.turns == () and prompt.question.split() == ["Text:", *["word"] * 5]
    assert str(read).split() == ["word"] * 5
    assert (ask.cuts.rows, ask.cuts.demonstrations) == (1, 6)
    with pytest.raises(InputError, match=r"fake: its context has room for 9 tokens .* shorten the descriptions"):
        interview(FakeModel(context=10)).prompts(["one"], FORWARD)


def test_the_smaller_of_two_contexts_counts() -> None:
    size = FakeModel().tokens(interview().prompts(["short"], FORWARD)[0][0][0])
    ask = Interview(FakeModel(context=size * 2), ASKING, shown(), context=size)
    assert len(ask.prompts(["short"], FORWARD)[0][0][0].turns) < 6


@pytest.mark.parametrize("row", [Pair("a b c d", "e f g h i j k l"), ("a", "b", "c", "d", "e")])
def test_pairs_and_words_are_cut(row: Pair | tuple[str, ...]) -> None:
    task = "pair-classification" if isinstance(row, Pair) else "token-classification"
    labels = ("x", "y") if isinstance(row, Pair) else ("O", "B-x")
    asking = asking_for(Brief(task=task, labels=labels, written_tokens=1), prompt_template(task))
    model = FakeModel()
    packer = Packer(model, asking, None)
    whole, same = packer.pack(row, 0, [Turn("q", "a")], backwards=True)
    assert same == row
    room = model.tokens(whole) - len(["q", "a", "Label:"]) - 2
    prompt, cut = Packer(model, asking, room).pack(row, 0, [], backwards=True)
    assert model.tokens(prompt) <= room and type(cut) is type(row) and cut != row
