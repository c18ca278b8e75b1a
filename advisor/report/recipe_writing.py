"""What the template of recipes that tune a generator needs to know of a plan."""

import re
from typing import Any

from advisor.backend.alignment.settings import PLAIN_TEMPLATE, AlignmentSettings
from advisor.data.names import CHOSEN_NAMES, JUDGEMENT_NAMES, plain
from advisor.data.prompts import NO, YES
from advisor.plan.plan import Plan, PlannedFile
from advisor.report.recipe_code import Code
from advisor.report.recipe_sources import hub_split
from advisor.strategies import STRATEGIES
from advisor.strategies.alignment import Alignment
from advisor.tasks import TASKS, WRITING

TEMPLATE = "recipe/writing/script.py.j2"
_TRAINERS = {"dpo": ("DPOTrainer", "DPOConfig"), "kto": ("KTOTrainer", "KTOConfig"), "sft": ("SFTTrainer", "SFTConfig")}
_ANSWERS = {"demonstrations": ("ANSWER",), "pairs": ("CHOSEN", "REJECTED"), "thumbs": ("ANSWER", "JUDGEMENT")}


def tunes_generator(plan: Plan) -> bool:
    """Return whether a plan tunes a generator."""
    return TASKS[plan.task].predicts in WRITING and plan.family != "prompting"


def writing_facts(plan: Plan) -> dict[str, Any]:
    """Return the names that the template uses."""
    strategy, settings = STRATEGIES[plan.strategy], AlignmentSettings.model_validate(plan.hyperparameters)
    stages = list(strategy.stages) if isinstance(strategy, Alignment) else ["sft"]
    last, adapters, task = stages[-1], settings.weights == "adapters", TASKS[plan.task]
    columns = _answer_columns(plan)
    feedback = _feedback(columns, task.predicts)
    files = {"TRAIN": _file(plan.data.train), **({"TEST": _file(plan.data.test)} if plan.data.test else {})}
    trainer, config = _TRAINERS[last]
    per_row = 2 if last == "dpo" else 1
    return {
        "plan": plan,
        "settings": settings,
        "split": plan.data.split,
        "code": Code,
        "title": Code(strategy.title[:1].upper() + strategy.title[1:]),
        "task_words": Code(task.title),
        "learns": Code("low-rank adapters (LoRA)" if adapters else "all weights"),
        "measure_words": Code(", ".join(one.title for one in task.measures if one.key != "ranking_accuracy")),
        "files": files,
        "tested": "TEST" in files,
        "dataset": files["TRAIN"]["dataset"],
        "formats": ["hub"] if files["TRAIN"]["dataset"] else ["file"],
        "answer_columns": dict(zip(_ANSWERS[feedback], columns, strict=True)),
        "feedback": feedback,
        "chats": plan.data.text_column in columns,
        "model_source": "hub" if plan.model.revision else "folder",
        "written_answers": plan.evaluation["written_answers"],
        "stages": stages,
        "last": last,
        "trainer": Code(trainer),
        "config": Code(config),
        "preferring": last != "sft",
        "epochs": {stage: settings.preference_epochs if stage != "sft" else settings.epochs for stage in stages},
        "rates": {stage: settings.rate(preferences=stage != "sft") for stage in stages},
        "rows_at_once": _rows_at_once(settings, plan.model.max_length * per_row, least=2 if last == "kto" else 1),
        "adapters": adapters,
        "apart": settings.export == "adapter",
        "plain": re.findall(r".+?(?:%}|}}|$)", PLAIN_TEMPLATE),
        "approvals": sorted(YES),
        "judgements": sorted(YES | NO),
    }


def _answer_columns(plan: Plan) -> list[str]:
    written = plan.data.label_column
    separator = next((sign for sign in (",", ";", "|") if sign in written), None)
    both = written.split(separator) if separator else []
    return both if len(both) == 2 and TASKS[plan.task].predicts == "preference" else [written]


def _feedback(columns: list[str], predicts: str) -> str:
    if predicts == "text":
        return "demonstrations"
    first, second = map(plain, columns)
    return "thumbs" if first not in CHOSEN_NAMES and second in JUDGEMENT_NAMES else "pairs"


def _file(planned: PlannedFile) -> dict[str, Any]:
    dataset, split = hub_split(planned) or (None, None)
    return {"path": planned.path, "sha256": planned.sha256, "split": split, "dataset": dataset}


def _rows_at_once(settings: AlignmentSettings, tokens: int, *, least: int) -> int:
    most = max(least, settings.batch_tokens // tokens)
    return max(least, next(n for n in range(settings.batch_size, 0, -1) if settings.batch_size % n == 0 and n <= most))
