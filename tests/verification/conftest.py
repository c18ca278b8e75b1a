import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from advisor.assets import asset
from tests.verification.small import DECISION, EVIDENCE, THRESHOLDS, Edit, requirements

collect_ignore_glob = [] if find_spec("z3") else ["test_*.py"]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A sound base of four rows in a folder."""
    folder = tmp_path / "rules"
    folder.mkdir()
    shutil.copy(asset("rules", "assumptions.yaml"), folder)
    (folder / "decision.yaml").write_text(DECISION, encoding="utf-8")
    (folder / "requires.yaml").write_text(requirements(), encoding="utf-8")
    (folder / "thresholds.yaml").write_text(THRESHOLDS, encoding="utf-8")
    (folder / "evidence.yaml").write_text(EVIDENCE, encoding="utf-8")
    return folder


@pytest.fixture
def edit(small: Path) -> Edit:
    """Replace one passage of one file."""

    def replace(file: str, old: str, new: str) -> Path:
        path = small / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"'{old}' stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return small

    return replace
