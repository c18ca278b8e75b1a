"""What a task is: what a row of it holds, what is predicted, by which measures a prediction is judged."""

from typing import Literal, NamedTuple

Reads = Literal["text", "pair", "text or pair", "words", "question", "prompt"]
Predicts = Literal["class", "classes", "number", "tags", "span", "text", "preference"]
WRITING: tuple[Predicts, ...] = ("text", "preference")
"""What is predicted where the model writes: an answer, or one that people prefer."""


class Pair(NamedTuple):
    """Two texts that are read together: two sentences, or a question and the context with its answer."""

    first: str
    second: str


class Answer(NamedTuple):
    """An answer as it stands in a context, and the place of its first character there."""

    text: str
    start: int


class Message(NamedTuple):
    """What was said in a chat, and by whom: ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


class Chat(NamedTuple):
    """A prompt of several messages, the last of which waits for an answer."""

    messages: tuple[Message, ...]


class Demonstration(NamedTuple):
    """Right answers to a prompt; the first is the one to learn."""

    answers: tuple[str, ...]


class Preferred(NamedTuple):
    """Two answers to a prompt, of which one was preferred."""

    chosen: str
    rejected: str


class Judged(NamedTuple):
    """An answer to a prompt, and whether it was approved of."""

    answer: str
    approved: bool


Words = tuple[str, ...]
Input = str | Pair | Words | Chat
Label = str | tuple[str, ...] | float | tuple[Answer, ...] | Demonstration | Preferred | Judged


class Measure(NamedTuple):
    """A measure of quality.

    Attributes:
        key: as results name it.
        title: as reports name it.
        choice: as ``task.metric`` names it; empty where it cannot be chosen.
        share: whether it lies between 0 and 1.
        lower_is_better: whether a smaller value is a better one.
        in_label_units: whether it is measured in the unit of the labels.
        hub: as the model hub names it; empty where it has no name for it.
    """

    key: str
    title: str
    choice: str = ""
    share: bool = True
    lower_is_better: bool = False
    in_label_units: bool = False
    hub: str = ""


_ACCURACY = Measure("accuracy", "accuracy", "accuracy", hub="accuracy")
_MACRO_F1 = Measure("macro_f1", "macro-F1", "macro-f1", hub="f1")
_MICRO_F1 = Measure("micro_f1", "micro-F1", "micro-f1", hub="f1")
_EXACT_MATCH = Measure("exact_match", "exact match", "exact-match", hub="exact_match")
_RMSE = Measure("rmse", "root mean squared error", share=False, lower_is_better=True, in_label_units=True)


class Task(NamedTuple):
    """A kind of downstream task.

    Attributes:
        id: contract name.
        title: in words.
        reads: what the model is given.
        predicts: what it answers with.
        measures: how its answers are judged; the first leads unless the profile chooses another.
        pipeline: transformers' name of the pipeline that serves a tuned model, also the hub's tag.
        unit: what a row is called, in the plural.
    """

    id: str
    title: str
    reads: Reads
    predicts: Predicts
    measures: tuple[Measure, ...]
    pipeline: str
    unit: str = "texts"

    def called(self, *, pairs: bool) -> str:
        """Return what rows are called, in the plural; ``pairs`` says whether they have a second text."""
        return "pairs" if pairs and self.reads == "text or pair" else self.unit

    def measure(self, choice: str | None) -> Measure:
        """Return the measure that a profile's ``task.metric`` names, the leading one where it names none of these."""
        return next((measure for measure in self.measures if choice and measure.choice == choice), self.measures[0])

    def forecast_measure(self, leading: Measure) -> Measure:
        """Return what a forecast of quality is of: accuracy where the task is measured by it, else what leads."""
        return next((measure for measure in self.measures if measure.key == "accuracy"), leading)


TASKS: dict[str, Task] = {
    task.id: task
    for task in (
        Task("text-classification", "text classification", "text", "class",
             (_ACCURACY, _MACRO_F1), "text-classification"),
        Task("multi-label", "multi-label classification", "text", "classes",
             (_MICRO_F1, _MACRO_F1, _EXACT_MATCH), "text-classification"),
        Task("pair-classification", "classification of text pairs", "pair", "class",
             (_ACCURACY, _MACRO_F1), "text-classification", "pairs"),
        Task("regression", "regression", "text or pair", "number",
             (Measure("pearson", "Pearson correlation", "pearson", share=False, hub="pearsonr"),
              Measure("spearman", "Spearman correlation", "spearman", share=False, hub="spearmanr"), _RMSE),
             "text-classification"),
        Task("token-classification", "token classification", "words", "tags",
             (_MICRO_F1, _MACRO_F1, Measure("precision", "precision", hub="precision"),
              Measure("recall", "recall", hub="recall"),
              Measure("token_accuracy", "accuracy of tokens", hub="accuracy")), "token-classification", "sentences"),
        Task("question-answering", "extractive question answering", "question", "span",
             (Measure("f1", "F1 of words", hub="f1"), _EXACT_MATCH), "question-answering", "questions"),
        Task("generation", "text generation", "prompt", "text",
             (Measure("rouge_l", "ROUGE-L", "rouge", hub="rouge"), Measure("chrf", "chrF", hub="chrf"),
              Measure("perplexity", "perplexity", share=False, lower_is_better=True, in_label_units=True,
                      hub="perplexity")), "text-generation", "prompts"),
        Task("preference", "learning from preferences", "prompt", "preference",
             (Measure("preference_accuracy", "preference accuracy", "preference-accuracy", hub="accuracy"),
              Measure("ranking_accuracy", "ranking accuracy"),
              Measure("margin", "reward margin", share=False, in_label_units=True)), "text-generation", "prompts"),
    )
}  # fmt: skip
