import json
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.data.reading import DataSource
from advisor.data.sheet import Waiting
from advisor.decision.advice import recommend
from advisor.errors import RunError
from advisor.pilot.budget import Budget
from advisor.pilot.first_labels import label_first
from advisor.pilot.fitting import Bench
from advisor.pilot.pilot import Pilot, Seen, Wish
from advisor.project import open_project
from tests.conftest import TEXTS
from tests.task_samples import ROWS, write_rows
from tests.tiny import write_tiny_encoder

WISH = Wish(Budget(seconds=1.5), seed=3)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture
def pilot(messages: Path, tiny_encoder: Path) -> Callable[..., Pilot]:
    def make(**settings: object) -> Pilot:
        answers = {"model.base": str(tiny_encoder), **settings}
        project = open_project(data=DataSource(messages), settings=answers)
        return Pilot(recommend(project.profile), project.data)

    return make


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trials that were really carried out, by key."""
    made: list[str] = []
    measured = Bench.measured

    def counted(self, contender, trial):  # type: ignore[no-untyped-def]
        made.append(trial.key)
        return measured(self, contender, trial)

    monkeypatch.setattr(Bench, "measured", counted)
    return made


def test_contenders_are_raced_within_the_budget(pilot: Callable[..., Pilot]) -> None:
    seen: list[Seen] = []
    one = pilot()
    found = one.run(WISH, seen.append)
    assert found.strategy in {standing.strategy for standing in found.contenders}
    assert 0 < found.spent_seconds <= 1.5
    assert found.everything_seconds > found.spent_seconds
    assert sum(standing.best for standing in found.contenders) == pytest.approx(1, abs=0.01)
    assert [standing.loss for standing in found.contenders] == sorted(s.loss for s in found.contenders)
    assert all(0 <= s.expected.low <= s.expected.point <= s.expected.high <= 1 for s in found.contenders)
    assert any(standing.observed for standing in found.contenders)
    assert [one.spent for one in seen] == sorted(one.spent for one in seen)
    assert one.last() == found


@pytest.mark.slow
def test_it_goes_on_where_it_was_interrupted_and_finds_the_same(
    pilot: Callable[..., Pilot], fits: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = pilot().run(WISH)
    once = list(fits)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))

    def stop(seen: Seen) -> None:
        if len(fits) == len(once) + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pilot().run(WISH, stop)
    again = pilot().run(WISH)
    assert len(once) > 1
    assert fits[len(once) :] == once
    assert again.model_dump(exclude={"processor_seconds"}) == whole.model_dump(exclude={"processor_seconds"})


@pytest.mark.slow
def test_a_larger_budget_goes_on_and_fits_nothing_twice(pilot: Callable[..., Pilot], fits: list[str]) -> None:
    pilot().run(WISH)
    pilot().run(WISH._replace(budget=Budget(seconds=3)))
    assert len(fits) == len(set(fits))


@pytest.mark.parametrize(("counts", "equal"), [((8, 8), True), ((8, 9), True), ((6, 10), False)])
def test_it_notes_that_classes_come_in_equal_shares(
    counts: tuple[int, int], equal: bool, tmp_path: Path, tiny_encoder: Path
) -> None:
    some = zip(TEXTS.items(), counts, strict=False)
    rows = [{"text": text, "label": label} for (label, texts), count in some for text in texts[:count]]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    project = open_project(data=DataSource(tmp_path / "rows.jsonl"), settings={"model.base": str(tiny_encoder)})
    assert Pilot(recommend(project.profile), project.data).run(WISH).equal_shares == equal


def test_without_rows_it_says_what_to_label_first(pilot: Callable[..., Pilot]) -> None:
    project = open_project(settings={"task.type": "text-classification", "data.labelled": 0, "data.classes": 4})
    found = Pilot(recommend(project.profile), None).run(WISH)
    assert (found.strategy, found.stopped, found.first_labels) == (None, "no labels", 32)
    assert not found.decides


def test_where_nothing_runs_on_an_encoder_it_does_not_ask_for_labels(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", ROWS["generation"])
    project = open_project(data=DataSource(path))
    found = Pilot(recommend(project.profile), project.data).run(WISH)
    assert (found.stopped, found.labelled, found.first_labels) == ("no contenders", 3, None)
    assert "runs on no encoder" in found.because


@pytest.fixture
def waiting(tmp_path: Path, tiny_encoder: Path) -> Callable[..., list[Waiting]]:
    """Return a function that says which rows to label first; of every class so many have a label."""

    def choose(labelled: int, seed: int = 3, test: str = "") -> list[Waiting]:
        rows = [
            {"text": text, "label": label if place < labelled else ""}
            for label, texts in TEXTS.items()
            for place, text in enumerate(texts)
        ]
        write_rows(tmp_path / "train.csv", [*rows, rows[-1]])
        if test:
            write_rows(tmp_path / "test.csv", [{"text": test, "label": "praise"}])
        settings = {"model.base": str(tiny_encoder), "data.classes": 3}
        project = open_project(data=DataSource(tmp_path), settings=settings)
        assert project.data is not None
        return label_first(Pilot(recommend(project.profile), project.data), project.data, seed)

    return choose


@pytest.mark.parametrize("labelled", [0, 2])
def test_rows_to_label_first_are_rows_without_a_label(labelled: int, waiting: Callable[..., list[Waiting]]) -> None:
    chosen = waiting(labelled)
    texts = [text for some in TEXTS.values() for text in some]
    assert len({one.row for one in chosen}) == len(chosen) == 24
    assert all(texts[one.row - 2] == one.input for one in chosen)
    assert all((one.row - 2) % 10 >= labelled for one in chosen)
    assert chosen == waiting(labelled)


def test_what_is_tested_on_is_not_to_be_learnt_from(waiting: Callable[..., list[Waiting]]) -> None:
    first = waiting(0)[0]
    assert first.input not in {one.input for one in waiting(0, test=str(first.input))}


def test_a_row_waits_once_and_fewer_are_all(waiting: Callable[..., list[Waiting]]) -> None:
    chosen = waiting(9)
    assert sorted(one.row for one in chosen) == [11, 21, 31]
    assert waiting(10) == []


def test_a_budget_for_nothing_decides_nothing(pilot: Callable[..., Pilot]) -> None:
    found = pilot().run(Wish(Budget(seconds=0.01)))
    assert (found.strategy, found.stopped, found.decides) == (None, "budget", False)


def test_labels_for_a_target_follow_the_wish(pilot: Callable[..., Pilot]) -> None:
    found = pilot().run(WISH._replace(target=0.62))
    assert found.target is not None
    assert found.target.value == 0.62


def test_a_journal_that_cannot_be_written_is_said_so(pilot: Callable[..., Pilot]) -> None:
    one = pilot()
    one.folder.parent.mkdir(parents=True)
    one.folder.write_text("in the way")
    with pytest.raises(RunError, match="cannot be read"):
        one.run(WISH)
