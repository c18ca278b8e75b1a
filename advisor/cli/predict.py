"""``advisor predict``: answers from the model that a run wrote."""

import sys
from pathlib import Path
from typing import Any

import click

from advisor.cli.options import host_option, trust_option


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
@click.option("--pair", "pair_column", metavar="COL", help="Name of the column with the second text, or the context.")
@trust_option
@host_option
@click.option("--json", "as_json", is_flag=True, help="Print JSONL for texts given as arguments too.")
def command(
    run_folder: Path,
    texts: tuple[str, ...],
    source: str | None,
    output: Path | None,
    text_column: str | None,
    pair_column: str | None,
    trust_remote_code: bool,
    allowed_hosts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Answer for TEXTs, or for the rows of a file, with the model in RUN_DIR.

    A model of text pairs, or of questions with contexts, takes TEXTs two by two. Output is one JSON object a row: what
    was predicted with its probability; objects read keep their other fields.
    """
    from advisor.run.predict import argument_rows, open_model, predict_rows, read_rows, write_rows

    if bool(texts) == bool(source):
        raise click.UsageError("give texts, or --input FILE, one of the two")
    model = open_model(run_folder, trust_remote_code=trust_remote_code, allowed_hosts=allowed_hosts)
    rows = argument_rows(model, texts) if texts else read_rows(model, str(source), (text_column, pair_column))
    predictions = predict_rows(model, rows)
    if texts and not as_json and output is None:
        for row in predictions:
            click.echo(_line(row))
        return
    write_rows(predictions, output, sys.stdout)


def _line(row: dict[str, Any]) -> str:
    """Return a prediction as a line of text: what was predicted, how sure, and what was read."""
    if "entities" in row:
        entities = ", ".join(f"{one['text']} ({one['label']})" for one in row["entities"]) or "nothing"
        return f"{entities}\t{' '.join(row['words'])}"
    if "prompt" in row:
        return str(row["answer"])
    read = " | ".join(str(row[name]) for name in ("text", "text_pair", "question") if name in row)
    if "labels" in row:
        return f"{', '.join(row['labels']) or 'none'}\t{read}"
    if "value" in row:
        return f"{row['value']:.3g}\t{read}"
    said, sure = ("answer", "score") if "answer" in row else ("label", "probability")
    return f"{row[said]}\t{row[sure]:.2f}\t{read}"
