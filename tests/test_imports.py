"""The house: lower floors never import upper ones, and light commands load no numerical library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import advisor

PACKAGE = Path(advisor.__file__).parent
FLOORS = [
    {"errors"},
    {"files", "assets", "cache", "container", "cards", "documents", "settings", "strict", "tasks"},
    {"rates", "correction"},
    {"machine"},
    {"data"},
    {"profile"},
    {"knowledge"},
    {"project"},
    {"ledger"},
    {"backend"},
    {"strategies"},
    {"estimates"},
    {"decision"},
    {"cases"},
    {"verification"},
    {"plan"},
    {"run"},
    {"pilot"},
    {"benchmark", "doctor"},
    {"report", "questionnaire"},
    {"api"},
    {"cli"},
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
HEAVY = {"torch", "transformers", "sklearn", "pandas", "numpy", "scipy", "pyarrow", "datasets", "tokenizers"}


# What advising needs none of, and what took a tenth of its time.
FOR_OTHERS = {
    "advisor.backend.prompted.settings",
    "advisor.data.duplicates",
    "advisor.data.targets",
    "advisor.decision.finding",
    "advisor.estimates.remedies",
    "advisor.report.explanation",
}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("advisor."):
            found.add(room(node.module))
        elif isinstance(node, ast.Import):
            found |= {room(alias.name) for alias in node.names if alias.name.startswith("advisor.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path: Path) -> None:
    place = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if place in {"__init__", "__main__"}:
        return
    above = [other for other in imports(path) if FLOOR[other] > FLOOR[place]]
    assert not above, f"{place} imports {above} from a floor above"


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.splitlines()[-1].split())
    return modules | {name.split(".")[0] for name in modules}


def command(arguments: list[str]) -> str:
    return f"from advisor.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize(
    "arguments",
    [
        ["recommend", "profiles/startup-sentiment/profile.yaml"],
        ["explain", "profiles/startup-sentiment/profile.yaml"],
        ["ask", "--help"],
        ["benchmark", "--help"],
        ["ledger"],
        ["doctor"],
        ["rules", "check"],
        ["rules", "test", "tests/cases"],
    ],
)
def test_light_commands_load_nothing_heavy(arguments: list[str]) -> None:
    arguments = [str(PACKAGE.parent / part) if part.startswith(("profiles/", "tests/")) else part for part in arguments]
    loaded = loaded_by(command(arguments))
    assert not loaded & HEAVY


def test_advising_loads_little_of_the_advisor() -> None:
    loaded = loaded_by(command(["recommend", str(PACKAGE.parent / "profiles/startup-sentiment/profile.yaml")]))
    assert "advisor.decision.advice" in loaded
    assert not loaded & FOR_OTHERS


def test_planning_loads_no_training_library(tmp_path: Path) -> None:
    profile = PACKAGE.parent / "profiles/startup-sentiment/profile.yaml"
    loaded = loaded_by(command(["plan", str(profile), "-o", str(tmp_path / "plan")]))
    assert (tmp_path / "plan" / "plan.yaml").exists()
    assert not loaded & {"torch", "transformers", "sklearn", "pandas", "numpy", "scipy"}
