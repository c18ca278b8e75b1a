"""A hub model's configuration: found in the hub's own cache, or fetched as that one small file."""

import os
from pathlib import Path

from advisor.errors import InputError
from advisor.settings import load_settings

_NAME = "config.json"
_INSTEAD = "check the name and the network, name a folder, or say model.parameters_b"


def looks_like_hub_id(name: str) -> bool:
    """Return whether a name is of the form ``owner/name`` and no folder of that name is here."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()


def cached_folder(name: str) -> Path | None:
    """Return the folder in the hub's cache that holds a model's configuration, the newest one; None without one."""
    from huggingface_hub import constants

    snapshots = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}" / "snapshots"
    found = [path.parent for path in snapshots.glob(f"*/{_NAME}")]
    return max(found, key=lambda folder: folder.stat().st_mtime, default=None)


def fetch_configuration(name: str, revision: str | None = None) -> Path:
    """Download a model's configuration into the hub's cache and return its folder; no weights, no code.

    Whether the hub answers is asked once, and briefly: its client would go on trying for half a minute.

    Raises:
        InputError: it cannot be had: offline, no such model, or an agreement is asked for first.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import constants, get_session, hf_hub_download

    if constants.is_offline_mode():
        raise InputError(f"{name}: its configuration cannot be had offline; {_INSTEAD}")
    try:
        get_session().head(constants.ENDPOINT, timeout=load_settings("computing.yaml")["hub_seconds"])
        return Path(hf_hub_download(name, _NAME, revision=revision)).parent
    except Exception as failure:
        why = type(failure).__name__
        raise InputError(f"{name}: its configuration cannot be had from the hub ({why}); {_INSTEAD}") from None
