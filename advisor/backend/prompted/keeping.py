"""A prompted model's folder: its prompt, demonstrations and the place of the language model; no weights and no key."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from advisor.backend.arrays import Indices
from advisor.backend.devices import Device
from advisor.backend.encoder import shared_encoder
from advisor.backend.features import FeatureCache
from advisor.backend.prompted.asking import ScoredAsking, asking_for
from advisor.backend.prompted.calibration import Calibration
from advisor.backend.prompted.demonstrations import Demonstrations, Similar, Way
from advisor.backend.prompted.details import KeptPlace, PromptDetails
from advisor.backend.prompted.interview import Interview
from advisor.backend.prompted.kept_rows import kept_numbers, lines_of, read_rows
from advisor.backend.prompted.opening import open_language_model
from advisor.backend.prompted.pin import pin_of
from advisor.backend.prompted.place import PROMPT_DETAILS, LanguageModelPlace
from advisor.backend.prompted.templates import template_hash
from advisor.cache import cache_folder
from advisor.errors import InputError
from advisor.files import write_json, write_text, write_with
from advisor.knowledge.catalogue import embedded_folder, load_catalogue

if TYPE_CHECKING:
    from advisor.backend.prompted.model import PromptedModel

PROMPT_TEMPLATE = "prompt.j2"
DEMONSTRATIONS = "demonstrations.jsonl"
VECTORS = "demonstrations.safetensors"


def save_prompted(model: "PromptedModel", folder: Path) -> None:
    """Write a prompted model to ``folder``, made if absent; ``prompt.json`` comes last."""
    shown, asking, place = model.interview.demonstrations, model.interview.asking, model.place
    kept, fixed = kept_numbers(shown, model.way)
    lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in lines_of(asking.brief, shown.rows, kept))
    details = PromptDetails(
        brief=asking.brief,
        template_sha256=asking.template.sha256,
        model=_kept_place(place),
        encoder=_encoder_of(shown.similar.encoder.folder)
        if model.way.selection == "retrieved" and shown.similar
        else None,
        selection=model.way.selection,
        order=model.way.order,
        fixed=fixed,
        calibration=model.calibration.name,
        prior=None if model.calibration.prior is None else model.calibration.prior.tolist(),
        thresholds=None if model.thresholds is None else model.thresholds.tolist(),
        settings=model.settings,
        chosen=model.chosen,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / PROMPT_TEMPLATE, asking.template.text)
    write_text(folder / DEMONSTRATIONS, "".join(lines))
    if details.encoder and shown.similar:
        vectors = np.ascontiguousarray(shown.similar.vectors[kept])
        write_with(folder / VECTORS, lambda path: save_file({"vectors": vectors}, path))
    write_json(folder / PROMPT_DETAILS, details.model_dump(mode="json", by_alias=True))


def load_prompted(folder: Path, device: Device) -> "PromptedModel":
    """Read what `save_prompted` wrote, and open the language model that it names.

    Raises:
        InputError: a file is absent, damaged or another one, or the language model is not there or another one.
    """
    from advisor.backend.prompted.writer import prompted

    try:
        details = PromptDetails.model_validate_json((folder / PROMPT_DETAILS).read_bytes())
        template = (folder / PROMPT_TEMPLATE).read_text(encoding="utf-8")
        if template_hash(template) != details.template_sha256:
            raise InputError(f"{folder / PROMPT_TEMPLATE}: not the prompt that was measured; restore that one")
        asking = asking_for(details.brief, template)
        shown = _read_demonstrations(folder, details, device)
        if len(details.fixed) != asking.questions:
            raise ValueError(f"demonstrations of {len(details.fixed)} questions, where a row has {asking.questions}")
        prior = None if details.prior is None else np.array(details.prior, dtype=np.float32)
        if prior is not None and isinstance(asking, ScoredAsking):
            prior = prior.reshape(asking.questions, len(asking.choices))
    except ValidationError as failure:
        problem = failure.errors()[0]
        at = ".".join(map(str, problem["loc"])) or PROMPT_DETAILS
        raise InputError(f"{folder}: no readable prompt there ({at}: {problem['msg']})") from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, SafetensorError) as failure:
        raise InputError(f"{folder}: no readable prompt there ({failure})") from None
    place = _opened_place(details.model, folder.resolve().parent)
    interview = Interview(open_language_model(place, device, details.settings), asking, shown, context=place.context)
    return prompted(
        interview,
        Way(details.selection, details.order),
        Calibration(details.calibration, prior),
        place,
        device,
        details.settings,
        None if details.thresholds is None else np.array(details.thresholds, dtype=np.float32),
        details.chosen,
    )


def _read_demonstrations(folder: Path, details: PromptDetails, device: Device) -> Demonstrations:
    text = (folder / DEMONSTRATIONS).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.split("\n") if line]
    rows = read_rows(details.brief, lines)
    fixed: list[Indices] = [np.array(numbers, dtype=np.int64) for numbers in details.fixed]
    if any(len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(lines) for numbers in fixed):
        raise ValueError(f"{DEMONSTRATIONS} has {len(lines)} lines, fewer than {PROMPT_DETAILS} names")
    similar = None
    if details.selection == "retrieved" and details.encoder:
        encoder = shared_encoder(_encoder_folder(*details.encoder), device.in_fp32(), None)
        vectors = load_file(folder / VECTORS)["vectors"]
        if vectors.shape != (len(lines), encoder.hidden_size):
            raise ValueError(f"{VECTORS} and {DEMONSTRATIONS} do not belong together")
        similar = Similar(encoder, FeatureCache(cache_folder("features")), vectors)
    return Demonstrations(rows, tuple(fixed), details.settings.demonstrations, similar)


def _encoder_of(folder: Path) -> tuple[str, str]:
    """Return the encoder's name in the catalogue where a package carries it, else its folder; and its hash."""
    for name, facts in load_catalogue().models.items():
        packaged = embedded_folder(facts)
        if packaged and packaged.resolve() == folder.resolve():
            return name, pin_of(folder)
    return str(folder.resolve()), pin_of(folder)


