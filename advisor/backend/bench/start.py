"""Start-up: seconds from a fresh process to a loaded encoder, frozen or to be tuned."""

import subprocess
import sys
import time
from pathlib import Path

_FROZEN = "from advisor.backend.encoder import Encoder; Encoder.load(folder, choose_device(device)).embed([''])"
_TUNED = """\
from advisor.backend.new_head import with_new_head
from advisor.backend.tuned import TunedModel
from advisor.backend.objectives import objective_for
from advisor.backend.tuning_settings import ReadingSettings
reading = ReadingSettings(long_texts="truncate", overlap=0, longest_answer=1)
objective = objective_for("text-classification", ["a", "b"], reading)
with_new_head(folder, objective, choose_device(device), seed=0)
"""
_SETTING_OUT = """\
import sys
from pathlib import Path
from advisor.backend.devices import choose_device
folder, device = Path(sys.argv[1]), sys.argv[2]
"""


def start_seconds(folder: Path, device: str, *, tuned: bool) -> float:
    """Return the wall time of a new Python that loads the libraries and an encoder.

    Args:
        folder: of the encoder.
        device: as torch names it.
        tuned: whether it is loaded to be tuned.

    Raises:
        subprocess.CalledProcessError: it cannot be loaded.
    """
    started = time.perf_counter()
    code = _SETTING_OUT + (_TUNED if tuned else _FROZEN)
    subprocess.run([sys.executable, "-c", code, str(folder), device], check=True, capture_output=True)
    return time.perf_counter() - started
