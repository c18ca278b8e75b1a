"""What the templates of recipes need to know of a plan."""

from typing import Any, NamedTuple

from advisor.backend.settings import ZeroShotSettings
from advisor.backend.wording import describe, in_words
from advisor.knowledge.catalogue import load_catalogue
from advisor.plan.plan import Plan
from advisor.report.recipe_code import Code
from advisor.report.recipe_prompts import prompted_facts
from advisor.report.recipe_sources import source_facts
from advisor.strategies import STRATEGIES
from advisor.strategies.modifiers import MORE_PRETRAINING, MULTI_SEED
from advisor.tasks import TASKS


class _Words(NamedTuple):
    """Words of code about a task's rows: their type and what it means, of targets and of answers."""

    row: str
    meaning: str
    target: str
    answer: str


_WORDS = {
    ("text", "class"): _Words("tuple[str, str]", "a text and its class", "int", "str"),
    ("pair", "class"): _Words("tuple[tuple[str, str], str]", "two texts and the class of the pair", "int", "str"),
    ("text", "classes"): _Words("tuple[str, list[str]]", "a text and its labels", "list[float]", "list[str]"),
    ("text", "number"): _Words("tuple[str, float]", "a text and its number", "float", "float"),
    ("pair", "number"): _Words(
        "tuple[tuple[str, str], float]", "two texts and the number of the pair", "float", "float"
    ),
    ("words", "tags"): _Words("tuple[list[str], list[str]]", "words and their tags", "list[int]", "list[str]"),
    ("question", "span"): _Words(
        "tuple[tuple[str, str], list[tuple[str, int]]]",
        "question and context; answers and where each begins",
        "tuple[int, int]",
        "str",
    ),
    ("prompt", "text"): _Words("tuple[str, list[str]]", "a prompt and right answers to it", "str", "str"),
}
_STATES = {
    "last": "encoder(**batch).last_hidden_state",
    "mean": "torch.stack(encoder(**batch, output_hidden_states=True).hidden_states[1:]).mean(dim=0)",
}
_READ = "features_of(rows, encoder, tokenizer"
_STRATA = {
    "class": "classes",
    "classes": "their rarest labels",
    "tags": "their rarest tags",
    "number": "fifths of the numbers",
    "span": "",
    "text": "",
}
_AUTO_CLASSES = {"tags": "AutoModelForTokenClassification", "span": "AutoModelForQuestionAnswering"}
_PROBLEMS = {
    "class": "single_label_classification",
    "classes": "multi_label_classification",
    "number": "regression",
}
_USES = {
    "text-classification": 'Use the model by transformers\' pipeline("text-classification", "model").',
    "multi-label": 'Use the model by transformers\' pipeline("text-classification", "model", top_k=None, '
    'function_to_apply="sigmoid").',
    "pair-classification": 'Use the model by transformers\' pipeline("text-classification", "model") on rows like '
    '{"text": "…", "text_pair": "…"}.',
    "regression": 'Use the model by transformers\' pipeline("text-classification", "model", function_to_apply="none").',
    "token-classification": 'Use the model by transformers\' pipeline("token-classification", "model", '
    'aggregation_strategy="first").',
    "question-answering": 'Load the model by AutoModelForQuestionAnswering.from_pretrained("model").',
}
_ADAPTED = (
    "Load the adapters by peft's PeftModel.from_pretrained, over the pre-trained model loaded with the config.json in "
    "model/."
)


def recipe_facts(plan: Plan) -> dict[str, Any]:
    """Return the names that the templates use."""
    facts = {"plan": plan, "settings": plan.hyperparameters, "split": plan.data.split, **_task_facts(plan)}
    facts |= source_facts(plan, facts["predicts"]) | _fit_facts(plan, facts["predicts"])
    whole = STRATEGIES[plan.strategy].whole_model
    facts |= {"c_factor": _c_factor(plan), "head_c": _head_c(plan)}
    return facts | (_tuning_facts(plan, facts) if whole else _frozen_facts(plan, facts))


