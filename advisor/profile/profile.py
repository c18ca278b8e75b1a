"""A profile: what is known of a project, with the source of each answer."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from advisor.documents import parse_document, read_document, scalar, suggest
from advisor.errors import InputError
from advisor.files import write_text
from advisor.profile.section import Section
from advisor.profile.sections import Compute, Constraints, Data, Lifecycle, Model, Serving, Task
from advisor.strict import Strict

Source = Literal["flag", "asked", "file", "detected", "assumed"]
SCHEMA = 1


class Profile(Strict):
    """What is known of a project. Sections never are missing; their answers may be.

    Attributes:
        name: short name, used for folders.
        sources: where an answer came from, by dotted name; answers not listed came from the file.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    schema_: Literal[1] = Field(default=1, alias="schema")
    name: str = "project"
    task: Task = Field(default_factory=Task)
    data: Data = Field(default_factory=Data)
    compute: Compute = Field(default_factory=Compute)
    serving: Serving = Field(default_factory=Serving)
    constraints: Constraints = Field(default_factory=Constraints)
    lifecycle: Lifecycle = Field(default_factory=Lifecycle)
    model: Model = Field(default_factory=Model)
    sources: dict[str, Source] = {}

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return values | {key: {} for key in SECTIONS if values.get(key) is None}

    @model_validator(mode="after")
    def _consistent(self) -> "Profile":
        data, labels = self.data, self.task.labels
        if labels and data.classes is not None and len(labels) != data.classes:
            raise ValueError(f"data.classes is {data.classes}, but task.labels names {len(labels)} labels")
        if None not in (data.labelled, data.smallest_class) and data.smallest_class > data.labelled:  # type: ignore[operator]
            raise ValueError(f"data.smallest_class ({data.smallest_class}) exceeds data.labelled ({data.labelled})")
        for name, place in (("compute", self.compute), ("serving", self.serving)):
            if place.card and place.device == "cpu":
                raise ValueError(f"{name}.card is {place.card}, but {name}.device is cpu")
        unknown = [name for name in self.sources if name not in INPUTS]
        if unknown:
            raise ValueError(f"sources names no input '{unknown[0]}'{suggest(unknown[0], INPUTS)}")
        return self

    def get(self, name: str) -> Any:
        """Return the answer to a dotted name such as ``data.labelled``; None where it is unknown."""
        section, field = name.split(".")
        return getattr(getattr(self, section), field)

    def source(self, name: str) -> Source | None:
        """Return where an answer came from, or None where there is none."""
        return None if self.get(name) is None else self.sources.get(name, "file")

    def with_answers(self, answers: Mapping[str, Any], source: Source) -> "Profile":
        """Return a copy with answers by dotted name, each marked with its source.

        Raises:
            InputError: an unknown name, or a value out of its bounds.
        """
        values = self.model_dump(by_alias=True)
        for name, value in answers.items():
            if name not in INPUTS:
                raise InputError(f"there is no input '{name}'{suggest(name, INPUTS)}")
            section, field = name.split(".")
            values[section][field] = value
            values["sources"][name] = source
        try:
            return Profile.model_validate(values)
        except ValidationError as refused:
            text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
            try:
                parse_document(text, "answers").validate(Profile)
            except InputError as failure:
                raise InputError(str(getattr(failure, "text", failure))) from None
            # Written and read again it may pass: infinity is no number in a profile, so a text takes it.
            first = refused.errors()[0]
            raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None

    def with_detected(self, told: Mapping[str, Any]) -> "Profile":
        """Return a copy with answers it lacks, marked as detected; None tells nothing."""
        missing = {name: value for name, value in told.items() if value is not None and self.get(name) is None}
        return self.with_answers(missing, "detected")

    def answered(self) -> Iterator[tuple[str, Any]]:
        """Yield the dotted name and value of every known answer."""
        for name in INPUTS:
            value = self.get(name)
            if value is not None:
                yield name, value

    def as_yaml(self) -> str:
        """Return the profile as the YAML that `load_profile` reads, known answers only."""
        values = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        if self.task.labels:
            values["task"]["labels"] = dict(self.task.labels)
        sources = {name: source for name, source in self.sources.items() if self.get(name) is not None}
        document = {
            "schema": SCHEMA,
            "name": self.name,
            **{key: values[key] for key in SECTIONS if values.get(key)},
        }
        if sources:
            document["sources"] = sources
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)

    def save(self, path: Path) -> None:
        """Write the profile as YAML, whole or not at all."""
        write_text(path, self.as_yaml())


