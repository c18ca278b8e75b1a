"""The questionnaire: which question comes next, what answering it does, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.decision.facts import answers_of
from advisor.decision.waiting import ALWAYS, worth_asking
from advisor.errors import InputError
from advisor.knowledge.rulebase import RuleBase
from advisor.knowledge.vocabulary import in_words
from advisor.machine import Machine
from advisor.profile import INPUTS, Profile, parse_answer
from advisor.project import fill_project

_DATA = "data.path"
_CLASSIFYING = ("text-classification", "multi-label", "pair-classification")


@dataclass
class Questionnaire:
    """Questions asked so far and the profile they have led to.

    Attributes:
        everything: ask all questions, not only those whose answer can still change the verdict.
        skipped: questions passed over with an empty answer where nothing was shown to accept.
        trail: each answered question with the profile before it.
    """

    profile: Profile
    folder: Path
    base: RuleBase
    machine: Machine
    everything: bool = False
    skipped: set[str] = field(default_factory=set)
    trail: list[tuple[str, Profile]] = field(default_factory=list)

    def waiting(self) -> list[str]:
        """Return the inputs still worth asking for, in order: data first, since they answer other questions."""
        asked = {name for name, _ in self.trail} | self.skipped
        questions = [name for name in INPUTS if INPUTS[name].question and self._open(name, asked)]
        if self.everything:
            return sorted(questions, key=lambda name: name != _DATA)
        deciding = worth_asking(answers_of(self.profile), self.base, self.machine, settled=asked)
        if "task.labels" in questions:
            deciding = ["task.labels" if name == "data.classes" else name for name in deciding]
        fills_others = [_DATA] if _DATA in questions and self.profile.data.labelled is None else []
        return [*fills_others, *(name for name in deciding if name not in asked)]

    def missing(self) -> list[str]:
        """Return the inputs without which no advice is possible."""
        return [name for name in ALWAYS if self.profile.get(name) is None]

    def shown(self, name: str) -> tuple[Any, str] | None:
        """Return the value an empty answer accepts and where it comes from, or None where there is none."""
        value = self.profile.get(name)
        if value is not None:
            return value, str(self.profile.source(name))
        assumption = self.base.assumptions.get(name)
        return (assumption.value, f"assumed: {assumption.because}") if assumption else None

    def accept(self, name: str, text: str) -> None:
        """Take an answer; an empty one accepts what is shown.

        Raises:
            InputError: the answer is not of the kind asked for; nothing changes then.
        """
        before = self.profile
        if text.strip() in {"", "unknown"}:
            shown = self.shown(name)
            if (text.strip() and before.get(name) is None) or shown is None:
                self.skipped.add(name)
            elif not text.strip():
                self.profile = before.with_answers({name: shown[0]}, "asked")
        else:
            answered = before.with_answers({name: parse_answer(INPUTS[name], text)}, "asked")
            self.profile = fill_project(answered, self.folder, self.machine) if name == "data.path" else answered
        self.trail.append((name, before))

    def back(self) -> bool:
        """Undo the last answer; return whether there was one."""
        if not self.trail:
            return False
        name, self.profile = self.trail.pop()
        self.skipped.discard(name)
        return True

    def _open(self, name: str, asked: set[str]) -> bool:
        if name in asked or self.profile.get(name) is not None:
            return False
        if name == "task.labels":
            return self.profile.task.type in _CLASSIFYING and self.profile.data.classes is None
        return True


def question_text(questionnaire: Questionnaire, name: str, left: int) -> str:
    """Return a question as it is shown: how many are left, wording, choices or unit, and what Enter accepts."""
    asked = INPUTS[name]
    hint = f" ({' / '.join(asked.choices)})" if asked.choices else f" ({asked.unit})" if asked.unit else ""
    if asked.kind is bool:
        hint = " (yes / no)"
    if asked.kind is dict:
        hint = " (name: description; name: description)"
    shown = questionnaire.shown(name)
    default = f"\n  [{in_words(name, shown[0])} - {shown[1]}]" if shown else ""
    counted = f"at most {left} left" if left > 1 else "the last one"
    return f"({counted}) {asked.question}{hint}{default}"


def hold_conversation(
    questionnaire: Questionnaire,
    read: Callable[[str], str],
    say: Callable[[str], None],
    save: Callable[[Profile], None],
) -> None:
    """Ask until nothing can change the verdict; the profile is saved after every answer.

    Args:
        questionnaire: what to ask.
        read: shows a question and returns the line typed.
        say: shows a line.
        save: keeps the profile.

    Raises:
        EOFError: the input ended; what was answered is saved.
    """
    while waiting := questionnaire.waiting():
        name = waiting[0]
        typed = read(question_text(questionnaire, name, len(waiting))).strip()
        if typed == "?":
            say(f"  {INPUTS[name].why}")
        elif typed == "<":
            if not questionnaire.back():
                say("  this is the first question")
            save(questionnaire.profile)
        else:
            try:
                questionnaire.accept(name, typed)
            except InputError as wrong:
                say(f"  {wrong}")
                continue
            save(questionnaire.profile)