def prompted_recipe_facts(plan: Plan) -> dict[str, Any]:
    """Return the names that the template of recipes for language models uses."""
    facts = {"plan": plan, "settings": plan.hyperparameters, "split": plan.data.split, **_task_facts(plan)}
    facts |= source_facts(plan, facts["predicts"]) | _fit_facts(plan, facts["predicts"])
    facts |= prompted_facts(plan, facts["reads"])
    return facts | {"seeded": facts["shows"] or facts["splits"], "decoder": True}


def _task_facts(plan: Plan) -> dict[str, Any]:
    """Return what follows from the task: what is read and predicted, in words of code and of people."""
    task, data, settings = TASKS[plan.task], plan.data, plan.hyperparameters
    apart = {"words", "question", "prompt"} & {task.reads}
    reads = next(iter(apart), "pair" if data.pair_column else "text")
    words = _WORDS[reads, task.predicts]
    texts = ("text",) if STRATEGIES[plan.strategy].whole_model else ("text", "pair")
    titles = [measure.title for measure in task.measures if measure.key != "perplexity"]
    return {
        "reads": reads,
        "predicts": task.predicts,
        "labels": list(plan.labels),
        "what": Code("pair" if reads == "pair" else "text"),
        "there": Code("all(text.strip() for text in pair)" if reads == "pair" else "text.strip()"),
        "files_words": Code("prompt.json" if plan.prompting else "model/"),
        "a_what": Code("two texts" if reads == "pair" else "a text"),
        "row_type": Code(words.row),
        "row_words": Code(words.meaning),
        "target_type": Code(words.target),
        "answer_type": Code(words.answer),
        "strata_words": Code(_STRATA[task.predicts]),
        "task_words": Code(task.title),
        "measure_words": Code(f"{', '.join(titles[:-1])} and {titles[-1]}"),
        "metric_words": Code(plan.measure.title),
        "use_words": Code(_ADAPTED if settings.get("export") == "adapter" else _USES.get(plan.task, "")),
        "long_texts": settings.get("long_texts", "truncate") if reads in texts else "truncate",
        "balanced": plan.class_weights == "balanced" and task.predicts in ("class", "classes", "tags"),
        "prompts": _prompts(plan),
        "pretrains": MORE_PRETRAINING in plan.modifiers,
        "shows": False,
    }


def _fit_facts(plan: Plan, predicts: str) -> dict[str, Any]:
    """Return what follows from how quality is measured and how often is fitted."""
    split, needs_labels = plan.data.split, STRATEGIES[plan.strategy].needs_labels
    seeds = plan.modifiers.get(MULTI_SEED, {}).get("seeds", 1)
    frozen = STRATEGIES[plan.strategy].family != "fine-tuning" and not STRATEGIES[plan.strategy].whole_model
    folds = split.kind == "cross-validation" and needs_labels
    validation = bool(split.validation_share) and STRATEGIES[plan.strategy].wants_validation
    return {
        "folds": folds,
        "validation": validation,
        "splits": validation or split.kind == "held-out",
        "split_warns": (folds and predicts not in ("span", "text"))
        or (plan.strategy == "linear-probe" and predicts in ("class", "classes")),
        "other_seeds": [plan.seed + number for number in range(1, seeds)],
        "seeded": STRATEGIES[plan.strategy].family != "prompting" or folds or split.kind == "held-out",
        "fit": Code("fit_head" if frozen else "fine_tune"),
        "fitted": Code("head" if frozen else "model"),
        "with_encoder": Code("encoder, " if frozen else ""),
        "seed": Code("seed" if seeds > 1 else "SEED"),
        "seed_argument": Code(", seed: int" if seeds > 1 else ""),
        "seed_passed": Code(", seed" if seeds > 1 else ""),
    }