def _encoder_folder(name: str, sha256: str) -> Path:
    known = load_catalogue().models.get(name)
    folder = embedded_folder(known) if known else Path(name)
    if folder is None or not folder.is_dir():
        raise InputError(f"{name}: the encoder that finds similar demonstrations is not there; put it back")
    if pin_of(folder) != sha256:
        raise InputError(f"{name}: not the encoder that demonstrations were measured with; put that back")
    return folder


def _kept_place(place: LanguageModelPlace) -> KeptPlace:
    """Return a place as it is written down, a local one with its pin."""
    values = {name: getattr(place, name) for name in KeptPlace.model_fields if name != "sha256"}
    values["journal"] = place.journal.name if place.journal else None
    values["folder"] = str(place.folder.resolve()) if place.folder else None
    return KeptPlace(**values, sha256=pin_of(place.folder) if place.folder else None)


def _opened_place(kept: KeptPlace, beside: Path) -> LanguageModelPlace:
    """Return the place of the language model, a local one checked against its pin.

    Args:
        kept: where it is.
        beside: the folder that the model's own is in.

    Raises:
        InputError: it is not there, or its files changed.
    """
    values = kept.model_dump(exclude={"sha256", "folder", "journal"})
    journal = beside / kept.journal if kept.journal else None
    place = LanguageModelPlace(**values, journal=journal if journal and journal.is_file() else None)
    if kept.folder is None:
        return place
    folder = Path(kept.folder)
    if not folder.is_dir():
        raise InputError(f"{kept.name}: the language model is not in {folder}; put it there or run the plan again")
    if pin_of(folder) != kept.sha256:
        raise InputError(f"{kept.name}: the files in {folder} changed since it was measured; put back the same ones")
    return replace(place, folder=folder)
