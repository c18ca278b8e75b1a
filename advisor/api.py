"""The four calls of the package: load a profile, recommend, build a plan, run it."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.data.reading import LabelledData
from advisor.decision.advice import Advice, recommend
from advisor.errors import InputError
from advisor.files import write_json, write_text
from advisor.knowledge.rulebase import load_rulebase
from advisor.plan.build import build_plan as assemble_plan
from advisor.plan.plan import Plan, read_plan
from advisor.profile import Profile
from advisor.project import open_project
from advisor.report.documents import plan_documents, run_documents
from advisor.report.mistakes import worst_rows
from advisor.report.recipe import recipe_documents
from advisor.report.record import advice_record
from advisor.run.recording import record_plan

if TYPE_CHECKING:
    from advisor.run.result import Result

__all__ = ["build_plan", "load_profile", "open_plan", "recommend", "run_plan", "write_plan"]

_ADVICE = "advice.json"


def load_profile(path: Path | str, settings: Mapping[str, Any] | None = None) -> Profile:
    """Read a profile and fill in what its data and this machine tell.

    Args:
        path: the profile's YAML file.
        settings: answers by dotted name, such as ``{"data.labelled": 2000}``, that take precedence.

    Raises:
        InputError: a file is absent, unreadable or breaks its schema.
    """
    return open_project(Path(path), settings=settings).profile


def build_plan(
    profile: Path | str,
    folder: Path | str,
    *,
    strategy: str | None = None,
    seed: int | None = None,
    modifiers: Sequence[str] = (),
    hyperparameters: Mapping[str, Any] | None = None,
    rules: Path | None = None,
) -> Plan:
    """Advise on a profile, write the plan folder, return the plan.

    Args:
        profile: the profile's YAML file.
        folder: the plan folder; it holds a ``plan.yaml`` when it is whole.
        strategy: another strategy than the verdict's.
        seed: of splits, batches and bootstrap.
        modifiers: what is added to the strategy: ``multi-seed``, ``domain-adaptive-pretraining``.
        hyperparameters: settings of the strategy that take the place of the rules'.
        rules: a folder of rule files laid over the shipped ones.

    Raises:
        AdvisorError: the profile, the data or the strategy cannot be planned for.
    """
    project = open_project(Path(profile))
    advice = recommend(project.profile, base=load_rulebase(rules))
    return write_plan(
        advice,
        project.data,
        Path(folder),
        strategy=strategy,
        seed=seed,
        modifiers=modifiers,
        hyperparameters=hyperparameters,
    )


def write_plan(
    advice: Advice,
    data: LabelledData | None,
    folder: Path,
    *,
    strategy: str | None = None,
    seed: int | None = None,
    modifiers: Sequence[str] = (),
    hyperparameters: Mapping[str, Any] | None = None,
) -> Plan:
    """Write the plan folder for advice and data; ``plan.yaml`` comes last, so that a folder with it is complete.

    Raises:
        AdvisorError: the data or the strategy cannot be planned for.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the plan")
    plan = assemble_plan(
        advice,
        data,
        folder=folder,
        strategy=strategy,
        seed=seed,
        modifiers=modifiers,
        hyperparameters=hyperparameters,
    )
    documents = {**plan_documents(plan, advice), **recipe_documents(plan)}
    # What lies there of an earlier plan is no plan any more.
    (folder / "plan.yaml").unlink(missing_ok=True)
    for name, text in documents.items():
        write_text(folder / name, text)
    write_json(folder / _ADVICE, advice_record(advice))
    plan.save(folder / "plan.yaml")
    # A run says so where the ledger cannot be written.
    record_plan(plan)
    return plan


def open_plan(path: Path) -> tuple[Plan, Path, dict[str, Any] | None]:
    """Read a plan with the folder its paths start from and, where it lies beside, the advice it carries out.

    Raises:
        InputError: there is no valid plan, or what lies beside it is no advice.
    """
    folder = path if path.is_dir() else path.parent
    beside = folder / _ADVICE
    return read_plan(path), folder, _read_advice(beside) if beside.exists() else None


def _read_advice(path: Path) -> dict[str, Any]:
    try:
        advice = json.loads(path.read_bytes())
    except ValueError:
        advice = None
    if not isinstance(advice, dict) or "verdict" not in advice:
        raise InputError(f"{path} is damaged; make the plan again, or remove it for a report without reasons")
    return advice


def run_plan(
    plan: Plan | Path | str,
    folder: Path | str,
    *,
    plan_folder: Path | None = None,
    advice: dict[str, Any] | None = None,
    progress: bool = False,
    trust_remote_code: bool = False,
    allowed_hosts: Collection[str] = (),
) -> "Result":
    """Run a plan to its end; the same call again goes on where it stopped.

    Args:
        plan: a plan, or where one lies.
        folder: the run folder.
        plan_folder: where the plan's relative paths start; the plan's own folder if ``plan`` is a path.
        advice: the advice for the report, as `advice_record` gives it.
        progress: whether to show progress on stderr.
        trust_remote_code: agreement that Python code that comes with the model runs, where the plan needs that.
        allowed_hosts: servers that texts may be sent to where a plan that was not made here says so.

    Raises:
        AdvisorError: the plan cannot be run; what was finished stays for the next call.
    """
    from advisor.backend.usage import usage
    from advisor.run.execute import execute, stages_of
    from advisor.run.progress import Progress

    folder = Path(folder)
    if not isinstance(plan, Plan):
        plan, plan_folder, advice = open_plan(Path(plan))
    bar = Progress(len(stages_of(plan)), silent=not progress)
    result = execute(
        plan,
        plan_folder or Path.cwd(),
        folder,
        bar,
        trust_remote_code=trust_remote_code,
        allowed_hosts=allowed_hosts,
    )
    plan = read_plan(folder / "plan.yaml")
    lines = usage(folder / "model", "model")
    with (folder / "predictions.jsonl").open(encoding="utf-8") as predictions:
        errors = worst_rows(plan.task, map(json.loads, predictions))
    for name, text in run_documents(plan, result, advice, errors, lines).items():
        write_text(folder / name, text)
    return result
