"""What the recipe of a prompted language model needs to know of a plan, beside what every recipe does."""

from typing import Any, NamedTuple

from advisor.backend.prompted.label_words import LabelWord, label_words
from advisor.plan.plan import Plan
from advisor.report.recipe_code import Code
from advisor.tasks import TASKS

_IN_PROCESS, _SERVED = "recipe/llm-local/script.py.j2", "recipe/llm-api/script.py.j2"
_SCORED, _FORMED = ("class", "each", "number"), ("tags", "span")
# The setting that says how long an answer of a server may be, where it is not that of written answers.
_MOST_TOKENS = dict.fromkeys(_SCORED, "answer_tokens") | dict.fromkeys(_FORMED, "structured_tokens")
# How examples are dealt that are not dealt by their strata.
_GROUPS = {"span": "np.array([bool(answers) for _, answers in rows])", "text": "np.zeros(len(rows), dtype=int)"}


class _Asked(NamedTuple):
    """Words about what is asked for: what the model is asked for, what examples show, and how these are drawn."""

    wanted: str
    theirs: str
    dealing: str = ", in random order"


_ASKED = {
    "class": _Asked("the class of every {}", "their classes", ", dealt in turns from every class"),
    "each": _Asked("the labels of every {}, one by one", "their labels", " by label, with and without it in turns"),
    "list": _Asked("the labels of every {}", "their labels", ", dealt in turns from every rarest label"),
    "number": _Asked("the number of every {}", "their numbers", ", dealt in turns from every fifth of the numbers"),
    "tags": _Asked("the entities of every {}", "their entities", ", dealt in turns from every rarest tag"),
    "span": _Asked("the answer to every {}", "their answers", ", with and without an answer in turns"),
    "text": _Asked("an answer to every {}", "their answers"),
}
_FIELDS = {
    "pair": 'dict(zip(("first", "second"), row[0]))',
    "question": 'dict(zip(("question", "context"), row[0]))',
    "words": '{"words": row[0]}',
}
_UNITS = {"words": "sentence", "question": "question", "prompt": "prompt", "pair": "pair"}
_VALUES = {
    "each": ', "labels": list(WORDS.values()), "way": "each"',
    "list": ', "labels": list(WORDS.values()), "way": "list"',
    "span": ', "unanswerable": unanswerable()',
    "text": "",
}
# What the answers that are scored are, and what prompt.json calls them.
_SUBJECTS = {"each": "(False, True)", "number": "levels()"}
_ANSWERS = {"each": '("no", "yes")', "number": "levels()"}


def prompted_template(plan: Plan) -> str | None:
    """Return the template for what a plan prompts, None where it prompts nothing, or for a preference."""
    if plan.prompting is None or TASKS[plan.task].predicts == "preference":
        return None
    return _IN_PROCESS if plan.prompting.url is None else _SERVED


def prompted_facts(plan: Plan, reads: str) -> dict[str, Any]:
    """Return the names that the template uses beside those of `advisor.report.recipe_facts`."""
    assert plan.prompting is not None
    served, shows, settings = plan.prompting.url is not None, plan.strategy == "few-shot", plan.hyperparameters
    predicts = TASKS[plan.task].predicts
    listed = settings["label_sets"] == "list" or (settings["label_sets"] == "auto" and served)
    asks = ("list" if listed else "each") if predicts == "classes" else str(predicts)
    asked, by_label = _ASKED[asks], asks == "each"
    values = _VALUES.get(asks, ', "labels": list(WORDS.values())')
    if asks == "number":
        values = f', "levels": levels(), "pairs": {reads == "pair"}'
    return {
        "title": Code("Few-shot prompting" if shows else "Zero-shot prompting"),
        "asks": asks,
        "scored": asks in _SCORED,
        "formed": asks in _FORMED,
        "shows": shows,
        "served": served,
        "chats": plan.data.text_column == plan.data.label_column,
        "wanted": Code(asked.wanted.format(_UNITS.get(reads, "text"))),
        "theirs": Code(asked.theirs),
        "dealing": Code(asked.dealing),
        "unlike": Code(_unlike(asks, shows=shows)),
        "with_model": Code("" if served else ", model, tokenizer"),
        "by": Code(" by a server" if served else ""),
        "terms": plan.prompting,
        "words": {name: word._asdict() for name, word in _words(plan).items()},
        "named_words": Code("kind of entity" if asks == "tags" else "label"),
        "template_lines": plan.prompting.template.split("\n"),
        "answer_tokens": settings.get(_MOST_TOKENS.get(asks, "written_tokens")),
        "fields": Code(_FIELDS.get(reads, '{"text": row[0]}')),
        "values": Code(f'{{"task": INSTRUCTION{values}}}'),
        "subjects": Code(_SUBJECTS.get(asks, "WORDS.values()")),
        "answers": Code(_ANSWERS.get(asks, "LABELS")),
        "no_choice": Code("no class" if asks == "class" else "no level"),
        "question_of": Code(", WORDS[label]" if by_label else ", None" if asks == "list" else ""),
        "label_argument": Code(", label: str" if by_label else ""),
        "label_passed": Code(", label" if by_label else ""),
        "shown_type": Code("dict[str, list[Row]]" if by_label else "list[Row]"),
        "learnt": Code("examples_of(rows)" if shows else "{}" if by_label else "[]"),
        "kept_rows": Code("rows" if shows else "_"),
        "groups": Code(_GROUPS.get(predicts, "strata(rows)")),
    }


def _words(plan: Plan) -> dict[str, LabelWord]:
    """Return how a prompt names every class or label, or every kind of entity, described as itself or by its tags."""
    labels, said = list(plan.labels), {label: words or "" for label, words in plan.labels.items()}
    if TASKS[plan.task].predicts == "tags":
        labels = list(dict.fromkeys(tag[2:] for tag in labels if tag[:2] in ("B-", "I-")))
        names = {kind: (kind, f"B-{kind}", f"I-{kind}") for kind in labels}
        said = {kind: next((said[name] for name in names[kind] if said.get(name)), "") for kind in labels}
    return dict(zip(labels, label_words(labels, said), strict=True))


def _unlike(asks: str, *, shows: bool) -> str:
    """Return what a run of the plan does beyond its recipe, as sentences behind others."""
    measured = ["calibrated answers"] * (asks in _SCORED) + ["other examples and orders"] * shows
    measured += ["a threshold for every label"] * (shows and asks in ("each", "list"))
    if not measured:
        return ""
    several = f"{', '.join(measured[:-1])} and {measured[-1]}" if measured[1:] else measured[0]
    own = ["shows the same examples every time"] * shows + ["takes the answers as they come"] * (asks in _SCORED)
    return f" A run of the plan also measures {several}, and takes what does best; this script {' and '.join(own)}."
