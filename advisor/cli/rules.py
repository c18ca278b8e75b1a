"""``advisor rules``: the rule base checked, listed and shown."""

from datetime import date, datetime
from pathlib import Path

import click

from advisor.cli.options import as_json, print_json
from advisor.documents import suggest
from advisor.errors import InputError, RuleBaseError
from advisor.knowledge.rulebase import Rule, RuleBase, load_rulebase
from advisor.knowledge.vocabulary import in_words
from advisor.strategies import STRATEGIES
from advisor.verification import Report, verify


@click.group("rules")
def command() -> None:
    """The rule base."""


_folder = click.option("--rules", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Another rule folder.")


@command.command("check")
@_folder
@as_json
@click.option(
    "--witness",
    "witnesses",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write profiles that show the faults.",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Hold review dates against this day.")
def check(folder: Path | None, as_json: bool, witnesses: Path | None, today: datetime | None) -> int:
    """Read every rule file, then prove the decision table.

    Names, types, units, citations and thresholds resolve; no evidence asks to be reviewed. With the extra 'verify' it
    is proven that no profile falls between the rows, that rows of equal priority agree, that every row can decide, that
    no row recommends what requirements rule out, and that more labels, more memory and a tighter limit on latency never
    lead the wrong way. Exit code 5 where anything is found, each with its place and a profile that shows it.
    """
    base = load_rulebase(folder)
    missing = sorted(set(STRATEGIES) ^ set(base.requirements))
    if missing:
        raise InputError(f"requires.yaml and the strategies disagree on: {', '.join(missing)}")
    report = verify(base, today.date() if today else date.today())
    if not report.proved:
        click.echo("advisor: nothing is proven; proofs need pip install 'adaptation-advisor[verify]'", err=True)
    if witnesses:
        for name, profile in report.profiles().items():
            profile.save(witnesses / f"{name}.yaml")
    if as_json:
        print_json({"schema": 1, "rows": len(base.rules), **report.as_dict()})
    else:
        _show_report(base, report)
    return RuleBaseError.exit_code if report.findings else 0


def _show_report(base: RuleBase, report: Report) -> None:
    click.echo(
        f"{len(base.rules)} rows, {len(base.objections)} objections, {len(base.thresholds)} thresholds, "
        f"{len(base.evidence)} findings: all names, types, units and citations resolve."
    )
    for found in report.findings:
        click.echo(f"\n{found.places[0]}: {found.kind}: {found.sentence}")
        for row, place in list(zip(found.rows, found.places, strict=False))[1:]:
            click.echo(f"    {row} stands at {place}")
        for witness in found.witnesses:
            click.echo(
                f"    shown by {', '.join(f'{name}: {in_words(name, value)}' for name, value in witness.items())}"
            )
        if found.witnesses and not found.replayed:
            click.echo("    by proof alone: today's forecasts do not bring it about")
    if report.proved and not report.findings:
        click.echo(
            "Proven: no gap, no conflict, no idle row, no row against its requirements; monotone where it must be."
        )
    for warning in report.warnings:
        click.echo(f"{warning[:1].upper()}{warning[1:]}")


@command.command("list")
@_folder
@as_json
def list_rules(folder: Path | None, as_json: bool) -> None:
    """List the decision table, highest priority first."""
    base = load_rulebase(folder)
    if as_json:
        print_json([rule.model_dump(mode="json") for rule in base.rules])
        return
    for rule in base.rules:
        click.echo(f"{rule.priority:3}  {rule.id:30} {rule.recommend:18} {rule.strength}, {rule.certainty}")


@command.command("show")
@click.argument("rule_id", metavar="ID")
@_folder
@as_json
def show(rule_id: str, folder: Path | None, as_json: bool) -> None:
    """Show one row with the findings it cites, or one finding."""
    base = load_rulebase(folder)
    if rule_id in base.evidence:
        _show_evidence(base, rule_id)
        return
    rule = next((rule for rule in base.rules if rule.id == rule_id), None)
    if rule is None:
        known = [*(rule.id for rule in base.rules), *base.evidence]
        raise InputError(f"there is no row or finding '{rule_id}'{suggest(rule_id, known)}")
    if as_json:
        print_json(rule.model_dump(mode="json"))
    else:
        _show_rule(base, rule)


def _show_rule(base: RuleBase, rule: Rule) -> None:
    click.echo(f"{rule.id}  (priority {rule.priority})")
    click.echo(f"  recommends  {rule.recommend}: {rule.strength}, certainty {rule.certainty}")
    for fact, cell in rule.when.items():
        click.echo(f"  when        {fact}: {cell}")
    click.echo(f"  because     {rule.because}")
    for name in rule.evidence:
        _show_evidence(base, name)
    for test in rule.condition.tests():
        if test.reference in base.thresholds:
            threshold = base.thresholds[test.reference]
            low, high = threshold.range
            click.echo(
                f"  {test.reference} = {threshold.value:g} {threshold.unit}, {low:g} to {high:g} ({threshold.source})"
            )


def _show_evidence(base: RuleBase, name: str) -> None:
    found = base.evidence[name]
    down = f" ({found.rated_down})" if found.rated_down else ""
    click.echo(
        f"  {name}  {found.claim}\n      {found.conditions}; certainty {found.certainty}{down}\n      {found.source}"
    )
