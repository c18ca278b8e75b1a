"""Task words: what a plan's task reads and answers, in words."""

from advisor.plan.plan import Plan
from advisor.tasks import TASKS, Measure

_LONG_TEXTS = {
    "truncate": "the rest is cut",
    "head-tail": "of a longer text its start and its end are read",
    "windows": "a longer text is read in windows",
}


def unit_of(plan: Plan) -> str:
    """Return what a row of the plan's data is called, in the plural."""
    return TASKS[plan.task].called(pairs=plan.data.pair_column is not None)


def reads_pairs(plan: Plan) -> bool:
    """Return whether a row is two texts of a kind; a question with its context is not."""
    return unit_of(plan) == "pairs"


def has_classes(plan: Plan) -> bool:
    """Return whether a row is of one class or of several."""
    return TASKS[plan.task].predicts in ("class", "classes")


def columns_of(plan: Plan) -> list[str]:
    """Return the columns of the data that a model reads."""
    return [plan.data.text_column, *filter(None, [plan.data.pair_column])]


def choices_of(plan: Plan) -> str:
    """Return how many classes, labels or types of entity there are to choose from; nothing for numbers and answers."""
    match TASKS[plan.task].predicts:
        case "class":
            return f"{len(plan.labels)} classes"
        case "classes":
            return f"{len(plan.labels)} labels"
        case "tags":
            kinds = named_answers(plan)
            return f"{len(kinds)} tags" if kinds is plan.labels else f"{len(kinds)} types of entity"
    return ""


def named_answers(plan: Plan) -> dict[str, str | None]:
    """Return classes, labels or types of entity with what is known of each; none for numbers and answers."""
    if TASKS[plan.task].predicts != "tags":
        return plan.labels
    kinds = {name.partition("-")[2]: text for name, text in plan.labels.items()}
    kinds.pop("", None)
    return kinds or plan.labels


def task_title(plan: Plan) -> str:
    """Return the task and, where there are any, how many answers there are to choose from."""
    return ", ".join(filter(None, (TASKS[plan.task].title, choices_of(plan))))


def long_inputs(plan: Plan) -> str:
    """Return what happens to inputs beyond the model's limit."""
    match TASKS[plan.task].reads:
        case "question":
            return "a longer context is read in windows that overlap"
        case "words":
            return "words beyond are taken to be outside of everything"
        case "prompt":
            return "prompt and answer together; the start of a longer prompt is cut"
    return _LONG_TEXTS[plan.hyperparameters.get("long_texts", "truncate")]


def cuts_off(plan: Plan) -> bool:
    """Return whether what is beyond the model's limit is just cut off, as a pipeline does."""
    return TASKS[plan.task].reads != "question" and plan.hyperparameters.get("long_texts", "truncate") == "truncate"


def forecast_measure(plan: Plan) -> Measure:
    """Return what the plan's forecast of quality is of."""
    return TASKS[plan.task].forecast_measure(plan.measure)