class Input(NamedTuple):
    """One input of the profile as the questionnaire and the rules see it."""

    name: str
    question: str
    why: str
    unit: str
    actionable: bool
    annotation: Any
    bounds: tuple[Any, ...] = ()

    @property
    def low(self) -> float:
        """The least value it may have, or that it must exceed; minus infinity where there is none."""
        return max((float(getattr(b, "ge", getattr(b, "gt", -math.inf))) for b in self.bounds), default=-math.inf)

    @property
    def high(self) -> float:
        """The greatest value it may have; infinity where there is none."""
        return min((float(getattr(b, "le", math.inf)) for b in self.bounds), default=math.inf)

    @property
    def exceeds_low(self) -> bool:
        """Whether the value must exceed its lower bound."""
        return any(hasattr(bound, "gt") for bound in self.bounds)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from; empty for numbers, lists and free text."""
        for kind in get_args(self.annotation):
            if getattr(kind, "__origin__", None) is Literal:
                return tuple(str(word) for word in get_args(kind))
        return ()

    @property
    def kind(self) -> type:
        """The type of a known answer: bool, int, float, str, list or dict."""
        first = get_args(self.annotation)[0]
        return getattr(first, "__origin__", first) if self.choices == () else str


SECTIONS: dict[str, type[Section]] = {
    "task": Task,
    "data": Data,
    "compute": Compute,
    "serving": Serving,
    "constraints": Constraints,
    "lifecycle": Lifecycle,
    "model": Model,
}


def _inputs() -> dict[str, Input]:
    found = {}
    for section, model in SECTIONS.items():
        for field, info in model.model_fields.items():
            extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
            found[f"{section}.{field}"] = Input(
                name=f"{section}.{field}",
                question=str(extra.get("question", "")),
                why=str(extra.get("why", "")),
                unit=str(extra.get("unit", "")),
                actionable=bool(extra.get("actionable", False)),
                annotation=info.annotation,
                bounds=tuple(info.metadata),
            )
    return found


INPUTS: dict[str, Input] = _inputs()


def load_profile(path: Path | str) -> Profile:
    """Read a profile. Paths in it stay as written; see `advisor.profile.filling` for what a data file adds.

    Raises:
        InputError: the file is absent or unreadable.
        DocumentError: it breaks the schema, with file:line:column and a suggestion.
    """
    document = read_document(path)
    if document.data is None:
        raise document.error("the profile is empty; start with 'schema: 1'")
    if isinstance(document.data, dict) and "schema" not in document.data:
        raise document.error("schema is missing; start with 'schema: 1'")
    return document.validate(Profile)


def parse_setting(text: str) -> tuple[str, Any]:
    """Read ``data.labelled=2000`` as a dotted name and a value.

    Raises:
        InputError: not of that form, or no such input.
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals:
        raise InputError(f"'{text}' is not of the form name=value, such as data.labelled=2000")
    if name not in INPUTS:
        raise InputError(f"there is no input '{name}'{suggest(name, INPUTS)}")
    return name, parse_answer(INPUTS[name], value)


def parse_answer(asked: Input, text: str) -> Any:
    """Read what a person typed for an input: a plain value, ``unknown``, or a comma-separated list."""
    text = text.strip()
    if text == "unknown":
        return None
    if asked.kind is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    if asked.kind is dict:
        return dict(_label(part) for part in text.split(";") if part.strip())
    return text if asked.kind is str else scalar(text.replace(",", ""))


def _label(part: str) -> tuple[str, str | None]:
    name, _, description = part.partition(":")
    return name.strip(), description.strip() or None


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Profile.model_json_schema(by_alias=True),
    }
