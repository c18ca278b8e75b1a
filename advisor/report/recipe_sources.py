"""Where a recipe's data and model come from: readers of files, columns and cells, the kind of encoder."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from advisor.data.formats import SUFFIXES
from advisor.data.formats.conll import COMMENT
from advisor.data.names import REFERENCES_NAMES, START_NAMES
from advisor.knowledge.catalogue import load_catalogue
from advisor.plan.plan import Plan, PlannedFile
from advisor.report.recipe_code import Code

_HUB_SPLIT = re.compile(r"(?P<dataset>\S+) \((?P<split>[^()]+)\)")
_READERS = {"csv": "csv", "tsv": "csv", "json": "json", "jsonl": "json", "parquet": "parquet", "conll": "conll"}
_SEPARATORS = (",", ";", "|")
_LAYERED = re.compile("(Bert|Roberta|XLMRoberta|Camembert|Electra)[MF]")
_ENCODER = re.compile("bert|electra|mpnet|xlm|funnel|longformer|bigbird|nystromformer|esm", re.IGNORECASE)


def hub_split(file: PlannedFile) -> tuple[str, str] | None:
    """Return the data set on the hub and the split that a planned file is; None for a file on this machine."""
    found = _HUB_SPLIT.fullmatch(file.path)
    return (found["dataset"], found["split"]) if found else None


def source_facts(plan: Plan, predicts: str) -> dict[str, Any]:
    """Return what follows from the data: how files are read, and which of their values need attention."""
    data, labels, kind = plan.data, list(plan.labels), plan.data.split.kind
    reads_texts = plan.strategy != "zero-shot" or predicts in (("number", "span") if plan.prompting else ("classes",))
    reads_texts |= bool(plan.hyperparameters.get("centring"))
    needs_training = reads_texts or kind != "test-file"
    parts = {"train": data.train if needs_training else None, "test": data.test}
    formats = {name: _format(part) for name, part in parts.items() if part is not None}
    files = [part for name, part in parts.items() if part is not None and formats[name] != "hub"]
    suffixes = {PurePosixPath(file.path).suffix.lower(): _format(file) for file in files}
    found = [match for part in parts.values() if part and (match := _HUB_SPLIT.fullmatch(part.path))]
    splits = {name: _HUB_SPLIT.fullmatch(part.path) for name, part in parts.items() if part is not None}
    columns = next((some for sign in _SEPARATORS if len(some := data.label_column.split(sign)) > 1), [])
    flags = predicts == "classes" and bool(columns) and set(labels) <= {name.strip() for name in columns}
    typed = bool(set(formats.values()) - {"csv", "conll"})
    return {
        "reads_training": needs_training,
        "reads_texts": reads_texts,
        "formats": sorted(set(formats.values())),
        "file_format": Code(next(iter(suffixes.values()), "")),
        "suffixes": suffixes,
        "source_type": Code("str" if not files else "Path | str" if found else "Path"),
        "reader": lambda name: Code(f"read_{name}"),
        "cell": _cell(typed=typed),
        "separators": "\t,;" if set(suffixes) & {".tsv", ".tab"} else ",\t;",
        "typed": typed,
        "texts_in_cells": True,
        "flags": flags,
        "named": bool(labels) and not flags and bool({"parquet", "hub"} & set(formats.values())),
        "lists": predicts == "tags" and set(formats.values()) != {"conll"},
        "nested": predicts == "span" and ".json" in suffixes,
        "start_columns": list(START_NAMES),
        "reference_columns": list(REFERENCES_NAMES),
        "comment": COMMENT.pattern,
        "dataset": _dataset(found[0]["dataset"]) if found else None,
        **{f"{name}_format": formats.get(name) for name in parts},
        **{f"{name}_split": match["split"] if (match := splits.get(name)) else None for name in parts},
        "whole_labels": predicts == "class" and all(re.fullmatch("[-+]?[0-9]+", label) for label in labels),
        "truth_labels": predicts == "class" and set(labels) <= {"true", "false"},
        "model_source": _model_source(plan),
        "trusted": plan.model.trust_remote_code,
        "trust": Code(", trust_remote_code=True" if plan.model.trust_remote_code else ""),
        "pooling": _pooling(plan, predicts),
        "bert": _bert(plan),
        "decoder": _may_be_decoder(plan),
    }


def _cell(*, typed: bool) -> Callable[[str], Code]:
    """Return what gives the code of a cell's text, by the constant or variable that names its column."""
    return lambda column: Code(f"as_text(record.get({column}))" if typed else f"record[{column}]")


def _format(file: PlannedFile) -> str:
    """Return which reader a file needs, ``hub`` for a data set of the hub."""
    return _READERS.get(SUFFIXES.get(PurePosixPath(file.path).suffix.lower(), ""), "hub")


def _dataset(place: str) -> list[str]:
    """Return the arguments of `datasets.load_dataset` for ``owner/name[/config]``."""
    owner, name, *config = place.split("/", 2)
    return [f"{owner}/{name}", *config]


def _model_source(plan: Plan) -> str:
    """Return where the model comes from: a ``server``, a ``package``, a ``folder`` or the ``hub``."""
    if plan.prompting and plan.prompting.url:
        return "server"
    known = load_catalogue().models.get(plan.model.id)
    if known and known.package:
        return "package"
    return "hub" if plan.model.revision else "folder"


def _class_of(plan: Plan) -> str | None:
    """Return the class that a model's files name, as the plan tells it beside the head that is discarded."""
    found = re.search(r"\((\w+)\)$", plan.model.discarded_head)
    return found[1] if found else None


def _pooling(plan: Plan, predicts: str) -> str:
    """Return by what a head on texts reads the mean of the tokens where the encoder was trained so.

    A ``layer`` put on top, certainly or ``declared`` by the model's files; a setting of its ``config``; ``none``; or
    ``unknown`` where the plan does not tell the model's class.
    """
    known, kind = load_catalogue().models.get(plan.model.id), _class_of(plan)
    if predicts in ("tags", "span") or (known and known.objective != "contrastive"):
        return "none"
    if known and known.package:
        return "layer"
    if kind is None:
        return "unknown"
    return "declared" if _LAYERED.match(kind) else "config" if kind.startswith("ModernBert") else "none"


def _bert(plan: Plan) -> bool | None:
    """Return whether the model is a BERT; None where the plan does not tell."""
    known, kind = load_catalogue().models.get(plan.model.id), _class_of(plan)
    return True if known and known.package else None if kind is None else bool(re.match("Bert[MF]", kind))


def _may_be_decoder(plan: Plan) -> bool:
    """Return whether the model may be one that writes: then it may lack a padding token and a bias."""
    known, kind = load_catalogue().models.get(plan.model.id), _class_of(plan)
    return known.objective == "causal" if known else not (kind and _ENCODER.search(kind))
