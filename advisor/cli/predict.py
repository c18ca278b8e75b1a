"""``advisor predict``: labels and probabilities from the model that a run wrote."""

import sys
from pathlib import Path

import click


@click.command("predict")
@click.argument("run_folder", metavar="RUN_DIR", type=click.Path(path_type=Path))
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option(
    "--input",
    "source",
    metavar="FILE",
    help="Texts to label: .jsonl, .csv, .tsv, .parquet or .txt; - for JSONL on stdin.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write JSONL there, whole or not at all.",
)
@click.option("--text", "text_column", metavar="COL", help="Name of the text column in the input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSONL for texts given as arguments too.")
def command(
    run_folder: Path,
    texts: tuple[str, ...],
    source: str | None,
    output: Path | None,
    text_column: str | None,
    as_json: bool,
) -> None:
    """Label TEXTs, or the texts of a file, with the model in RUN_DIR.

    Output is one JSON object a text: label, probability, probabilities; objects read keep their other fields.
    """
    from advisor.run.predict import open_model, predict_rows, read_rows, write_rows

    if bool(texts) == bool(source):
        raise click.UsageError("give texts, or --input FILE, one of the two")
    model = open_model(run_folder)
    rows = ({"text": text} for text in texts) if texts else read_rows(str(source), text_column, model.text_column)
    predictions = predict_rows(model, rows)
    if texts and not as_json and output is None:
        for row in predictions:
            click.echo(f"{row['label']}\t{row['probability']:.2f}\t{row['text']}")
        return
    write_rows(predictions, output, sys.stdout)
