"""What may be added to a strategy, and hyper-parameters other than the rules'."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from advisor.api import run_plan, write_plan
from advisor.cli import main
from advisor.data.reading import DataSource
from advisor.decision.advice import recommend
from advisor.errors import InputError
from advisor.estimates.forecast import default_settings
from advisor.plan.plan import Plan
from advisor.project import open_project
from advisor.run.execute import stages_of
from advisor.strategies.modifiers import MODIFIERS, modifier_settings
from tests.conftest import TEXTS

SHORT = {"epochs": 1, "min_steps": 3, "enough_steps": 3}


@pytest.fixture
def planned(messages: Path, tiny_encoder: Path, tmp_path: Path) -> Any:
    def make(strategy: str, **options: Any) -> tuple[Plan, Path]:
        project = open_project(data=DataSource(messages), settings={"model.base": str(tiny_encoder)})
        folder = tmp_path / "plan"
        return write_plan(recommend(project.profile), project.data, folder, strategy=strategy, **options), folder

    return make


def test_every_modifier_has_its_settings_in_the_rules() -> None:
    assert {name: type(modifier_settings(name)) for name in MODIFIERS} == MODIFIERS


@pytest.mark.slow
def test_several_seeds_are_fitted_and_their_spread_is_told(planned: Any, tmp_path: Path) -> None:
    plan, folder = planned("full-fine-tuning", modifiers=["multi-seed"], hyperparameters=SHORT)
    assert "seeds" in [step.id for step in plan.steps]
    result = run_plan(folder, tmp_path / "run")
    others = [str(plan.seed + number) for number in range(1, plan.modifiers["multi-seed"]["seeds"])]
    assert list(result.seeds) == others
    assert all(set(scores) == {"accuracy", "macro_f1"} for scores in result.seeds.values())
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "seed" in card


def with_unlabelled(messages: Path) -> None:
    with (messages / "train.csv").open("a", encoding="utf-8") as file:
        file.writelines(f'"{text} once more",\n' for texts in TEXTS.values() for text in texts[:4])


def test_a_teacher_labels_what_nobody_did(planned: Any, messages: Path, tmp_path: Path) -> None:
    with_unlabelled(messages)
    plan, folder = planned("linear-probe", modifiers=["distillation"])
    assert plan.teacher and (plan.teacher.strategy, plan.teacher.engine) == ("few-shot", "encoder")
    assert [step.id for step in plan.steps].index("label") + 1 == [step.id for step in plan.steps].index("train")
    result = run_plan(folder, tmp_path / "run")
    record = result.chosen["distillation"]
    assert record["asked"] == 4 * len(TEXTS)
    assert record["asked"] / 2 <= record["kept"] < record["asked"]
    assert record["accuracy"]["low"] <= record["accuracy"]["value"] <= record["accuracy"]["high"]
    lines = (tmp_path / "run" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert 0 not in {json.loads(line)["row"] for line in lines}


def test_nothing_is_distilled_without_texts_or_into_a_prompt(planned: Any, messages: Path) -> None:
    with pytest.raises(InputError, match=r"distillation needs unlabelled texts: rows of .* with an empty label"):
        planned("linear-probe", modifiers=["distillation"])
    with_unlabelled(messages)
    with pytest.raises(InputError, match="zero-shot learns nothing"):
        planned("zero-shot", modifiers=["distillation"])


@pytest.mark.slow
def test_more_pre_training_comes_first_and_sees_no_test_text(
    planned: Any, messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from advisor.backend import pretraining

    with (messages / "train.csv").open("a", encoding="utf-8") as file:
        file.writelines(f'"nobody labelled number {number}",\n' for number in range(9))
    seen: list[str] = []
    plain = pretraining.pretrain

    def watched(encoder: Path, texts: list[str], *arguments: Any, **options: Any) -> Any:
        seen.extend(texts)
        return plain(encoder, texts, *arguments, **options)

    monkeypatch.setattr(pretraining, "pretrain", watched)
    short = modifier_settings("domain-adaptive-pretraining").model_copy(
        update={"epochs": 1, "min_steps": 3, "most_steps": 3, "head_steps": 1}
    )
    monkeypatch.setattr("advisor.strategies.modifiers.modifier_settings", lambda name: short)
    plan, folder = planned("linear-probe", modifiers=["domain-adaptive-pretraining"])
    assert stages_of(plan)[1] == "pretrain"
    assert [step.id for step in plan.steps][1] == "pretrain"
    result = run_plan(folder, tmp_path / "run")
    told = result.chosen["pretraining"]
    assert told["steps"] == 3
    assert told["loss_before"] > 0
    assert "nobody labelled number 3" in seen
    test = {text for texts in TEXTS.values() for text in texts[8:]}
    assert not test & set(seen)
    assert len(seen) == 24 + 9


def test_a_hyper_parameter_takes_the_place_of_the_rules(planned: Any) -> None:
    plan, _ = planned("full-fine-tuning", hyperparameters={"epochs": 3, "long_texts": "windows"})
    assert plan.hyperparameters["epochs"] == 3
    assert plan.hyperparameters["long_texts"] == "windows"
    usual = default_settings("full-fine-tuning").model_dump()
    assert plan.hyperparameters["learning_rate"] == usual["learning_rate"]


def test_fewer_passes_are_forecast_to_take_less_time(planned: Any) -> None:
    many, _ = planned("full-fine-tuning", hyperparameters={"min_steps": 2000})
    few, _ = planned("full-fine-tuning", hyperparameters={"min_steps": 20})
    assert few.forecast["train_seconds"]["point"] < many.forecast["train_seconds"]["point"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hyperparameters": {"epoch": 3}}, "no hyper-parameter 'epoch'.*epochs"),
        ({"hyperparameters": {"epochs": -1}}, "hyper-parameter epochs: .-1. is not above 0"),
        ({"modifiers": ["multi-seeds"]}, "no modifier 'multi-seeds'.*multi-seed"),
    ],
)
def test_what_there_is_not_is_refused_in_one_sentence(planned: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        planned("full-fine-tuning", **options)


def test_seeds_of_what_draws_nothing_are_refused(planned: Any) -> None:
    with pytest.raises(InputError, match="zero-shot draws nothing at random"):
        planned("zero-shot", modifiers=["multi-seed"])


def test_options_of_the_command_line_reach_the_plan(messages: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    arguments = [
        "plan", "--data", str(messages), "--set", f"model.base={tiny_encoder}", "-o", str(tmp_path / "plan"),
        "--strategy", "lora", "--with", "multi-seed", "--hyper", "rank=4", "--hyper", "export=adapter", "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["hyperparameters"]["rank"] == 4
    assert plan["hyperparameters"]["export"] == "adapter"
    assert plan["modifiers"]["multi-seed"]["seeds"] >= 2
    refused = CliRunner().invoke(main, [*arguments, "--hyper", "rank"])
    assert refused.exit_code == 2
    assert "NAME=VALUE" in refused.stderr
