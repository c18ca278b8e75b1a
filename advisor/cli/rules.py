"""``advisor rules``: the rule base checked, listed and shown."""

from datetime import date, datetime
from pathlib import Path

import click

from advisor.cases import judge, read_cases
from advisor.cli.options import as_json, print_json, rules_option
from advisor.documents import suggest
from advisor.errors import AdvisorError, InputError, RuleBaseError
from advisor.knowledge.rows import Rule
from advisor.knowledge.rulebase import RuleBase, load_rulebase
from advisor.knowledge.vocabulary import FACTS, in_words
from advisor.strategies import STRATEGIES
from advisor.verification import Report, verify


@click.group("rules")
def command() -> None:
    """The rule base."""


@command.command("check")
@rules_option
@as_json
@click.option(
    "--witness",
    "witnesses",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write profiles that show the faults.",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Hold review dates against this day.")
def check(rules: Path | None, as_json: bool, witnesses: Path | None, today: datetime | None) -> int:
    """Read every rule file, then prove the decision table.

    Names, types, units, citations and thresholds resolve; no evidence asks to be reviewed. With the extra 'verify' it
    is proven that no profile falls between the rows, that rows of equal priority agree, that every row can decide, that
    no row recommends what requirements rule out, and that more labels, more memory and a tighter limit on latency never
    lead the wrong way. Exit code 5 where anything is found, each with its place and a profile that shows it.
    """
    base = load_rulebase(rules)
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
@click.option("--facts", is_flag=True, help="List the facts that conditions may speak of instead.")
@rules_option
@as_json
def list_rules(facts: bool, rules: Path | None, as_json: bool) -> None:
    """List the decision table, highest priority first."""
    if facts:
        _list_facts(as_json)
        return
    base = load_rulebase(rules)
    if as_json:
        print_json([rule.model_dump(mode="json") for rule in base.rules])
        return
    for rule in base.rules:
        click.echo(f"{rule.priority:3}  {rule.id:30} {rule.recommend:18} {rule.strength}, {rule.certainty}")


def _list_facts(as_json: bool) -> None:
    if as_json:
        print_json([fact._asdict() for fact in FACTS.values()])
        return
    for fact in FACTS.values():
        takes = " / ".join(fact.choices) or (fact.unit if fact.kind == "number" else "") or fact.kind
        about = " (candidates; requires.yaml only)" if fact.about == "candidate" else ""
        click.echo(f"{fact.name:30} {takes}{about}\n{'':30} {fact.describes}")


@command.command("show")
@click.argument("rule_id", metavar="ID")
@rules_option
@as_json
def show(rule_id: str, rules: Path | None, as_json: bool) -> None:
    """Show one row with the findings it cites, or one finding."""
    base = load_rulebase(rules)
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


@command.command("test")
@click.argument("cases", metavar="DIR_OR_FILE", type=click.Path(path_type=Path))
@rules_option
@as_json
def test(cases: Path, rules: Path | None, as_json: bool) -> None:
    """Hold the rule base against expert cases: a YAML file, or a folder of them.

    A case fails where another family or strategy comes than is expected or accepted, or anything else it asks for is
    missing. Exit code 1: a case fails.
    """
    base = load_rulebase(rules)
    outcomes = [judge(case, base) for case in read_cases(cases, base)]
    failed = [outcome for outcome in outcomes if not outcome.holds]
    points = sum(outcome.points for outcome in outcomes)
    if as_json:
        counts = {"cases": len(outcomes), "holding": len(outcomes) - len(failed), "points": points}
        print_json({"schema": 1, **counts, "outcomes": [outcome.as_dict() for outcome in outcomes]})
    else:
        for outcome in failed:
            why = f" – {outcome.case.expected.why}" if outcome.case.expected.why else ""
            case = outcome.case
            click.echo(f"{case.place}: {case.name}: {'; '.join(outcome.wrong)}; came {outcome.came}{why}")
        held = f"{len(outcomes) - len(failed)} of {len(outcomes)} cases hold"
        click.echo(f"{held}, {points / len(outcomes):.0%} of points".replace("%", " %"))
    if failed:
        raise AdvisorError(f"{len(failed)} of {len(outcomes)} cases fail")


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
