"""The words that stand for a label: its name as people write it, in prompt templates; no heavy import."""

import re

from advisor.backend.settings import ZeroShotSettings

# Words that name classes as such, so that a label made of them and numbers says nothing.
_NOT_SPEAKING = {"category", "class", "cluster", "group", "label", "tag", "topic", "type"}
_WORD_SEAMS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\s]+")


def humanise(label: str) -> str:
    """Return a label as words: ``Refund_not_shown`` and ``RefundNotShown`` as ``refund not shown``."""
    words = [word for word in _WORD_SEAMS.split(label.strip()) if word]
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words)


def in_words(label: str, description: str) -> str | None:
    """Return the one text that says best what a label means, or None where nothing does: ``3``, ``B``, ``label_0``."""
    name, description = humanise(label), description.strip()
    speaking = [word for word in name.lower().split() if len(word) > 1 and not word.isdigit()]
    name = name if set(speaking) - _NOT_SPEAKING else ""
    return ": ".join(part for part in (name, description) if part) or None


def describe(label: str, description: str, settings: ZeroShotSettings) -> list[str]:
    """Return the texts that stand for a label: the templates filled, some only if there is a description."""
    name, description = humanise(label) or label, description.strip()
    templates = (*settings.templates, *(settings.description_templates if description else ()))
    filled = [
        template.replace("{label}", name).replace("{description}", description.rstrip(".")) for template in templates
    ]
    return list(dict.fromkeys(filled))
