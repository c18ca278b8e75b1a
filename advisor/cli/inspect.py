"""``advisor inspect``: a look over a data file."""

from pathlib import Path

import click

from advisor.cli.options import as_json, print_json
from advisor.data.inspection import inspect_data
from advisor.data.reading import DataSource, load_labelled
from advisor.knowledge.catalogue import embedded_folder, load_catalogue
from advisor.report.inspection import inspection_screen
from advisor.report.terminal import console


@click.command("inspect")
@click.argument("data", metavar="DATA")
@click.option("--test", type=click.Path(path_type=Path), metavar="FILE", help="Held-out test file.")
@click.option("--text", "text_column", metavar="COL", help="Name of the text column.")
@click.option("--label", "label_column", metavar="COL", help="Name of the label column.")
@as_json
def command(data: str, test: Path | None, text_column: str | None, label_column: str | None, as_json: bool) -> None:
    """Look over DATA: a file, a folder with train.* and test.*, or a hub id."""
    catalogue = load_catalogue()
    facts = catalogue.models[catalogue.default_model]
    folder = embedded_folder(facts)
    where = Path(data)
    labelled = load_labelled(
        DataSource(where if where.exists() or where.suffix else data, test, text_column, label_column)
    )
    found = inspect_data(labelled, tokenizer_path=folder / "tokenizer.json" if folder else None, limit=facts.context)
    if as_json:
        print_json({"schema": 1, **found.model_dump(mode="json")})
    else:
        console().print(inspection_screen(found, catalogue.default_model))
