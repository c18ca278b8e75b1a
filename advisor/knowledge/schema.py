"""The JSON Schema of ``decision.yaml``, for editors: rows with the facts, words and strategies there are."""

from typing import Any

from advisor.knowledge.rulebase import LISTS, load_rulebase
from advisor.knowledge.vocabulary import FACTS, Fact

_CONDITION = {"$ref": "#/$defs/condition"}
_STRATEGIES = ("recommend", "favours")


def decision_schema() -> dict[str, Any]:
    """Return the schema of a whole ``decision.yaml`` or of one laid over it."""
    strategies = list(load_rulebase().requirements)
    definitions: dict[str, Any] = {"condition": _condition(), "removal": _REMOVAL}
    lists = {}
    for key, model in LISTS.items():
        row = model.model_json_schema()
        definitions |= row.pop("$defs", {})
        for name, entry in row["properties"].items():
            if name == "when":
                row["properties"][name] = {**_CONDITION, "description": entry["description"]}
            elif name in _STRATEGIES:
                entry["enum"] = strategies
        definitions[row["title"]] = row
        either = [{"$ref": f"#/$defs/{row['title']}"}, {"$ref": "#/$defs/removal"}]
        lists[key] = {"type": ["array", "null"], "items": {"anyOf": either}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Decision table",
        "type": "object",
        "properties": {"version": {"type": ["string", "number"]}, **lists},
        "additionalProperties": False,
        "$defs": definitions,
    }


_REMOVAL = {
    "type": "object",
    "description": "Takes a row of the layer below out.",
    "properties": {"id": {"type": "string"}, "remove": {"enum": ["yes", True]}},
    "required": ["id", "remove"],
    "additionalProperties": False,
}


def _condition() -> dict[str, Any]:
    several = {"type": "array", "items": _CONDITION, "minItems": 1}
    project = {name: _cell(fact) for name, fact in FACTS.items() if fact.about == "project"}
    return {"type": "object", "properties": {**project, "any": several, "all": several}, "additionalProperties": False}


def _cell(fact: Fact) -> dict[str, Any]:
    """Return what a fact may be tested for; words are not enumerated, since ``not a`` and ``a or b`` are cells too."""
    kinds = {"number": ["number", "string"], "yes-no": ["boolean", "string"], "word": ["string"]}
    notes = [f"in {fact.unit}" if fact.unit else "", f"one of {', '.join(fact.choices)}" if fact.choices else ""]
    words = "; ".join(note for note in notes if note)
    cell: dict[str, Any] = {"type": kinds[fact.kind], "description": fact.describes + (f" ({words})" if words else "")}
    if fact.kind == "yes-no":
        cell = {"enum": ["yes", "no", True, False], "description": cell["description"]}
    return cell