def _tuning_facts(plan: Plan, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what follows from the settings of tuning by gradient steps."""
    settings, predicts, reads, balanced = plan.hyperparameters, facts["predicts"], facts["reads"], facts["balanced"]
    windows = facts["long_texts"] == "windows"
    several = windows or predicts in ("tags", "span")
    smoothing = bool(settings["label_smoothing"]) and predicts in ("class", "tags")
    units = {"text": "texts", "pair": "pairs", "words": "words", "question": "questions"}[reads]
    return {
        "lora": plan.strategy == "lora",
        "adapter": settings.get("export") == "adapter",
        "units": facts["long_texts"] if reads == "text" and facts["long_texts"] != "truncate" else units,
        "windows": windows,
        "layered": settings["layer_decay"] < 1 or bool(settings["gradual_share"]),
        "summed": "words" if predicts == "tags" or (balanced and predicts == "class") else "units",
        "smoothing": smoothing,
        "smoothed": Code(", label_smoothing=LABEL_SMOOTHING" if smoothing else ""),
        "weighed": Code(", weights" if balanced else ""),
        "weighed_argument": Code(", weights: torch.Tensor" if balanced else ""),
        "of_held": Code(", held_units, held" if several else ""),
        "of_rows": Code(", units, rows" if several else ""),
        "of_rows_argument": Code(", units: list[Unit], rows: list[Row]" if several else ""),
        "auto_class": Code(_AUTO_CLASSES.get(predicts, "AutoModelForSequenceClassification")),
        "problem": _PROBLEMS.get(predicts),
    }


def _frozen_facts(plan: Plan, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what follows from the settings of a head on a frozen encoder."""
    settings = plan.hyperparameters
    layers = settings.get("word_layers" if facts["reads"] == "words" else "layers", "last")
    known = load_catalogue().models.get(plan.model.id)
    return {
        "layers": layers,
        "c_grid": [facts["c_factor"] * c for c in settings.get("grid", [])],
        "chosen_layer": layers == "best",
        "layer_argument": Code(", layers: list[int]" if layers == "best" else ""),
        "layer_passed": Code(", layers" if layers == "best" else ""),
        "read_to_fit": Code(_READ + (", [layer])[0]" if layers == "best" else ")")),
        "read_to_answer": Code(_READ + (", [head.layer])[0]" if layers == "best" else ")")),
        "layer_kept": Code(", layer" if layers == "best" else ""),
        "hidden_states": Code(_STATES.get(layers, "")),
        "names": _names(plan),
        "in_parts": settings.get("batch_size", 0) * plan.model.max_length > settings.get("batch_tokens", 0),
        "pooled_by": "mean" if known and (known.package or known.objective != "contrastive") else "declared",
    }


def _head_c(plan: Plan) -> float | None:
    """Return scikit-learn's C for a head that is not searched for, None where it starts without."""
    c = plan.hyperparameters.get("head_c")
    return None if c is None or plan.task == "question-answering" else float(c) * _c_factor(plan)


def _c_factor(plan: Plan) -> int:
    """Return by what a plan's C becomes scikit-learn's.

    Of two classes scikit-learn fits one row of weights, the difference of the two that a softmax has: that is as free
    at twice the C.
    """
    return 2 if len(plan.labels) == 2 and TASKS[plan.task].predicts in ("class", "tags") else 1


def _names(plan: Plan) -> dict[str, str]:
    """Return what contrastive tuning adds to the texts: of each label that words say something of, these words."""
    if not plan.hyperparameters.get("names"):
        return {}
    said = {label: in_words(label, description or "") for label, description in plan.labels.items()}
    return {label: words for label, words in said.items() if words is not None}


def _prompts(plan: Plan) -> dict[str, list[str]] | None:
    """Return the texts that stand for each label, where the strategy prompts."""
    if STRATEGIES[plan.strategy].family != "prompting" or plan.engine != "encoder":
        return None
    fields = ZeroShotSettings.model_fields
    settings = ZeroShotSettings.model_validate(
        {name: value for name, value in plan.hyperparameters.items() if name in fields}
    )
    return {label: describe(label, description or "", settings) for label, description in plan.labels.items()}
