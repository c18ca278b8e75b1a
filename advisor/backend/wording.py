"""The words that stand for a label: its name as people write it, in prompt templates; no heavy import."""

import re

from advisor.backend.settings import ZeroShotSettings

_WORD_SEAMS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\s]+")


def humanise(label: str) -> str:
    """Return a label as words: ``Refund_not_shown`` and ``RefundNotShown`` as ``refund not shown``."""
    words = [word for word in _WORD_SEAMS.split(label.strip()) if word]
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words)


def describe(label: str, description: str, settings: ZeroShotSettings) -> list[str]:
    """Return the texts that stand for a label: the templates filled, some only if there is a description."""
    name, description = humanise(label) or label, description.strip()
    templates = (*settings.templates, *(settings.description_templates if description else ()))
    filled = [
        template.replace("{label}", name).replace("{description}", description.rstrip(".")) for template in templates
    ]
    return list(dict.fromkeys(filled))
