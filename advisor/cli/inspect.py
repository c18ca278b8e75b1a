"""``advisor inspect``: a look over a data file."""

from pathlib import Path

import click

from advisor.cli.options import as_json, column_options, print_json
from advisor.data.inspection import inspect_data
from advisor.data.reading import DataSource, load_labelled
from advisor.knowledge.catalogue import embedded_folder, load_catalogue
from advisor.report.console import console
from advisor.report.inspection import inspection_screen
from advisor.tasks import TASKS


@click.command("inspect")
@click.argument("data", metavar="DATA")
@click.option("--task", type=click.Choice(list(TASKS)), help="What kind of task it is; guessed if left out.")
@column_options
@as_json
def command(data: str, test: Path | None, task: str | None, as_json: bool, **columns: str | None) -> None:
    """Look over DATA: a file, a folder with train.* and test.*, or a hub id."""
    catalogue = load_catalogue()
    facts = catalogue.models[catalogue.default_model]
    folder = embedded_folder(facts)
    where = Path(data)
    source = DataSource(where if where.exists() or where.suffix else data, test, **columns)
    labelled = load_labelled(source, task)
    found = inspect_data(labelled, tokenizer_path=folder / "tokenizer.json" if folder else None, limit=facts.context)
    if as_json:
        print_json({"schema": 1, **found.model_dump(mode="json")})
    else:
        console().print(inspection_screen(found, catalogue.default_model))
