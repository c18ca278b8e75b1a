"""``advisor rules``: the rule base checked, listed and shown."""

from pathlib import Path

import click

from advisor.cases import judge, read_cases
from advisor.cli.options import as_json, print_json, rules_option
from advisor.documents import suggest
from advisor.errors import AdvisorError, InputError
from advisor.knowledge.rulebase import Rule, RuleBase, load_rulebase
from advisor.strategies import STRATEGIES


@click.group("rules")
def command() -> None:
    """The rule base."""


@command.command("check")
@rules_option
def check(rules: Path | None) -> None:
    """Read every rule file: names, types, units, citations, thresholds. Exit code 5 names the first fault's place."""
    base = load_rulebase(rules)
    missing = sorted(set(STRATEGIES) ^ set(base.requirements))
    if missing:
        raise InputError(f"requires.yaml and the strategies disagree on: {', '.join(missing)}")
    cited = {name for row in base.citing for name in row.evidence}
    unused = sorted(set(base.evidence) - cited)
    click.echo(
        f"{len(base.rules)} rows, {len(base.objections)} objections, {len(base.thresholds)} thresholds, "
        f"{len(base.evidence)} findings: all names, types, units and citations resolve."
    )
    if unused:
        click.echo(f"Not cited by any row: {', '.join(unused)}")


@command.command("list")
@rules_option
@as_json
def list_rules(rules: Path | None, as_json: bool) -> None:
    """List the decision table, highest priority first."""
    base = load_rulebase(rules)
    if as_json:
        print_json([rule.model_dump(mode="json") for rule in base.rules])
        return
    for rule in base.rules:
        click.echo(f"{rule.priority:3}  {rule.id:30} {rule.recommend:18} {rule.strength}, {rule.certainty}")


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
