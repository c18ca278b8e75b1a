"""``advisor explain``: every test behind a verdict, and why not another strategy."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import as_json, print_json, project, project_options, rules_option
from advisor.decision.advice import Advice, recommend
from advisor.documents import suggest
from advisor.errors import InputError
from advisor.knowledge.conditions import Condition
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.vocabulary import in_words
from advisor.strategies import STRATEGIES

_MARKS = {True: "holds  ", False: "fails  ", None: "unknown"}


@click.command("explain")
@project_options
@click.option("--why-not", metavar="STRATEGY", help="Say why this strategy was not recommended.")
@rules_option
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    why_not: str | None,
    rules: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Explain the verdict on PROFILE or data test by test."""
    advice = recommend(project(profile, settings, **data).profile, base=load_rulebase(rules))
    if why_not is not None and why_not not in STRATEGIES:
        raise InputError(f"there is no strategy '{why_not}'{suggest(why_not, STRATEGIES)}")
    if as_json:
        print_json(advice.as_dict())
    elif why_not:
        _why_not(advice, why_not)
    else:
        _why(advice)


def _why(advice: Advice) -> None:
    decision = advice.decision
    click.echo(f"{advice.winner.strategy.id}, by row {decision.rule.id} (priority {decision.rule.priority})")
    _tests(advice, decision.rule.condition)
    for passed in decision.passed_over:
        click.echo(f"\npassed over: {passed.id} would recommend {passed.recommend}, which is ruled out")
    for objection in decision.objections:
        click.echo(f"\ncontested: {objection.reason(decision.facts.values)} ({', '.join(objection.evidence)})")
        _tests(advice, objection.condition)
    for candidate in decision.ruled_out:
        for veto in candidate.vetoes:
            click.echo(f"\nruled out: {candidate.strategy.id} on {candidate.model}, {veto.because}")
            for outcome in veto.outcomes:
                click.echo(f"  fails    {outcome.text}; it is {in_words(outcome.fact, outcome.value)}")
    click.echo("\nanswers")
    for name, value in decision.facts.values.items():
        if value is not None and "." in name:
            source = "assumed" if name in decision.facts.assumed else advice.profile.sources.get(name, "file")
            click.echo(f"  {name:32} {in_words(name, value):28} {source}")


def _why_not(advice: Advice, strategy: str) -> None:
    if advice.winner.strategy.id == strategy:
        click.echo(f"{strategy} is the advice")
        return
    for candidate in advice.decision.ruled_out:
        if candidate.strategy.id == strategy:
            reasons = "; ".join(veto.because for veto in candidate.vetoes)
            click.echo(f"{strategy} on {candidate.model} is ruled out: {reasons}")
    for alternative in advice.alternatives:
        if alternative.candidate.strategy.id == strategy:
            click.echo(
                f"{strategy} on {alternative.candidate.model} is possible, but: {'; '.join(alternative.why_not)}"
            )


def _tests(advice: Advice, condition: Condition) -> None:
    facts, limits = advice.decision.facts, advice.decision.base.limits
    for outcome in condition.trace(facts.values, limits):
        assumed = ", assumed" if outcome.fact in facts.assumed else ""
        click.echo(f"  {_MARKS[outcome.held]}  {outcome.text}; it is {in_words(outcome.fact, outcome.value)}{assumed}")
