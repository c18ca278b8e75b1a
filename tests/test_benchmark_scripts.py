"""Benchmarks use what the advisor has: a name that moved would otherwise be missed until someone runs them."""

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_is_there(script: Path) -> None:
    missing = []
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "advisor":
            module = importlib.import_module(node.module)
            names = [alias.name for alias in node.names]
            missing += [
                f"{node.module}.{name}"
                for name in names
                if not hasattr(module, name) and importlib.util.find_spec(f"{node.module}.{name}") is None
            ]
    assert not missing
