"""Settings that decide: a file of ``rules/`` whose every value stands with its range, unit and source."""

from functools import cache
from typing import Any

from advisor.assets import asset
from advisor.documents import Document, read_document
from advisor.errors import RuleBaseError
from advisor.strict import Strict


class Setting(Strict):
    """The value of one setting; ``range`` is what is sensible to try, a list of numbers or of choices."""

    value: Any
    range: list[Any] | None = None
    unit: str = ""
    source: str


@cache
def load_settings(file: str) -> dict[str, Any]:
    """Return the values in a file of ``rules/``, by name.

    Raises:
        RuleBaseError: an entry breaks its schema.
    """
    settings = settings_in(read_document(asset("rules", file), kind=RuleBaseError))
    return {name: setting.value for name, setting in settings.items()}


def settings_in(document: Document, *at: str) -> dict[str, Setting]:
    """Return the settings of a document, or of one of its entries, by name.

    Raises:
        RuleBaseError: one breaks its schema.
    """
    names = document.data[at[0]] if at else document.data
    return {name: document.validate(Setting, kind=RuleBaseError, at=(*at, name)) for name in names}
