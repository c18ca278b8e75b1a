"""The built wheel, in a fresh environment with only the light dependencies, advises from inside itself."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIGHT = ["click", "jinja2", "pydantic", "pyyaml", "rich"]


@pytest.mark.slow
def test_the_wheel_advises_in_a_fresh_environment(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next((tmp_path / "dist").glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert "advisor/assets/rules/decision.yaml" in names
    assert "advisor/assets/rules/evidence/encoder.jsonl" in names
    assert "advisor/assets/templates/report.html.j2" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "rules/"))]
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *LIGHT], check=True, capture_output=True)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True, capture_output=True)
    done = subprocess.run(
        [python, "-m", "advisor", "recommend", "profile.yaml", "--json"],
        cwd=_profile(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["verdict"]["strategy"] == "contrastive"
    assert "site-packages" in _location(python)


def _profile(folder: Path) -> Path:
    text = "schema: 1\ntask: {type: text-classification}\ndata: {labelled: 60, classes: 4}\n"
    (folder / "profile.yaml").write_text(text, encoding="utf-8")
    return folder


def _location(python: Path) -> str:
    code = "import advisor; print(advisor.__file__)"
    return subprocess.run([python, "-c", code], cwd="/", capture_output=True, text=True, check=True).stdout
