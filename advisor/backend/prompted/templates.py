"""Prompt templates: the wording of a task's prompts, filled in a sandbox in which nothing runs code."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from advisor.assets import asset
from advisor.errors import InputError

# <|im_start|> and the like, <｜User｜>, <s>, </s>, <bos>, <start_of_turn>, [INST], [/INST], <<SYS>>.
_TURN_MARKS = re.compile(
    r"<(?=[|｜])|<(?=/?(?:s|bos|eos|start_of_turn|end_of_turn)>)|\[(?=/?(?:INST|SYSTEM_PROMPT)\])|<(?=</?SYS>>)"
)


class PromptTemplate:
    """A template: text with macros, each of which words one part of a prompt.

    Macros are ``instruction()``, ``question(row)`` and ``stem()``; where answers are scored also ``answers(of)``, one
    wording a line, the first of them shown in demonstrations; and ``premise(row)`` and ``hypothesis(of)`` for models of
    entailment. Values are put in as they are: what looks like a template in them stays text.

    Args:
        text: of the template.
        values: what all macros see, such as ``labels``.
        name: of the template, for messages.

    Raises:
        InputError: it is not a template, or reaches for what no template needs.
    """

    def __init__(self, text: str, values: Mapping[str, Any], name: str) -> None:
        self.text, self.values, self.name = text, dict(values), name
        try:
            template: Template = _environment().from_string(text)
            self._macros = template.make_module(self.values)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as failure:
            raise self._unusable(failure) from None

    @property
    def sha256(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return template_hash(self.text)

    def fill(self, macro: str, *values: Any) -> str:
        """Return what a macro makes of some values, without space around it.

        Raises:
            InputError: there is no such macro, or it cannot be filled.
        """
        called = getattr(self._macros, macro, None)
        if called is None:
            raise InputError(f"prompt template {self.name}: no macro named {macro}; take over the shipped one's")
        try:
            return str(called(*values)).strip()
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as failure:
            raise self._unusable(failure) from None

    def lines(self, macro: str, *values: Any) -> list[str]:
        """Return the distinct lines of what a macro makes, blank ones left out."""
        stripped = (line.strip() for line in self.fill(macro, *values).splitlines())
        return list(dict.fromkeys(line for line in stripped if line))

    def _unusable(self, failure: Exception) -> InputError:
        line = getattr(failure, "lineno", None)
        place = f" line {line}" if line else ""
        return InputError(f"prompt template {self.name}{place}: {failure}; take the shipped one or mend it")


def prompt_template(task: str) -> str:
    """Return the text of the template that comes with the package for a task.

    Raises:
        InputError: there is none.
    """
    path = asset("templates", "prompts", f"{task}.j2")
    if not path.is_file():
        raise InputError(f"no prompt template for {task} ({path.name} is not among the templates)")
    return path.read_text(encoding="utf-8")


def template_hash(text: str) -> str:
    """Return the SHA-256 of a template's text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def one_line(text: str) -> str:
    """Return a text on one line and without marks of turns, so that no part of it can pass for another turn.

    Marks by which the chat formats of common models tell turns apart get a space inside; a server would otherwise read
    them as such.
    """
    return without_marks(" ".join(text.split()))


def without_marks(text: str) -> str:
    """Return a text in which marks of turns have a space inside, line breaks as they are."""
    return _TURN_MARKS.sub(r"\g<0> ", text)


def capital(text: str) -> str:
    """Return a text whose first letter is a capital."""
    return text[:1].upper() + text[1:]


def _environment() -> Environment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {"line": one_line, "lines": without_marks, "capital": capital}
    return environment
