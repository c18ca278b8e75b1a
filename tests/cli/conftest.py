from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from advisor.cli import main

Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    """Run the command line in process: ``invoke("recommend", path, input="…")``."""

    def call(*arguments: object, input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)

    return call
